package op

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/sso"
	"rathausnetz/sso/op/ledger"
	"rathausnetz/sso/op/protocol"
)

// Limits of back-channel logout [BCLOGOUT §2.5], [SSO.md §10 F88].
const (
	tellTimeout  = 2 * time.Second // what a person waits for at most
	tellAtOnce   = 32
	maxTellBody  = 4 << 10 // bytes of an answer that are read
	logoutLife   = 2 * time.Minute
	noticePrefix = "op/notice/"
	noticeLife   = time.Hour
	firstRetry   = 5 * time.Second
	maxTries     = 8
	lookEvery    = 30 * time.Second // for notices that another replica has left
)

// notice is a logout that a portal has to be told.
type notice struct {
	Client  string    `json:"client"`
	Name    string    `json:"name"`
	Subject string    `json:"sub"`
	SID     string    `json:"sid"`
	Tries   int       `json:"tries"`
	Next    time.Time `json:"next"`
}

// errFinal is an answer that trying again does not change.
var errFinal = errors.New("op: portal refused the logout token")

// End ends one session by its key and tells every portal of it; it returns
// after at most two seconds with what each has answered. Portals that were not
// reached are tried again by Run.
func (o *OP) End(ctx context.Context, key string) ([]sso.LogoutResult, error) {
	s, err := o.ledger.Close(ctx, key)
	if err != nil || s == nil {
		return nil, err
	}
	return o.tell(ctx, s), nil
}

// EndAll ends every session of an account, in all browsers.
func (o *OP) EndAll(ctx context.Context, account string) ([]sso.LogoutResult, error) {
	all, err := o.ledger.Sessions(ctx, account)
	var results []sso.LogoutResult
	for _, s := range all {
		one, oneErr := o.End(ctx, s.Key)
		results, err = append(results, one...), errors.Join(err, oneErr)
	}
	return results, err
}

// tell sends the logout to every portal of a session at once.
func (o *OP) tell(ctx context.Context, s *ledger.Session) []sso.LogoutResult {
	limit, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	results := make([]sso.LogoutResult, len(s.Parties))
	slots := make(chan struct{}, tellAtOnce)
	var wg sync.WaitGroup
	for i, party := range s.Parties {
		results[i].Portal = party.Name
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			n := notice{Client: party.Client, Name: party.Name, SID: o.names.SID(party.Client, s.ID)}
			err := o.deliver(limit, &n, s.Account)
			if err != nil {
				o.later(ctx, n, err)
			}
			results[i].OK = err == nil
		})
	}
	wg.Wait()
	return results
}

// deliver sends one logout token. account is needed the first time only, to
// name the subject.
func (o *OP) deliver(ctx context.Context, n *notice, account string) error {
	c, err := o.c.Clients.Client(ctx, n.Client)
	if errors.Is(err, ErrUnknownClient) {
		return fmt.Errorf("%w: %w", errFinal, err)
	}
	if err != nil {
		return err
	}
	if n.Subject == "" {
		n.Subject = o.names.Subject(c.SectorOf(), account)
	}
	if c.BackchannelLogoutURI == "" {
		return fmt.Errorf("%w: it has no backchannel_logout_uri", errFinal)
	}
	token, err := o.logoutToken(n)
	if err != nil {
		return err
	}
	body := url.Values{"logout_token": {token}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BackchannelLogoutURI, strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: %w", errFinal, err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := o.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	// Read to the end, so that the connection can be used again, but no more
	// than a portal may say.
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxTellBody)); err != nil {
		return err
	}
	switch {
	case resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusNoContent:
		return nil
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("op: portal answered %d", resp.StatusCode)
	}
	return fmt.Errorf("%w: status %d", errFinal, resp.StatusCode)
}

// logoutClaims is a logout token [BCLOGOUT §2.4]; it has no nonce.
type logoutClaims struct {
	Issuer   string                    `json:"iss"`
	Subject  string                    `json:"sub"`
	Audience string                    `json:"aud"`
	IssuedAt trust.Seconds             `json:"iat"`
	Expires  trust.Seconds             `json:"exp"`
	JTI      string                    `json:"jti"`
	Events   map[string]map[string]any `json:"events"`
	SID      string                    `json:"sid"`
}

func (o *OP) logoutToken(n *notice) (string, error) {
	now := o.c.Now()
	return trust.Sign(o.signer(), protocol.TypLogout, logoutClaims{
		Issuer: string(o.c.Issuer), Subject: n.Subject, Audience: n.Client, SID: n.SID, JTI: ledger.Random(),
		IssuedAt: trust.At(now), Expires: trust.At(now.Add(logoutLife)),
		Events: map[string]map[string]any{"http://schemas.openid.net/event/backchannel-logout": {}},
	})
}

// later keeps a notice that did not arrive, unless it never will.
func (o *OP) later(ctx context.Context, n notice, why error) {
	o.c.Log.Warn("logout not delivered", "peer", n.Client, "err", why)
	if errors.Is(why, errFinal) || n.Subject == "" {
		return
	}
	n.Tries, n.Next = 1, o.c.Now().Add(firstRetry)
	b, err := json.Marshal(n)
	if err == nil {
		err = o.c.Store.Create(ctx, noticePrefix+ledger.Random(), b, noticeLife)
	}
	if err != nil {
		o.c.Log.Error("logout not kept for another try", "peer", n.Client, "err", err)
		return
	}
	select {
	case o.wake <- struct{}{}:
	default: // Run looks anyway
	}
}

// Run delivers again what did not arrive, until ctx ends. Without it logouts
// are tried once.
func (o *OP) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-o.wake:
		case <-timer.C:
		}
		timer.Reset(o.redeliver(ctx))
	}
}

// redeliver tries every notice that is due and returns when to look again.
func (o *OP) redeliver(ctx context.Context) time.Duration {
	var due []string
	next := lookEvery
	err := o.c.Store.Scan(ctx, noticePrefix, func(key string, b []byte) bool {
		var n notice
		if json.Unmarshal(b, &n) != nil {
			return true
		}
		if wait := n.Next.Sub(o.c.Now()); wait > 0 {
			next = min(next, wait)
		} else {
			due = append(due, key)
		}
		return true
	})
	if err != nil {
		if ctx.Err() == nil {
			o.c.Log.Error("notices not read", "err", err)
		}
		return next
	}
	for _, key := range due {
		next = min(next, o.again(ctx, key))
	}
	return next
}

// again tries one notice. It is postponed before it is sent, so that of
// several replicas one sends it.
func (o *OP) again(ctx context.Context, key string) time.Duration {
	var n notice
	wait := lookEvery
	err := o.c.Store.Update(ctx, key, func(old []byte) ([]byte, time.Duration, error) {
		n = notice{}
		if old == nil {
			return nil, 0, store.ErrNotFound
		}
		if err := json.Unmarshal(old, &n); err != nil || n.Tries >= maxTries {
			n = notice{}
			return nil, 0, nil // given up
		}
		if n.Next.After(o.c.Now()) {
			return nil, 0, store.ErrExists // another replica has it
		}
		wait = firstRetry << n.Tries
		n.Tries++
		n.Next = o.c.Now().Add(wait)
		b, err := json.Marshal(n)
		return b, noticeLife, err
	})
	if err != nil || n.Client == "" {
		return lookEvery
	}
	limit, cancel := context.WithTimeout(ctx, 2*tellTimeout)
	defer cancel()
	err = o.deliver(limit, &n, "")
	if err != nil && !errors.Is(err, errFinal) {
		return wait
	}
	if err := o.c.Store.Delete(context.WithoutCancel(ctx), key); err != nil { // it has arrived, also when we stop now
		o.c.Log.Error("notice not removed", "err", err)
	}
	return lookEvery
}
