package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"

	"rathausnetz/federation/region"
	"rathausnetz/portal"
)

// command runs the command line in this process.
func command(t *testing.T, args ...string) (stdout string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(args, &out, &errs)
	if status == 1 {
		t.Fatalf("rathausnetz %s: %s", strings.Join(args, " "), errs.String())
	}
	return out.String(), status
}

func lookup(t *testing.T, dir string, query ...string) lookupOutput {
	t.Helper()
	var l lookupOutput
	out, status := command(t, append([]string{"region", "lookup", "--json", "--data", dir}, query...)...)
	if err := json.Unmarshal([]byte(out), &l); err != nil || status != 0 {
		t.Fatalf("lookup %v: status %d, %v\n%s", query, status, err, out)
	}
	return l
}

// candidates writes what was found as ARS, level and the ARS of what it is in.
func (l lookupOutput) candidates() []string {
	var all []string
	for _, c := range l.Candidates {
		all = append(all, c.Area.String()+" "+c.Level+" "+strings.Join(c.Parents, ","))
	}
	return all
}

// TestRegionOfficialFile imports the official file and looks up a key, a
// Samtgemeinde, a postal code that several places share, and a name that means
// two things.
func TestRegionOfficialFile(t *testing.T) {
	dir := t.TempDir()
	file := sharedFile(t, "GV100AD_31082025.txt")
	var imported struct {
		Date   string `json:"date"`
		Places int    `json:"places"`
	}
	out, _ := command(t, "region", "import", "--json", "--data", dir, file)
	if err := json.Unmarshal([]byte(out), &imported); err != nil || imported.Date != "2025-08-31" || imported.Places < 10000 {
		t.Fatalf("import: %v %s", err, out)
	}
	const above = "03459,034,03"
	for query, want := range map[string][]string{
		"03459012":     {"034590012012 Gemeinde " + above},
		"034595402":    {"034595402 Gemeindeverband " + above},
		"Bersenbrück":  {"034595402 Gemeindeverband " + above, "034595402010 Gemeinde 034595402," + above},
		"Bissendorf":   {"034590012012 Gemeinde " + above},
		"034590012012": {"034590012012 Gemeinde " + above},
	} {
		got := lookup(t, dir, query).candidates()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("lookup %s:\n got %q\nwant %q", query, got, want)
		}
	}
	var names []string
	for _, c := range lookup(t, dir, "49577").Candidates {
		names = append(names, c.Official)
	}
	slices.Sort(names)
	if want := []string{"Ankum", "Eggermühlen", "Kettenkamp"}; !slices.Equal(names, want) {
		t.Errorf("49577: %q, want %q", names, want)
	}
	if _, status := command(t, "region", "lookup", "--data", dir, "Nirgendwo"); status != 2 {
		t.Errorf("an unknown place: status %d, want 2", status)
	}
}

// TestRegionVanished imports two editions: a key of the older one that is gone
// leads to its successor or says that none is known.
func TestRegionVanished(t *testing.T) {
	dir := t.TempDir()
	older, newer := sharedFile(t, "GV100AD_30112023.txt"), sharedFile(t, "GV100AD_31082025.txt")
	for _, file := range []string{newer, older} { // the order does not matter
		command(t, "region", "import", "--data", dir, file)
	}
	// Obergeckler has a new key; the old one leads to it.
	for key, successions := range map[string]int{"07232503": 0, "07232089": 1} {
		if l := lookup(t, dir, key); len(l.Succession) != successions || !slices.Equal(l.candidates(), []string{"072325005503 Gemeinde 072325005,07232,072,07"}) {
			t.Errorf("%s: %+v", key, l)
		}
	}

	reg, err := portal.OpenRegister(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	today := map[region.AGS]bool{}
	for _, p := range edition(t, newer).Places {
		today[p.AGS] = true
	}
	vanished := 0
	for _, p := range edition(t, older).Places {
		if !p.Area.IsGemeinde() || today[p.AGS] {
			continue
		}
		vanished++
		l := reg.Lookup(p.AGS.String(), time.Time{})
		if !l.Known() || len(l.Succession) != 1 {
			t.Errorf("%s %s: %+v", p.AGS, p.Official, l)
			continue
		}
		var text bytes.Buffer
		printLookup(&text, reg, p.AGS.String(), l)
		want := "its successor is below"
		if len(l.Succession[0].New) == 0 {
			want = "no successor is known"
		}
		if !strings.Contains(text.String(), want) {
			t.Errorf("%s %s: %q is missing in %s", p.AGS, p.Official, want, &text)
		}
	}
	if vanished != 32 {
		t.Errorf("%d keys vanished, want 32", vanished)
	}
}

func edition(t *testing.T, path string) *region.Edition {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	e, err := region.ReadGV100AD(f)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestBusy checks when progress is shown, and that it goes to the error output
// as plain lines where there is no terminal.
func TestBusy(t *testing.T) {
	fault := errors.New("stopped")
	for name, tt := range map[string]struct {
		total int64
		takes time.Duration
		want  string
	}{
		"short":         {10e6, 900 * time.Millisecond, ""},
		"known size":    {10e6, 7 * time.Second, "reading: 4.0 of 10.0 MB, 1s\nreading: 4.0 of 10.0 MB, 6s\n"},
		"unknown size":  {0, 2 * time.Second, "reading: 4.0 MB, 1s\n"},
		"nothing known": {-1, 2 * time.Second, "reading: 1s\n"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out, errs bytes.Buffer
				cmd := &cobra.Command{}
				cmd.SetOut(&out)
				cmd.SetErr(&errs)
				v, err := busy(cmd, "reading", tt.total, func(read func(int64)) (string, error) {
					if tt.total >= 0 {
						read(3e6)
						read(1e6)
					}
					<-time.After(tt.takes)
					return "done", fault
				})
				if v != "done" || !errors.Is(err, fault) || errs.String() != tt.want || out.Len() > 0 {
					t.Errorf("%q %v, said %q, want %q", v, err, errs.String(), tt.want)
				}
			})
		})
	}
}

// TestBar draws the bar for a terminal and clears it at the end.
func TestBar(t *testing.T) {
	for name, total := range map[string]int64{"bytes": 10e6, "spinner": 0} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var w bytes.Buffer
				p := &progress{what: "reading", total: total, w: &w, terminal: true, stop: make(chan struct{})}
				p.done.Store(5e6)
				done := make(chan struct{})
				go func() { defer close(done); p.run() }()
				<-time.After(3 * time.Second)
				close(p.stop)
				<-done
				if s := w.String(); !strings.Contains(s, "reading") || (total > 0) != strings.Contains(s, "50%") || strings.Contains(s, "\n") {
					t.Errorf("drawn: %q", s)
				}
			})
		})
	}
}
