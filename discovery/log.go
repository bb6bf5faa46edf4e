package discovery

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"net/netip"
	"strings"
)

// logWriter hands memberlist's lines to slog, all at debug level: what an
// operator must know, this package says itself. Network addresses are taken
// out, since they do not belong into logs.
type logWriter struct{ log *slog.Logger }

func newLogger(l *slog.Logger) *log.Logger { return log.New(logWriter{l}, "", 0) }

func (w logWriter) Write(b []byte) (int, error) {
	if w.log.Enabled(context.Background(), slog.LevelDebug) {
		w.log.Debug("memberlist", "text", withoutAddresses(string(bytes.TrimSpace(b))))
	}
	return len(b), nil
}

// withoutAddresses replaces every word that is an IP address, with or without
// a port, by "addr".
func withoutAddresses(s string) string {
	isBreak := func(r rune) bool { return strings.ContainsRune(" \t\n=,;'\"()", r) }
	var out strings.Builder
	for len(s) > 0 {
		n := strings.IndexFunc(s, isBreak)
		if n < 0 {
			n = len(s)
		}
		word := s[:n]
		if isAddress(strings.TrimRight(word, ":.")) {
			word = "addr"
		}
		out.WriteString(word)
		if n < len(s) {
			out.WriteByte(s[n])
			n++
		}
		s = s[n:]
	}
	return out.String()
}

func isAddress(word string) bool {
	if _, after, ok := strings.Cut(word, "->"); ok {
		word = after
	}
	if _, err := netip.ParseAddrPort(word); err == nil {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(word, "[]"))
	return err == nil
}
