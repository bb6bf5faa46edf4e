package upstream

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation/clocktest"
	"rathausnetz/federation/store"
	"rathausnetz/sso"
)

func newLinks(t *testing.T) (*Links, *clocktest.Clock) {
	t.Helper()
	c := clocktest.At(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	return must(NewLinks(store.NewMemory(c.Now), c.Now))(t), c
}

func person(issuer, sub, email string) *Person {
	return &Person{Upstream: "konto", Issuer: issuer, Subject: sub, Claims: sso.Claims{Name: "Erika Mustermann", Email: email}}
}

func account(t *testing.T, l *Links, p *Person) string {
	t.Helper()
	id, _, err := l.Account(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAccountIsTheSameAgain(t *testing.T) {
	l, _ := newLinks(t)
	p := person("https://a.example", "1", "e@x.example")
	id, created, err := l.Account(context.Background(), p)
	if err != nil || !created {
		t.Fatalf("first visit: created %v, %v", created, err)
	}
	again, created, err := l.Account(context.Background(), p)
	if err != nil || created || again != id {
		t.Errorf("second visit: %s after %s, created %v, %v", again, id, created, err)
	}
}

func TestE73_EqualEmailNeverLinks(t *testing.T) {
	l, _ := newLinks(t)
	a := account(t, l, person("https://a.example", "1", "erika@x.example"))
	b := account(t, l, person("https://b.example", "1", "erika@x.example"))
	if a == b {
		t.Error("two sources with one e-mail address gave one account")
	}
}

func TestE75_SubjectChangedUpstream(t *testing.T) {
	l, _ := newLinks(t)
	a := account(t, l, person("https://a.example", "1", "erika@x.example"))
	b := account(t, l, person("https://a.example", "2", "erika@x.example"))
	if a == b {
		t.Error("another subject of the same name was merged")
	}
	// The boundary between issuer and subject cannot be moved.
	c := account(t, l, person("https://a.example/1", "", ""))
	d := account(t, l, person("https://a.example", "/1", ""))
	if c == d {
		t.Error("issuer and subject run together")
	}
}

func TestLinkWhileSignedInAtBothSides(t *testing.T) {
	ctx := context.Background()
	l, _ := newLinks(t)
	a := person("https://a.example", "1", "")
	id := account(t, l, a)
	value := must(l.Offer(ctx, id, "session"))(t)
	b := person("https://b.example", "9", "")
	got, err := l.Accept(ctx, value, "session", b)
	if err != nil || got != id {
		t.Fatalf("linked to %q, %v", got, err)
	}
	if account(t, l, b) != id || account(t, l, a) != id {
		t.Error("the two identities are not one account")
	}
	list := must(l.List(ctx, id))(t)
	if len(list) != 2 {
		t.Fatalf("%d identities are listed, want 2", len(list))
	}
	if err := l.Remove(ctx, id, list[1].Key, false); err != nil {
		t.Fatal(err)
	}
	if account(t, l, b) == id {
		t.Error("the removed identity still opens the account")
	}
	if err := l.Remove(ctx, id, list[0].Key, false); !errors.Is(err, ErrLast) {
		t.Errorf("the last way in was removed: %v", err)
	}
	if err := l.Forget(ctx, id); err != nil {
		t.Fatal(err)
	}
	if account(t, l, a) == id {
		t.Error("a deleted account came back")
	}
}

func TestE74_LinkOffer(t *testing.T) {
	ctx := context.Background()
	b := person("https://b.example", "9", "")
	for name, use := range map[string]func(l *Links, c *clocktest.Clock, value string) error{
		"another session": func(l *Links, _ *clocktest.Clock, v string) error { _, err := l.Accept(ctx, v, "other", b); return err },
		"no session":      func(l *Links, _ *clocktest.Clock, v string) error { _, err := l.Accept(ctx, v, "", b); return err },
		"guessed": func(l *Links, _ *clocktest.Clock, v string) error {
			_, err := l.Accept(ctx, guess(v), "session", b)
			return err
		},
		"empty": func(l *Links, _ *clocktest.Clock, _ string) error {
			_, err := l.Accept(ctx, "", "session", b)
			return err
		},
		"after 10 minutes": func(l *Links, c *clocktest.Clock, v string) error {
			c.Add(10 * time.Minute)
			_, err := l.Accept(ctx, v, "session", b)
			return err
		},
		"twice": func(l *Links, _ *clocktest.Clock, v string) error {
			if _, err := l.Accept(ctx, v, "session", b); err != nil {
				return err
			}
			_, err := l.Accept(ctx, v, "session", person("https://c.example", "1", ""))
			return err
		},
		"used in another session before": func(l *Links, _ *clocktest.Clock, v string) error {
			if _, err := l.Accept(ctx, v, "other", b); !errors.Is(err, ErrNoOffer) {
				return err
			}
			_, err := l.Accept(ctx, v, "session", b)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			l, c := newLinks(t)
			id := account(t, l, person("https://a.example", "1", ""))
			value := must(l.Offer(ctx, id, "session"))(t)
			if err := use(l, c, value); !errors.Is(err, ErrNoOffer) {
				t.Errorf("got %v, want ErrNoOffer", err)
			}
		})
	}
	t.Run("identity has an account already", func(t *testing.T) {
		l, _ := newLinks(t)
		id := account(t, l, person("https://a.example", "1", ""))
		theirs := account(t, l, b)
		value := must(l.Offer(ctx, id, "session"))(t)
		if _, err := l.Accept(ctx, value, "session", b); !errors.Is(err, ErrLinked) {
			t.Errorf("got %v, want ErrLinked", err)
		}
		if account(t, l, b) != theirs {
			t.Error("the identity changed hands")
		}
		if n := len(must(l.List(ctx, id))(t)); n != 1 {
			t.Errorf("%d identities are listed, want 1", n)
		}
	})
	t.Run("offer without a login", func(t *testing.T) {
		l, _ := newLinks(t)
		if _, err := l.Offer(ctx, "", "session"); !errors.Is(err, ErrNoOffer) {
			t.Errorf("no account: %v", err)
		}
		if _, err := l.Offer(ctx, "a", ""); !errors.Is(err, ErrNoOffer) {
			t.Errorf("no session: %v", err)
		}
	})
}

func TestFirstVisitAtTwoReplicas(t *testing.T) {
	l, _ := newLinks(t)
	p := person("https://a.example", "1", "")
	var mu sync.Mutex
	var wg sync.WaitGroup
	ids := map[string]int{}
	for range 20 {
		wg.Go(func() {
			id, _, err := l.Account(context.Background(), p)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[id]++
		})
	}
	wg.Wait()
	if len(ids) != 1 {
		t.Errorf("%d accounts for one person", len(ids))
	}
	for id := range ids {
		if n := len(must(l.List(context.Background(), id))(t)); n != 1 {
			t.Errorf("%d identities are listed, want 1", n)
		}
	}
}

func TestAccountHasABoundedNumberOfIdentities(t *testing.T) {
	ctx := context.Background()
	l, _ := newLinks(t)
	id := account(t, l, person("https://a.example", "0", ""))
	for i := range maxLinks {
		value := must(l.Offer(ctx, id, "s"))(t)
		_, err := l.Accept(ctx, value, "s", person("https://a.example", string(rune('A'+i)), ""))
		if (i == maxLinks-1) != (err != nil) {
			t.Fatalf("identity %d: %v", i+2, err)
		}
	}
}

// guess changes the last character.
func guess(v string) string {
	if v[len(v)-1] == 'A' {
		return v[:len(v)-1] + "B"
	}
	return v[:len(v)-1] + "A"
}
