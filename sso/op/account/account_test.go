package account_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/sso"
	"rathausnetz/sso/op/account"
)

const password = "lange-genug-1"

type fixture struct {
	*account.Accounts
	store *store.Memory
	ahead atomic.Int64
}

func open(t testing.TB, cost account.Cost) *fixture {
	t.Helper()
	f := &fixture{}
	now := func() time.Time { return time.Now().Add(time.Duration(f.ahead.Load())) }
	f.store = store.NewMemory(now)
	a, err := account.New(account.Config{Store: f.store, Now: now, Cost: cost})
	if err != nil {
		t.Fatal(err)
	}
	f.Accounts = a
	return f
}

var cheap = account.Cost{Memory: 64, Time: 1, Threads: 1}

func (f *fixture) add(t testing.TB, name string) *account.Account {
	t.Helper()
	a, err := f.Add(t.Context(), account.NewAccount{Username: name, Password: password, Claims: sso.Claims{Name: "Erika"}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (f *fixture) want(t *testing.T, user, pass, addr string, want error) {
	t.Helper()
	_, err := f.Check(t.Context(), user, pass, addr)
	if !errors.Is(err, want) {
		t.Fatalf("%s: got %v, want %v", user, err, want)
	}
}

func TestLifeOfAnAccount(t *testing.T) {
	f := open(t, cheap)
	a := f.add(t, " Erika ")
	if a.Username != "erika" || a.Level != federation.LevelBasis || !strings.HasPrefix(a.ID, "a-") {
		t.Fatalf("%+v", a)
	}
	if _, err := f.Add(t.Context(), account.NewAccount{Username: "ERIKA", Password: password}); !errors.Is(err, account.ErrExists) {
		t.Fatalf("second: %v", err)
	}
	f.want(t, "Erika", password, "", nil)
	f.want(t, "erika", "wrong", "", account.ErrWrong)
	f.want(t, "nobody", password, "", account.ErrWrong)
	if _, err := f.SetPassword(t.Context(), "erika", "ein-anderes-1"); err != nil {
		t.Fatal(err)
	}
	f.want(t, "erika", password, "", account.ErrWrong)
	f.want(t, "erika", "ein-anderes-1", "", nil)
	if _, err := f.Lock(t.Context(), "erika"); err != nil {
		t.Fatal(err)
	}
	f.want(t, "erika", "ein-anderes-1", "", account.ErrWrong)
	if got, err := f.Get(t.Context(), a.ID); err != nil || !got.Locked {
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := f.Unlock(t.Context(), "erika"); err != nil {
		t.Fatal(err)
	}
	f.want(t, "erika", "ein-anderes-1", "", nil)
	if all, err := f.List(t.Context()); err != nil || len(all) != 1 {
		t.Fatalf("%v %v", all, err)
	}
	if err := f.Delete(t.Context(), "erika"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Get(t.Context(), a.ID); !errors.Is(err, account.ErrNotFound) {
		t.Fatalf("deleted: %v", err)
	}
	if again := f.add(t, "erika"); again.ID == a.ID {
		t.Fatal("an ID was used again")
	}
	for _, err := range []error{
		second(f.Lock(t.Context(), "nobody")), second(f.SetPassword(t.Context(), "nobody", password)), f.Delete(t.Context(), "nobody"),
	} {
		if !errors.Is(err, account.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	}
}

func second(_ *account.Account, err error) error { return err }

func TestAddRefuses(t *testing.T) {
	f := open(t, cheap)
	for name, n := range map[string]account.NewAccount{
		"no name":        {Password: password},
		"short password": {Username: "a", Password: "short"},
		"long password":  {Username: "a", Password: strings.Repeat("p", 257)},
		"password=name":  {Username: "lange-genug-1", Password: password},
		"control":        {Username: "a\nb", Password: password},
		"long claim":     {Username: "a", Password: password, Claims: sso.Claims{Name: strings.Repeat("n", 201)}},
		"level":          {Username: "a", Password: password, Level: federation.LevelSubstanziell},
	} {
		if _, err := f.Add(t.Context(), n); !errors.Is(err, account.ErrInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGuessingOneAccount(t *testing.T) {
	f := open(t, cheap)
	f.add(t, "erika")
	for range 9 {
		f.want(t, "erika", "wrong", "", account.ErrWrong)
	}
	f.want(t, "erika", password, "", nil) // and the count begins anew
	for range 10 {
		f.want(t, "erika", "wrong", "", account.ErrWrong)
	}
	f.want(t, "erika", password, "", account.ErrTooMany)
	f.ahead.Add(int64(15*time.Minute + time.Second))
	f.want(t, "erika", password, "", nil)
}

func TestGuessingIsCountedForNamesThatDoNotExist(t *testing.T) {
	f := open(t, cheap)
	for range 10 {
		f.want(t, "nobody", "wrong", "", account.ErrWrong)
	}
	f.want(t, "nobody", "wrong", "", account.ErrTooMany)
}

func TestGuessingFromOneAddress(t *testing.T) {
	f := open(t, cheap)
	f.add(t, "erika")
	for i := range 100 {
		f.want(t, fmt.Sprint("name", i), "wrong", "addr", account.ErrWrong)
	}
	f.want(t, "erika", password, "addr", account.ErrTooMany)
	f.want(t, "erika", password, "other", nil)
}

// Guesses in parallel get no further than guesses in turn.
func TestGuessingInParallel(t *testing.T) {
	f := open(t, cheap)
	f.add(t, "erika")
	var tried atomic.Int32
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if _, err := f.Check(t.Context(), "erika", "wrong", ""); errors.Is(err, account.ErrWrong) {
				tried.Add(1)
			} else if !errors.Is(err, account.ErrTooMany) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := tried.Load(); n > 10 {
		t.Fatalf("%d guesses were looked at", n)
	}
}

func TestPasswordsAreStoredAsArgon2id(t *testing.T) {
	f := open(t, account.Cost{})
	f.add(t, "erika")
	found := false
	err := f.store.Scan(t.Context(), "", func(_ string, b []byte) bool {
		if strings.Contains(string(b), password) {
			t.Error("the password lies in the store")
		}
		found = found || strings.Contains(string(b), "$argon2id$v=19$m=19456,t=2,p=1$")
		return true
	})
	if err != nil || !found {
		t.Fatalf("no argon2id hash: %v", err)
	}
}

func BenchmarkPassword(b *testing.B) {
	f := open(b, account.Cost{})
	f.add(b, "erika")
	for b.Loop() {
		if _, err := f.Check(b.Context(), "erika", password, ""); err != nil {
			b.Fatal(err)
		}
	}
}

func TestRecovery(t *testing.T) {
	f := open(t, cheap)
	a := f.add(t, "erika")
	redeem := func(name, code, pass string, want error) {
		t.Helper()
		if _, err := f.Redeem(t.Context(), name, code, pass, ""); !errors.Is(err, want) {
			t.Fatalf("got %v, want %v", err, want)
		}
	}
	first, err := f.Code(t.Context(), "Erika")
	if err != nil || len(first) != 14 {
		t.Fatalf("%q %v", first, err)
	}
	code, err := f.Code(t.Context(), "erika")
	if err != nil {
		t.Fatal(err)
	}
	redeem("erika", first, "ein-neues-1", account.ErrWrong) // the second code ended it
	redeem("nobody", code, "ein-neues-1", account.ErrWrong)
	redeem("erika", code, "kurz", account.ErrInput) // and the code still holds
	redeem("erika", strings.ToLower(strings.ReplaceAll(code, "-", " ")), "ein-neues-1", nil)
	f.want(t, "erika", "ein-neues-1", "", nil)
	redeem("erika", code, "noch-eines-1", account.ErrWrong) // once

	late, err := f.Code(t.Context(), "erika")
	if err != nil {
		t.Fatal(err)
	}
	f.ahead.Add(int64(account.CodeLife + time.Second))
	redeem("erika", late, "noch-eines-1", account.ErrWrong)
	if _, err := f.Code(t.Context(), "nobody"); !errors.Is(err, account.ErrNotFound) {
		t.Fatal(err)
	}
	// Guessing codes is guessing.
	good, err := f.Code(t.Context(), "erika")
	if err != nil {
		t.Fatal(err)
	}
	for range 9 {
		redeem("erika", "AAAA-AAAA-AAAA", "noch-eines-1", account.ErrWrong)
	}
	var many *account.LimitError
	if _, err := f.Redeem(t.Context(), "erika", good, "noch-eines-1", ""); !errors.As(err, &many) || many.Minutes() != 15 {
		t.Fatalf("got %v, want a limit of 15 minutes", err)
	}
	f.ahead.Add(int64(15*time.Minute + time.Second))
	redeem("erika", good, "noch-eines-1", nil)
	// Nothing is left of a deleted account.
	if _, err := f.Code(t.Context(), "erika"); err != nil {
		t.Fatal(err)
	}
	f.want(t, "erika", "wrong", "", account.ErrWrong)
	if err := f.Delete(t.Context(), "erika"); err != nil {
		t.Fatal(err)
	}
	if err := f.store.Scan(t.Context(), "", func(key string, b []byte) bool {
		t.Errorf("left of %s: %s %s", a.ID, key, b)
		return true
	}); err != nil {
		t.Fatal(err)
	}
}
