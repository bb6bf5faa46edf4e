package main

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"

	"rathausnetz/config"
)

// logSink is a handler whose level and format change while it is in use.
type logSink struct {
	*logChoice
	text, json slog.Handler
}

// logChoice is shared by all handlers that derive from one.
type logChoice struct {
	level  slog.LevelVar
	asJSON atomic.Bool
}

func newLog(w io.Writer, c config.Log) *logSink {
	s := &logSink{logChoice: &logChoice{}}
	o := &slog.HandlerOptions{Level: &s.level}
	s.text, s.json = slog.NewTextHandler(w, o), slog.NewJSONHandler(w, o)
	s.set(c)
	return s
}

// set follows what the configuration says; config.Load has refused anything
// that is no level or format.
func (s *logSink) set(c config.Log) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err == nil {
		s.level.Set(level)
	}
	s.asJSON.Store(c.Format == "json")
}

func (s *logSink) handler() slog.Handler {
	if s.asJSON.Load() {
		return s.json
	}
	return s.text
}

// Enabled implements slog.Handler, as do the others below.
func (s *logSink) Enabled(_ context.Context, l slog.Level) bool { return l >= s.level.Level() }

func (s *logSink) Handle(ctx context.Context, r slog.Record) error { return s.handler().Handle(ctx, r) }

func (s *logSink) WithAttrs(a []slog.Attr) slog.Handler {
	return &logSink{s.logChoice, s.text.WithAttrs(a), s.json.WithAttrs(a)}
}

func (s *logSink) WithGroup(name string) slog.Handler {
	return &logSink{s.logChoice, s.text.WithGroup(name), s.json.WithGroup(name)}
}
