package staff

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation/store"
)

func open(t *testing.T) (*Staff, *time.Time) {
	t.Helper()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	return New(store.NewMemory(clock), clock), &now
}

func TestRoles(t *testing.T) {
	var r Roles
	if err := r.UnmarshalText([]byte("leitung,redaktion")); err != nil || r != Leitung|Redaktion || r.String() != "redaktion,leitung" {
		t.Errorf("%v %v", r, err)
	}
	if err := r.UnmarshalText([]byte("chef")); !errors.Is(err, ErrRole) {
		t.Error(err)
	}
	if err := r.UnmarshalText(nil); err != nil || r != 0 {
		t.Errorf("%v %v", r, err)
	}
	if Redaktion.Any(Verbund|Leitung) || !Leitung.Any(Everyone) || len(Everyone.Single()) != 3 {
		t.Error("sets")
	}
}

// What a provider says counts at each login; an invited account keeps the
// roles it was given.
func TestAdmit(t *testing.T) {
	s, _ := open(t)
	l := Login{"https://op.example", "42"}
	if _, err := s.Admit(t.Context(), l, "A. Muster", 0); !errors.Is(err, ErrNoRole) {
		t.Error(err)
	}
	a, err := s.Admit(t.Context(), l, " A.  Muster\x00", Verbund)
	if err != nil || a.Roles != Verbund || a.Name != "A. Muster" || !a.ByProvider {
		t.Fatalf("%+v %v", a, err)
	}
	b, err := s.Admit(t.Context(), l, "A. Neu", Leitung)
	if err != nil || b.ID != a.ID || b.Roles != Leitung || b.Name != "A. Neu" {
		t.Errorf("%+v %v", b, err)
	}
	if _, err := s.Admit(t.Context(), l, "A. Neu", 0); !errors.Is(err, ErrNoRole) {
		t.Errorf("lost its last role at the provider, still in: %v", err)
	}
	if _, err := s.SetRoles(t.Context(), a.ID, Redaktion); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Admit(t.Context(), l, "A. Neu", Leitung); err != nil || c.Roles != Redaktion {
		t.Errorf("roles set by hand were overwritten: %+v %v", c, err)
	}
	if _, err := s.Lock(t.Context(), a.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Admit(t.Context(), l, "A. Neu", Leitung); !errors.Is(err, ErrLocked) {
		t.Error(err)
	}
}

// Of fifty who open one link at the same moment, one gets in.
func TestLinkIsUsedOnce(t *testing.T) {
	s, now := open(t)
	secret, expires, err := s.Link(t.Context())
	if err != nil || !expires.Equal(now.Add(LinkLife)) {
		t.Fatal(expires, err)
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	in := 0
	for range 50 {
		wg.Go(func() {
			if a, err := s.Redeem(t.Context(), secret); err == nil && a.Console() {
				mu.Lock()
				in++
				mu.Unlock()
			} else if !errors.Is(err, ErrLinkUsed) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if in != 1 {
		t.Errorf("%d got in", in)
	}
	invited, code, _, err := s.Invite(t.Context(), "B", Redaktion)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Redeem(t.Context(), code); !errors.Is(err, ErrLinkUnknown) {
		t.Errorf("an invitation lets in without a login: %v", err)
	}
	if _, err := s.Invited(t.Context(), secret); !errors.Is(err, ErrLinkUnknown) {
		t.Error(err)
	}
	*now = now.Add(InvitationLife)
	if _, err := s.Accept(t.Context(), code, Login{"i", "s"}); !errors.Is(err, ErrLinkExpired) {
		t.Errorf("%+v %v", invited, err)
	}
}

// A login belongs to one account; a second invitation does not move it.
func TestAcceptRefusesATakenLogin(t *testing.T) {
	s, _ := open(t)
	l := Login{"i", "s"}
	for i, want := range []error{nil, ErrTaken} {
		_, code, _, err := s.Invite(t.Context(), "B", Redaktion)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Accept(t.Context(), code, l); !errors.Is(err, want) {
			t.Errorf("%d: %v, want %v", i, err, want)
		}
		if i == 1 {
			if _, err := s.Accept(t.Context(), code, Login{"i", "other"}); err != nil {
				t.Errorf("the refusal has used the invitation up: %v", err)
			}
		}
	}
}

func TestNames(t *testing.T) {
	s, _ := open(t)
	for _, name := range []string{"", " ", "a\nb", strings.Repeat("ä", 101), "\xff"} {
		if _, _, _, err := s.Invite(t.Context(), name, Redaktion); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, _, _, err := s.Invite(t.Context(), "A", 0); !errors.Is(err, ErrNoRole) {
		t.Error(err)
	}
}

// The store holds no secret that a browser or a link holds.
func TestStoreHoldsNoSecrets(t *testing.T) {
	s, _ := open(t)
	secret, _, err := s.Link(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := NewSessions(s, true).Start(t.Context(), w, httptest.NewRequest(http.MethodGet, "/", nil), Account{ID: ConsoleID}); err != nil {
		t.Fatal(err)
	}
	cookie := w.Result().Cookies()[0].Value
	err = s.store.Scan(t.Context(), "", func(key string, b []byte) bool {
		for _, x := range []string{secret, cookie} {
			if strings.Contains(key+string(b), x) {
				t.Errorf("%s holds a secret", key)
			}
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
}
