package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var firstTitle = regexp.MustCompile(`(<code>02</code></xz:leikaTextmodul>\s*<xz:inhalt languageCode="de">)([^<]*)`)

// retitle changes one offer of the process's source.
func (p *process) retitle(round int) {
	p.t.Helper()
	path := filepath.Join(p.dir, "catalog", "leistungen.xml")
	b, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	at := firstTitle.FindSubmatchIndex(b)
	if at == nil {
		p.t.Fatal("no title in the source")
	}
	text := string(b[:at[4]]) + fmt.Sprintf("Fassung %d", round) + string(b[at[5]:])
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// serialOf is the serial of another one's catalogue (or of its own) that p
// serves, and what is wrong with it.
func (p *process) serialOf(o *process) (serial uint64, fault string, err error) {
	s, err := p.status()
	if err != nil {
		return 0, "", err
	}
	for _, m := range s.Members {
		if string(m.Member) == o.entity {
			if m.Copy != "fresh" {
				fault = string(m.Copy)
			}
			return m.Serial, fault + m.Error, nil
		}
	}
	return 0, "not a member", nil
}

// TestKilledWhileWriting kills real processes with SIGKILL at random moments
// while one publishes and the other pulls. No serial is lost or sealed twice,
// no half-written file is used or left, and both agree in the end.
func TestKilledWhileWriting(t *testing.T) {
	bin := buildBinary(t)
	hub := newProcess(t, bin, "landkreis", "Landkreis Osnabrück", "--hub", "--area", "03459")
	melle := newProcess(t, bin, "melle", "Stadt Melle")
	hub.serve()
	melle.join(hub, "Stadt Melle", "034590024024")
	hub.sees(melle, "alive")
	published := uint64(0)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for round := range 6 {
		melle.retitle(round)
		publish := exec.Command(bin, melle.with("catalog", "publish")...)
		publish.Env = melle.env
		if err := publish.Start(); err != nil {
			t.Fatal(err)
		}
		wait := time.NewTimer(time.Duration(r.IntN(120)) * time.Millisecond)
		<-wait.C
		victims := [][]*process{{melle}, {hub}, {melle, hub}}[r.IntN(3)]
		for _, p := range victims {
			p.kill()
		}
		_ = publish.Wait() // what it said before the kill does not matter: the serials do
		for _, p := range victims {
			p.serve()
			p.noRemains()
		}
		var own uint64
		melle.await(func() error {
			serial, fault, err := melle.serialOf(melle)
			if own = serial; err == nil && (serial == 0 || fault != "") {
				err = fmt.Errorf("own catalogue at %d: %s", serial, fault)
			}
			return err
		})
		if own < published {
			t.Fatalf("round %d: serial %d after %d was served", round, own, published)
		}
		hub.await(func() error {
			serial, fault, err := hub.serialOf(melle)
			now, _, ownErr := melle.serialOf(melle)
			switch {
			case err != nil || ownErr != nil:
				return fmt.Errorf("%w %w", err, ownErr)
			case serial != now || fault != "":
				return fmt.Errorf("the hub serves serial %d of %d: %s", serial, now, fault)
			}
			published = serial
			return nil
		})
	}
}

// noRemains looks for half-written files in the copies of a node that has just
// started.
func (p *process) noRemains() {
	p.t.Helper()
	err := filepath.WalkDir(filepath.Join(p.dir, "data", "mirror"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasPrefix(e.Name(), ".tmp-") {
			info, ierr := e.Info()
			if ierr == nil && time.Since(info.ModTime()) > 5*time.Second { // a write of the new process takes milliseconds
				p.t.Errorf("left over: %s", path)
			}
		}
		return err
	})
	if err != nil {
		p.t.Error(err)
	}
}
