package testnet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation/catalog"
	"rathausnetz/federation/mirror"
	"rathausnetz/portal"
)

var errNotYet = errors.New("not refused yet")

// TestHostileMembers lets members of a running Landkreis lie, each in its own
// way. Every other node has to refuse within 5 s and say why [DESIGN §8].
func TestHostileMembers(t *testing.T) {
	nw := startNetwork(t, Spec{})
	for _, c := range []struct {
		name string
		test func(*testing.T, *Network)
	}{
		{"foreign area", claimsForeignArea},
		{"delegated beyond the mark", delegatedBeyondMark},
		{"signs for another", signsForAnother},
		{"sealed by another", sealedByAnother},
		{"replayed serial", replaysSerial},
		{"revoked while logged in", revokedWhileLoggedIn},
		{"equivocation", equivocates},
	} {
		if !t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) { c.test(t, nw) }) {
			return
		}
	}
	if _, err := nw.Hub().Node().Verbs()["auditverify"](t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// claimsForeignArea: Bissendorf claims a task, and an offer of its own, for
// Melle. Both are left out everywhere, everything else of it is kept.
func claimsForeignArea(t *testing.T, nw *Network) {
	h, melle := takeOver(t, nw, "bissendorf"), nw.Member("melle")
	const title = "Marktstand in fremder Stadt"
	c := h.genuine.catalogue.Clone()
	i := slices.IndexFunc(c.Offers, func(o catalog.Offer) bool { return !o.Leika.IsZero() && len(o.Zustaendigkeiten) > 0 })
	claim := c.Offers[i].Zustaendigkeiten[0]
	claim.ID, claim.Area, claim.Except = "X:fremd.1", melle.Area, nil
	c.Offers[i].Zustaendigkeiten = append(c.Offers[i].Zustaendigkeiten, claim)
	claim.ID = "X:fremd.2"
	c.Offers = append(c.Offers, catalog.Offer{ID: "X:stand", Title: catalog.Text{"de": title}, Reach: catalog.ReachNetwork, Zustaendigkeiten: []catalog.Zustaendigkeit{claim}})
	c.Normalize()
	forged := h.seal(c, h.genuine.content.Serial+1)
	h.serve(forged)
	h.announce(h.Entity, forged.content.Serial, forged.digest())
	h.refusedEverywhere(func(_ *Member, s portal.MemberStatus) error {
		if s.Serial != forged.content.Serial || s.Outside != 2 || !strings.Contains(s.Error, melle.Area.String()) {
			return fmt.Errorf("%w: serial %d, %d outside, %q", errNotYet, s.Serial, s.Outside, s.Error)
		}
		if s.Copy != mirror.StateFresh || s.Offers != len(h.genuine.catalogue.Offers) {
			t.Errorf("%s with %d offers, %d were genuine", s.Copy, s.Offers, len(h.genuine.catalogue.Offers))
		}
		return nil
	})
	citizen := NewCitizen(nw.Transport())
	for _, o := range h.others() {
		if err := citizen.Open(t.Context(), o.searchFor("Marktstand")); err != nil {
			t.Fatal(err)
		}
		if citizen.Sees(title) {
			t.Errorf("%s shows an offer that claims a foreign area", o.Name)
		}
		if err := citizen.Open(t.Context(), o.Entity.URL("/leistung/"+c.Offers[i].Leika.String()+"/"+melle.Area.String())); err != nil {
			t.Fatal(err)
		}
		if err := citizen.Expect("Zuständig für Melle: " + melle.Legal); err != nil {
			t.Errorf("%s: %v", o.Name, err)
		}
	}
	audited(t, nw, "scope", h.Member)
}

// signsForAnother: Wallenhorst publishes a manifest that names Melle as its
// issuer, and announces a catalogue of Melle with its own key.
func signsForAnother(t *testing.T, nw *Network) {
	h, melle := takeOver(t, nw, "wallenhorst"), nw.Member("melle")
	refused := func() (n uint64) {
		for _, o := range h.others() {
			n += o.Node().Status().Refused
		}
		return n
	}
	before := refused()
	genuine := published(t, nw, melle.Entity)
	forged := h.seal(genuine.catalogue, genuine.content.Serial+7, func(m *catalog.Manifest) { m.Issuer = melle.Entity })
	h.serve(forged)
	h.announce(h.Entity, h.genuine.content.Serial+1, forged.digest())
	h.announce(melle.Entity, forged.content.Serial, forged.digest())
	h.refusedEverywhere(func(o *Member, s portal.MemberStatus) error {
		if !strings.Contains(s.Error, mirror.ErrIssuer.Error()) || !strings.Contains(s.Error, string(melle.Entity)) {
			return fmt.Errorf("%w: %q", errNotYet, s.Error)
		}
		if s.Serial != h.genuine.content.Serial || s.Copy != mirror.StateFresh {
			t.Errorf("%s holds %d as %s", o.Name, s.Serial, s.Copy)
		}
		if s, _ := o.sees(melle); s.Serial != genuine.content.Serial || s.Copy != mirror.StateFresh || s.Error != "" || s.Announced > genuine.content.Serial {
			t.Errorf("%s now sees Melle as %+v", o.Name, s)
		}
		return nil
	})
	await(t, refusedWithin, func() error {
		if refused() == before {
			return fmt.Errorf("%w: the announcement for %s", errNotYet, melle.Name)
		}
		return nil
	})
	if why := audited(t, nw, "refused", h.Member); !strings.Contains(why, mirror.ErrIssuer.Error()) {
		t.Errorf("the audit trail says %q", why)
	}
}

// sealedByAnother: Bad Essen has got hold of Melle's address and serves there
// what it has sealed itself. A node without a copy gets the genuine one from
// another member and says what it found at Melle's address.
func sealedByAnother(t *testing.T, nw *Network) {
	melle, witness := nw.Member("melle"), nw.Member("bersenbrueck")
	genuine := published(t, nw, melle.Entity)
	h := takeOver(t, nw, "bad-essen")
	if err := melle.Stop(); err != nil {
		t.Fatal(err)
	}
	h.serve(h.seal(genuine.catalogue, genuine.content.Serial+1, func(m *catalog.Manifest) { m.Issuer = melle.Entity }))
	stopServing := h.listen(melle.port, nil)
	if err := witness.Stop(); err != nil {
		t.Fatal(err)
	}
	witness.forget(t, melle)
	if err := witness.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, refusedWithin, func() error {
		s, _ := witness.sees(melle)
		if s.Copy != mirror.StateFresh || s.Serial != genuine.content.Serial || s.Offers != len(genuine.catalogue.Offers) || !strings.Contains(s.Error, mirror.ErrSeal.Error()) {
			return fmt.Errorf("%w: %s serial %d, %d offers, %q", errNotYet, s.Copy, s.Serial, s.Offers, s.Error)
		}
		return nil
	})
	stopServing()
	if err := melle.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, 20*time.Second, func() error {
		for _, o := range h.others() {
			if s, _ := o.sees(melle); o != melle && s.Gossip != "alive" {
				return fmt.Errorf("%s sees the genuine %s as %s", o.Name, melle.Name, s.Gossip)
			}
		}
		return nil
	})
}

// forget removes what a stopped node has of a member's catalogue.
func (m *Member) forget(t *testing.T, o *Member) {
	t.Helper()
	files, err := filepath.Glob(m.dir("data", "mirror", "current", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), string(o.Entity)) {
			if err := os.Remove(f); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("%s holds nothing of %s: %v", m.Name, o.Name, files)
}

// replaysSerial: the Samtgemeinde publishes serial n and then serves n-1 again.
func replaysSerial(t *testing.T, nw *Network) {
	h := takeOver(t, nw, "bersenbrueck")
	next := h.seal(h.genuine.catalogue, h.genuine.content.Serial+1)
	h.serve(next)
	h.announce(h.Entity, next.content.Serial, next.digest())
	h.refusedEverywhere(func(_ *Member, s portal.MemberStatus) error {
		if s.Serial != next.content.Serial || s.Error != "" {
			return fmt.Errorf("%w: does not hold serial %d yet: %d %q", errNotYet, next.content.Serial, s.Serial, s.Error)
		}
		return nil
	})
	h.serve(h.genuine)
	h.announce(h.Entity, next.content.Serial+1, h.genuine.digest())
	h.refusedEverywhere(func(_ *Member, s portal.MemberStatus) error {
		if !strings.Contains(s.Error, mirror.ErrRollback.Error()) {
			return fmt.Errorf("%w: %q", errNotYet, s.Error)
		}
		if s.Serial != next.content.Serial || s.Copy != mirror.StateFresh {
			t.Errorf("now %d as %s", s.Serial, s.Copy)
		}
		return nil
	})
	if why := audited(t, nw, "refused", h.Member); !strings.Contains(why, mirror.ErrRollback.Error()) {
		t.Errorf("the audit trail says %q", why)
	}
}

// equivocates: the waste utility tells some that serial n is one catalogue and
// others that it is another. All freeze it, keep both manifests, and the hub
// knows.
func equivocates(t *testing.T, nw *Network) {
	h := takeOver(t, nw, "abfall")
	c := h.genuine.catalogue.Clone()
	c.Offers[0].Title["de"] += " (heute kostenlos)"
	one, two := h.seal(h.genuine.catalogue, h.genuine.content.Serial+1), h.seal(c, h.genuine.content.Serial+1)
	h.serve(one, two)
	h.announce(h.Entity, one.content.Serial, one.digest())
	h.refusedEverywhere(func(o *Member, s portal.MemberStatus) error {
		if s.Copy != mirror.StateFrozen || !strings.Contains(s.Error, mirror.ErrEquivocates.Error()) {
			return fmt.Errorf("%w: %s serial %d %q", errNotYet, s.Copy, s.Serial, s.Error)
		}
		return o.keeps(one.manifest, two.manifest)
	})
	audited(t, nw, "equivocation", h.Member)

	later := h.seal(h.genuine.catalogue, one.content.Serial+1)
	h.serve(later)
	h.announce(h.Entity, later.content.Serial, later.digest())
	for _, o := range h.others() {
		if s, _ := o.sees(h.Member); s.Serial != one.content.Serial || s.Copy != mirror.StateFrozen {
			t.Errorf("%s thawed by itself: %d %s", o.Name, s.Serial, s.Copy)
		}
	}
}

// keeps says whether a node has these manifests among its evidence.
func (m *Member) keeps(manifests ...string) error {
	files, err := filepath.Glob(m.dir("data", "mirror", "evidence", "*"))
	if err != nil {
		return err
	}
	kept := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		kept[string(b)] = true
	}
	for _, sealed := range manifests {
		if !kept[sealed] {
			return fmt.Errorf("%w: %s has %d pieces of evidence, one is missing", errNotYet, m.Name, len(files))
		}
	}
	return nil
}
