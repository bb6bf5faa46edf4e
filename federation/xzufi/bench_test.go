package xzufi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// feed is an endless supply of one kind of message: n bytes of leistungen with
// texts as authorities write them, made while they are read.
type feed struct {
	left  int64
	n     int
	block bytes.Buffer
	done  bool
}

var feedTexts = []string{
	"Den Antrag können Sie online, schriftlich oder persönlich bei der zuständigen Stelle einreichen.",
	"Bitte bringen Sie einen gültigen Personalausweis oder Reisepass mit.",
	"Über Ihren Antrag entscheidet die Behörde nach Prüfung aller Unterlagen.",
	"Die Höhe der Gebühr richtet sich nach der Gebührensatzung in der jeweils geltenden Fassung.",
	"Weitere Auskünfte erhalten Sie während der Öffnungszeiten im Rathaus.",
}

func newFeed(n int64) *feed {
	f := &feed{left: n}
	f.block.WriteString(`<?xml version="1.0" encoding="UTF-8"?><xz:m xmlns:xz="` + space220 + `" xzufiVersion="2.2.0">`)
	return f
}

func (f *feed) Read(p []byte) (int, error) {
	for f.block.Len() == 0 {
		switch {
		case f.done:
			return 0, io.EOF
		case f.left <= 0:
			f.done = true
			f.block.WriteString("</xz:m>")
		default:
			f.record()
		}
	}
	n, err := f.block.Read(p)
	f.left -= int64(n)
	return n, err
}

func (f *feed) record() {
	f.n++
	text := func(i int) string { return feedTexts[(f.n+i)%len(feedTexts)] }
	fmt.Fprintf(&f.block, `
  <xz:schreibe>
    <xz:leistung>
      <xz:id schemeAgencyID="L100042">L100042.LB.%d</xz:id>
      <xz:referenzLeiKa listURI="urn:de:fim:leika:leistung" listVersionID="1"><code>99108001001000</code></xz:referenzLeiKa>`, f.n)
	fmt.Fprintf(&f.block, `
      <xz:modulText>
        <xz:leikaTextmodul listURI="urn:de:xzufi:codeliste:leistungstextmodulleika" listVersionID="20240216"><code>02</code></xz:leikaTextmodul>
        <xz:inhalt languageCode="de">Leistung Nummer %d beantragen</xz:inhalt>
      </xz:modulText>`, f.n)
	for i, code := range []string{"05", "06", "08", "09", "11", "07"} {
		fmt.Fprintf(&f.block, `
      <xz:modulText>
        <xz:leikaTextmodul listURI="urn:de:xzufi:codeliste:leistungstextmodulleika" listVersionID="20240216"><code>%s</code></xz:leikaTextmodul>
        <xz:inhalt languageCode="de">&lt;p&gt;%s&lt;/p&gt;&lt;ul&gt;&lt;li&gt;%s&lt;/li&gt;&lt;li&gt;%s&lt;/li&gt;&lt;/ul&gt;</xz:inhalt>
      </xz:modulText>`, code, text(i), text(i+1), text(i+2))
	}
	f.block.WriteString(`
      <xz:versionsinformation><xz:geaendertDatumZeit>2025-08-30T12:00:00Z</xz:geaendertDatumZeit></xz:versionsinformation>
    </xz:leistung>
  </xz:schreibe>`)
}

// perCore reports MB for each second of processor time since begin: on a busy
// machine it says more than the time on the wall.
func perCore(b *testing.B, begin time.Duration, bytes int64) {
	if used := processorTime(b) - begin; used > 0 {
		b.ReportMetric(float64(bytes)*float64(b.N)/1e6/used.Seconds(), "MB/cpu-s")
	}
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRead is reading a message into records, in MB/s of one core.
func BenchmarkRead(b *testing.B) {
	doc, err := io.ReadAll(newFeed(8 << 20))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(doc)))
	begin := processorTime(b)
	for b.Loop() {
		if err := Scan(bytes.NewReader(doc), "bench", Options{}, &Report{}, func(Record) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	perCore(b, begin, int64(len(doc)))
}

// BenchmarkReadDirty is the same with faults every text has: attributes at
// allowed tags, and tags that only colour it.
func BenchmarkReadDirty(b *testing.B) {
	readReplaced(b, `&lt;p class="text"&gt;&lt;font color="red"&gt;&lt;/font&gt;`)
}

// BenchmarkReadForeign is the same with other tags that are not allowed, so
// that the sanitiser has to work on every text.
func BenchmarkReadForeign(b *testing.B) {
	readReplaced(b, `&lt;p&gt;&lt;article&gt;&lt;/article&gt;`)
}

func readReplaced(b *testing.B, p string) {
	doc, err := io.ReadAll(newFeed(2 << 20))
	if err != nil {
		b.Fatal(err)
	}
	dirty := strings.ReplaceAll(string(doc), "&lt;p&gt;", p)
	b.SetBytes(int64(len(dirty)))
	begin := processorTime(b)
	for b.Loop() {
		if err := Scan(strings.NewReader(dirty), "bench", Options{}, &Report{}, func(Record) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
	perCore(b, begin, int64(len(dirty)))
}

// BenchmarkReadStream500MB reads a message of 500 MB that is made on the fly
// and reports the largest heap seen.
func BenchmarkReadStream500MB(b *testing.B) {
	const size = 500 << 20
	b.SetBytes(size)
	begin := processorTime(b)
	for b.Loop() {
		var peak uint64
		n := 0
		err := Scan(newFeed(size), "bench", Options{}, &Report{}, func(Record) error {
			if n++; n%20_000 == 0 {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				peak = max(peak, m.Sys)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(peak)/(1<<20), "peak-MB")
		b.ReportMetric(float64(n), "records")
	}
	perCore(b, begin, size)
}

// TestMemoryDoesNotGrow reads 4 MB and then 24 MB; the second must not need
// more memory than the first but for noise.
func TestMemoryDoesNotGrow(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 24 MB")
	}
	heap := func(size int64) uint64 {
		var peak uint64
		n := 0
		err := Scan(newFeed(size), "feed", Options{}, &Report{}, func(Record) error {
			if n++; n%500 == 0 {
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				peak = max(peak, m.HeapAlloc)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return peak
	}
	small, large := heap(4<<20), heap(24<<20)
	if large > small+(4<<20) {
		t.Errorf("live memory grew from %d to %d bytes", small, large)
	}
}

func TestReadStopsWithItsCaller(t *testing.T) {
	enough := errors.New("enough")
	n := 0
	err := Scan(newFeed(1<<40), "feed", Options{}, &Report{}, func(Record) error {
		if n++; n == 10 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 10 {
		t.Errorf("Scan = %v after %d records", err, n)
	}
	if err := Scan(newFeed(1<<30), "feed", Options{Limits: Limits{MaxFile: 1 << 16}}, &Report{}, func(Record) error { return nil }); !errors.Is(err, ErrLimit) {
		t.Errorf("a file over its limit: %v", err)
	}
}
