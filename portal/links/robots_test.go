package links

import (
	"strings"
	"testing"
	"time"
)

func TestRobots(t *testing.T) {
	for _, c := range []struct {
		name, file, path string
		want             bool
	}{
		{"no file", "", "/a", true},
		{"all forbidden", "User-agent: *\nDisallow: /", "/a", false},
		{"empty rule", "User-agent: *\nDisallow:", "/a", true},
		{"other robot", "User-agent: other\nDisallow: /", "/a", true},
		{"our group", "User-agent: *\nDisallow: /\nUser-agent: Rathausnetz-Linkpruefung\nAllow: /", "/a", true},
		{"our group with version", "User-agent: RATHAUSNETZ-LINKPRUEFUNG/1\nDisallow: /", "/a", false},
		{"shared group", "User-agent: x\nUser-agent: *\nDisallow: /a", "/ab", false},
		{"longest wins", "User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", true},
		{"equal allows", "User-agent: *\nDisallow: /a\nAllow: /a", "/a", true},
		{"star", "User-agent: *\nDisallow: /*.pdf", "/x/y.pdf?z", false},
		{"end", "User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf?z", true},
		{"end holds", "User-agent: *\nDisallow: /*.pdf$", "/x/y.pdf", false},
		{"exact end", "User-agent: *\nDisallow: /a$", "/ab", true},
		{"query", "User-agent: *\nDisallow: /*?session=", "/a?session=1", false},
		{"comment", "# nothing\nUser-agent: * # all\nDisallow: /a # b", "/a", false},
		{"windows", "\ufeffUser-agent: x\r\nDisallow: /\r\nUser-agent: *\r\nDisallow: /a\r\n", "/b", true},
		{"rules before a group", "Disallow: /\nUser-agent: *\nAllow: /", "/a", true},
	} {
		if got := parseRobots([]byte(c.file)).allows(c.path); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if d := parseRobots([]byte("User-agent: *\nCrawl-delay: 99999")).delay; d != longestDelay {
		t.Errorf("delay %v", d)
	}
	if (rules{none: true}).allows("/") {
		t.Error("a file that cannot be had forbids all")
	}
}

// A hostile pattern costs no more than its length times that of the path.
func TestRobotsHostilePattern(t *testing.T) {
	file := "User-agent: *\nDisallow: /" + strings.Repeat("*a", 20000) + "$\n"
	begin := time.Now()
	parseRobots([]byte(file)).allows("/" + strings.Repeat("a", 2000))
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzRobots(f *testing.F) {
	f.Add("User-agent: *\nDisallow: /*a*b$\nCrawl-delay: 1e9\n", "/xa")
	f.Add("\x00:\xff\nuser-agent:\nallow:*", "")
	f.Fuzz(func(t *testing.T, file, path string) {
		r := parseRobots([]byte(file))
		r.allows(path)
		if r.delay < 0 || r.delay > longestDelay {
			t.Errorf("delay %v", r.delay)
		}
	})
}
