package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// again is a restart by the service manager.
func (p *process) again() {
	p.t.Helper()
	p.kill()
	p.serve()
}

// TestKeysOfTheHub changes the key that everybody's trust hangs on, as the
// operator's page says: announce, sign, retire. The member believes the hub at
// every step, is never restarted and never joins again.
func TestKeysOfTheHub(t *testing.T) {
	bin := buildBinary(t)
	hub := newProcess(t, bin, "landkreis", "Landkreis Osnabrück", "--hub", "--area", "03459")
	melle := newProcess(t, bin, "melle", "Stadt Melle")
	hub.serve()
	melle.join(hub, "Stadt Melle", "034590024024")
	melle.sees(hub, "alive")
	believed := func() {
		t.Helper()
		melle.await(func() error {
			out, err := melle.run(melle.with("trust", "explain", hub.entity)...)
			if err == nil && !strings.Contains(out, "is believed") {
				err = fmt.Errorf("not believed: %s", out)
			}
			return err
		})
		melle.sees(hub, "alive")
	}

	old := hub.signs("federation")
	var announced struct {
		Key string `json:"key"`
	}
	if err := json.Unmarshal([]byte(hub.must(hub.with("keys", "announce", "federation", "--in", "5s", "--json")...)), &announced); err != nil || announced.Key == "" {
		t.Fatalf("keys announce --json says %+v: %v", announced, err)
	}
	if _, err := hub.run(hub.with("keys", "announce", "federation")...); err == nil {
		t.Error("a second key was announced beside the first")
	}
	hub.again()
	believed()
	// A decision about the member has it look at the hub again, as it does by
	// itself within hours.
	hub.must(hub.with("member", "rescope", melle.entity, "--subtree", "034590024024")...)
	melle.await(func() error {
		kept, err := os.ReadFile(filepath.Join(melle.dir, "data", "membership.json"))
		if err == nil && !bytes.Contains(kept, []byte(announced.Key)) {
			err = fmt.Errorf("the announced key has not reached the member")
		}
		return err
	})

	hub.await(func() error {
		if hub.signs("federation") == old {
			return fmt.Errorf("the old key still signs")
		}
		return nil
	})
	hub.again()
	believed()
	if out := hub.must(hub.with("keys", "retire", "federation")...); !strings.Contains(out, "1 retired") {
		t.Errorf("retire: %s", out)
	}
	hub.again()
	believed()
	if list := hub.must(hub.with("keys", "list")...); strings.Contains(list, old) {
		t.Errorf("the retired key is still there:\n%s", list)
	}
	if _, err := hub.run(hub.with("keys", "retire", "federation", "--compromised", hub.signs("federation"))...); err == nil {
		t.Error("the only key was taken away")
	}
}

// signs returns the kid of the key that signs.
func (p *process) signs(role string) string {
	p.t.Helper()
	for _, line := range strings.Split(p.must(p.with("keys", "list")...), "\n") {
		if f := strings.Fields(line); len(f) > 2 && f[0] == role && f[1] == "signs" {
			return f[2]
		}
	}
	p.t.Fatalf("no %s key signs", role)
	return ""
}
