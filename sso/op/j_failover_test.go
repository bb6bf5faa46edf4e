package op_test

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"rathausnetz/federation/store"
	"rathausnetz/federation/store/storetest"
	"rathausnetz/sso/op"
)

// TestJ147_SentinelFailsOverDuringLogins: the Redis master is killed while many
// people sign in. No code is redeemed twice on either side of the failover, who
// cannot be served is told 503 with Retry-After, and logins go on by themselves
// once a replica has become the master and has a replica of its own.
func TestJ147_SentinelFailsOverDuringLogins(t *testing.T) {
	s := storetest.StartSentinel(t)
	r, err := store.OpenRedis(t.Context(), store.RedisConfig{Addrs: s.Addrs, Master: s.Name, Replicas: 1})
	must(t, err)
	t.Cleanup(func() { must(t, r.Close()) })
	f := newFixture(t, withStore(r), withAccounts(instant{}))
	p := f.member("Melle")

	var mu sync.Mutex
	seen := map[string]int{} // code → how often it gave tokens
	var codes []string
	redeem := func(code string) {
		a := p.post(op.TokenPath, p.redeemForm(code))
		mu.Lock()
		defer mu.Unlock()
		switch {
		case a.status == http.StatusOK:
			seen[code]++
		case a.status == http.StatusServiceUnavailable && a.header.Get("Retry-After") != "":
		case a.errorCode() == "invalid_grant", a.errorCode() == "invalid_client":
			// spent by an attempt whose answer was lost, or its assertion was
		default:
			t.Errorf("token: %d %s", a.status, a.body)
		}
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				b := f.browser()
				code := p.tryCode(b)
				if code == "" {
					continue // refused with 503, which tryCode has checked
				}
				mu.Lock()
				codes = append(codes, code)
				mu.Unlock()
				redeem(code)
				redeem(code) // a thief, or a retry
			}
		})
	}
	count := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, times := range seen {
			n += times
		}
		return n
	}
	storetest.AwaitFor(t, time.Minute, func(context.Context) bool { return count() >= 20 })
	s.Master.Kill(t)
	// The promoted replica has nobody to confirm its writes: it fails closed
	// until another one follows it.
	spare := storetest.StartRedis(t)
	storetest.AwaitFor(t, time.Minute, func(ctx context.Context) bool { return s.Follow(ctx, spare) })
	before := count()
	storetest.AwaitFor(t, time.Minute, func(context.Context) bool { return count() >= before+20 })
	close(stop)
	wg.Wait()
	for _, c := range codes { // on the other side of the failover
		redeem(c)
	}
	for code, times := range seen {
		if times > 1 {
			t.Errorf("code %.6s… gave tokens %d times", code, times)
		}
	}
	t.Logf("%d codes, %d redeemed, %d of them before the master died", len(codes), len(seen), before)
}

// tryCode is code for a provider that may be away: "" if any step was answered
// with 503 and Retry-After.
func (p *party) tryCode(b *browser) string {
	p.f.t.Helper()
	form := p.request()
	a := p.post(op.PARPath, form)
	if a.status == http.StatusServiceUnavailable {
		p.wantRetry(a.header)
		return ""
	}
	if a.status != http.StatusCreated {
		p.f.t.Errorf("PAR: %d %s", a.status, a.body)
		return ""
	}
	s := b.authorize(url.Values{"client_id": {p.id}, "request_uri": {a.json["request_uri"].(string)}})
	for range 3 {
		switch {
		case s.status == http.StatusServiceUnavailable:
			p.wantRetry(s.header)
			return ""
		case s.page.Kind == "login":
			s = b.login(s, "probe", "x")
		case s.page.Kind == "confirm":
			s = b.confirm(s, "yes")
		default:
			return s.query.Get("code") // "": a step's answer was lost, and it says so
		}
	}
	return s.query.Get("code")
}

func (p *party) wantRetry(h http.Header) {
	p.f.t.Helper()
	if h.Get("Retry-After") == "" {
		p.f.t.Error("503 without Retry-After")
	}
}
