package branding_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rathausnetz/federation/store"
	"rathausnetz/portal/branding"
	"rathausnetz/portal/web/brand"
)

func start() brand.Brand {
	return brand.Brand{Name: "Gemeinde Bissendorf", ShortName: "Bissendorf", Color: brand.MustColor("#175c3a"), Greeting: "Willkommen"}
}

// stage is what the pages show.
type stage struct {
	mu    sync.Mutex
	brand brand.Brand
}

func (s *stage) show(b brand.Brand) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.brand = b
	return nil
}

func (s *stage) name() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.brand.Name
}

func newDesk(t *testing.T) (*branding.Desk, *stage, store.Store) {
	st := store.NewMemory(time.Now)
	t.Cleanup(func() { st.Close() })
	s := &stage{brand: start()}
	return branding.New(branding.Config{Store: st, Start: start(), Show: s.show}), s, st
}

// form is what the page would send for b.
func form(d branding.Draft) branding.Form {
	return branding.Form{Revision: d.Revision, Brand: d.Brand, Color: d.Brand.Color.String(), Wappen: branding.Picture{Alt: d.Brand.Wappen.Alt}, Title: branding.Picture{Alt: d.Brand.Title.Alt, Decorative: d.Brand.Title.Alt == ""}}
}

func save(t *testing.T, d *branding.Desk, change func(*branding.Form)) []branding.Problem {
	t.Helper()
	draft, _, err := d.Draft(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := form(draft)
	change(&f)
	_, problems, err := d.Save(t.Context(), "redaktion", f)
	if err != nil {
		t.Fatal(err)
	}
	return problems
}

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDraftPublishAndBack(t *testing.T) {
	d, s, st := newDesk(t)
	ctx := t.Context()
	if _, err := d.Publish(ctx, "leitung"); !errors.Is(err, branding.ErrNoDraft) {
		t.Errorf("publishing nothing: %v", err)
	}
	if p := save(t, d, func(f *branding.Form) {
		f.Brand.Name, f.Color = "Stadt Bissendorf", "#12406e"
		f.Wappen = branding.Picture{Upload: picture(t), Alt: "Wappen der Stadt", Rights: true}
	}); len(p) > 0 {
		t.Fatalf("%+v", p)
	}
	if s.name() != "Gemeinde Bissendorf" {
		t.Error("a draft is shown")
	}
	v, err := d.Publish(ctx, "leitung")
	if err != nil || v.Number != 1 || s.name() != "Stadt Bissendorf" || s.brand.Wappen.Alt != "Wappen der Stadt" || len(s.brand.Wappen.Data) == 0 {
		t.Fatalf("%+v %v, shown %+v", v, err, s.brand)
	}
	if _, ok, _ := d.Draft(ctx); ok {
		t.Error("the draft is still there")
	}
	// A restart shows it again.
	again := &stage{brand: start()}
	if err := branding.New(branding.Config{Store: st, Start: start(), Show: again.show}).Load(ctx); err != nil || again.name() != "Stadt Bissendorf" {
		t.Errorf("after a restart: %q, %v", again.name(), err)
	}
	save(t, d, func(f *branding.Form) { f.Brand.Greeting = "Moin" })
	if _, err := d.Publish(ctx, "leitung"); err != nil || s.brand.Greeting != "Moin" || s.brand.Wappen.IsZero() {
		t.Fatalf("%v %+v", err, s.brand)
	}
	if v, err := d.Restore(ctx, "leitung", 1); err != nil || v.Number != 3 || s.brand.Greeting != "Willkommen" || s.name() != "Stadt Bissendorf" {
		t.Errorf("previous version: %+v %v", v, err)
	}
	if _, err := d.Restore(ctx, "leitung", 0); err != nil || s.name() != "Gemeinde Bissendorf" {
		t.Errorf("the configuration's: %v", err)
	}
	if _, err := d.Restore(ctx, "leitung", 99); !errors.Is(err, branding.ErrNoVersion) {
		t.Errorf("one that never was: %v", err)
	}
	all, err := d.Versions(ctx)
	if err != nil || len(all) != 5 || all[0].Number != 4 || all[4].Number != 0 {
		t.Errorf("%v %v", all, err)
	}
}

// What cannot be taken is named with a way out; everything else is kept.
func TestProblems(t *testing.T) {
	d, _, _ := newDesk(t)
	problems := save(t, d, func(f *branding.Form) {
		f.Color = "#f2b705"
		f.Brand.Name = " "
		f.Brand.Intro = strings.Repeat("ä", 401)
		f.Brand.Greeting = "Guten Tag"
		f.Brand.Contact = brand.Contact{PLZ: "4914", Email: "rathaus", Phone: "05402 404-0"}
		f.Brand.Hours = []string{"Montag 8–12 Uhr", "", strings.Repeat("x", 200)}
		f.Wappen = branding.Picture{Upload: []byte("<html>"), Alt: "x", Rights: true}
		f.Title = branding.Picture{Upload: picture(t), Decorative: true}
	})
	got := map[string]branding.Problem{}
	for _, p := range problems {
		got[p.Field] = p
	}
	for _, field := range []string{"farbe", "name", "einleitung", "plz", "email", "zeiten", "wappen", "titelbild-recht"} {
		if got[field].Text == "" {
			t.Errorf("nothing is said about %s", field)
		}
	}
	if len(got) != 8 {
		t.Errorf("%+v", problems)
	}
	if p := got["farbe"]; p.Proposal == nil || !strings.Contains(p.Text, "1,8 zu 1") {
		t.Errorf("%+v", p)
	}
	draft, ok, err := d.Draft(t.Context())
	if err != nil || !ok {
		t.Fatal(err)
	}
	if b := draft.Brand; b.Greeting != "Guten Tag" || b.Contact.Phone != "05402 404-0" || b.Name != "Gemeinde Bissendorf" || b.Color != start().Color || !b.Title.IsZero() || !b.Wappen.IsZero() {
		t.Errorf("%+v", b)
	}
	if p := save(t, d, func(f *branding.Form) { f.Color = got["farbe"].Proposal.String() }); len(p) > 0 {
		t.Errorf("the proposal is refused: %+v", p)
	}
	if p := save(t, d, func(f *branding.Form) { f.Title = branding.Picture{Upload: picture(t), Rights: true} }); len(p) != 1 || p[0].Field != "titelbild-alt" {
		t.Errorf("a picture without description: %+v", p)
	}
}

// Scripts and places do not survive an upload.
func TestPicturesAreCleaned(t *testing.T) {
	d, _, _ := newDesk(t)
	save(t, d, func(f *branding.Form) {
		f.Wappen = branding.Picture{Alt: "Wappen", Rights: true, Upload: []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="x()"><script>x()</script><path d="M0 0h9"/></svg>`)}
	})
	draft, _, err := d.Draft(t.Context())
	if err != nil || bytes.Contains(draft.Brand.Wappen.Data, []byte("x()")) || !bytes.Contains(draft.Brand.Wappen.Data, []byte("<path")) {
		t.Errorf("%s %v", draft.Brand.Wappen.Data, err)
	}
	save(t, d, func(f *branding.Form) { f.Wappen.Remove = true })
	if draft, _, err = d.Draft(t.Context()); err != nil || !draft.Brand.Wappen.IsZero() {
		t.Errorf("not removed: %v", err)
	}
}

func TestTwoEditors(t *testing.T) {
	d, _, _ := newDesk(t)
	draft, _, err := d.Draft(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := form(draft)
	save(t, d, func(f *branding.Form) { f.Brand.Greeting = "Erste" })
	if _, _, err := d.Save(t.Context(), "zweite", f); !errors.Is(err, branding.ErrOutdated) {
		t.Errorf("the second editor has overwritten the first: %v", err)
	}
	if err := d.Discard(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := d.Draft(t.Context()); ok {
		t.Error("not discarded")
	}
}

// Only the last versions stay, with their pictures and no others.
func TestPrune(t *testing.T) {
	d, _, st := newDesk(t)
	for i := range 25 {
		save(t, d, func(f *branding.Form) {
			f.Wappen = branding.Picture{Alt: "Wappen", Rights: true, Upload: []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 ` + string(rune('a'+i)) + `"/>`)}
		})
		if _, err := d.Publish(t.Context(), "leitung"); err != nil {
			t.Fatal(err)
		}
	}
	pictures := 0
	if err := st.Scan(t.Context(), "branding/picture/", func(string, []byte) bool { pictures++; return true }); err != nil {
		t.Fatal(err)
	}
	if all, _ := d.Versions(t.Context()); len(all) != 21 || pictures != 20 {
		t.Errorf("%d versions and %d pictures", len(all), pictures)
	}
}

// Another replica shows within seconds what this one publishes.
func TestReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _, st := newDesk(t)
		other := &stage{brand: start()}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			_ = branding.New(branding.Config{Store: st, Start: start(), Show: other.show}).Run(ctx)
		})
		save(t, d, func(f *branding.Form) { f.Brand.Name = "Stadt Bissendorf" })
		if _, err := d.Publish(t.Context(), "leitung"); err != nil {
			t.Fatal(err)
		}
		<-time.After(4 * time.Second)
		if other.name() != "Stadt Bissendorf" {
			t.Errorf("shown is %q", other.name())
		}
		cancel()
		wg.Wait()
	})
}
