package links

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rathausnetz/federation/trust"
)

// host is what is known of one host between two requests. Who holds turn may
// send one and may touch the rest.
type host struct {
	turn   chan struct{} // capacity 1
	last   time.Time     // end of the last request
	delay  time.Duration
	robots map[string]fetched // by origin
}

type fetched struct {
	rules
	until time.Time
}

// at takes the turn of a host; the caller gives it back.
func (c *Checker) at(ctx context.Context, u *url.URL) (*host, error) {
	name := strings.ToLower(u.Hostname())
	c.mu.Lock()
	h := c.hosts[name]
	if h == nil {
		h = &host{turn: make(chan struct{}, 1), robots: map[string]fetched{}}
		c.hosts[name] = h
	}
	c.mu.Unlock()
	select {
	case h.turn <- struct{}{}:
		return h, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// probe visits an address and where it leads on, HEAD before GET.
func (c tour) probe(ctx context.Context, u *url.URL) outcome {
	moved := "" // where the chain of permanent redirects from the beginning leads
	lasting := true
	begin := u
	for range maxHops + 1 {
		o, next, permanent := c.step(ctx, u)
		if next == nil {
			switch {
			case o.reason == Fine && moved != "":
				return outcome{reason: Moved, status: o.status, detail: moved}
			case o.reason == Fine && !strings.EqualFold(begin.Hostname(), u.Hostname()):
				return outcome{reason: Elsewhere, status: o.status, detail: u.Hostname()}
			}
			o.hostSilent = o.hostSilent && u == begin
			return o
		}
		if lasting = lasting && permanent; lasting {
			moved = next.String()
		}
		u = next
	}
	return outcome{reason: Loop}
}

// step asks one address; next is where it redirects to.
func (c tour) step(ctx context.Context, u *url.URL) (o outcome, next *url.URL, permanent bool) {
	h, err := c.at(ctx, u)
	if err != nil {
		return outcome{reason: NoAnswer}, nil, false
	}
	defer func() { <-h.turn }()
	if !c.own(u) {
		rs, err := c.robots(ctx, h, u)
		if err != nil {
			o := failure(err)
			o.hostSilent = o.reason == NoAnswer || o.reason == Internal
			return o, nil, false
		}
		if !rs.allows(u.RequestURI()) {
			return outcome{reason: Robots}, nil, false
		}
	}
	resp, took, err := c.ask(ctx, h, http.MethodHead, u)
	if err != nil || resp.StatusCode >= 400 { // many servers know GET only
		resp, took, err = c.ask(ctx, h, http.MethodGet, u)
	}
	if err != nil {
		return failure(err), nil, false
	}
	if to := target(u, resp); to != nil {
		return outcome{}, to, resp.StatusCode == http.StatusMovedPermanently || resp.StatusCode == http.StatusPermanentRedirect
	}
	o = outcome{reason: reasonOf(resp.StatusCode), status: resp.StatusCode, retryAfter: retryAfter(resp, c.now)}
	if o.reason == Fine && took > slowAfter {
		o.reason = Slow
	}
	return o, nil, false
}

// own reports whether u is this node's own portal.
func (c *Checker) own(u *url.URL) bool {
	return strings.EqualFold(u.Scheme+"://"+u.Host, c.cfg.Self.Origin())
}

// ask sends one request and throws away the body. It needs the turn of h.
func (c *Checker) ask(ctx context.Context, h *host, method string, u *url.URL) (*http.Response, time.Duration, error) {
	resp, _, took, err := c.send(ctx, h, method, u, maxRead)
	return resp, took, err
}

func (c *Checker) send(ctx context.Context, h *host, method string, u *url.URL, most int64) (*http.Response, []byte, time.Duration, error) {
	if err := c.pause(ctx, h, u); err != nil {
		return nil, nil, 0, err
	}
	defer func() { h.last = time.Now() }()
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, nil, 0, err
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", "*/*")
	begin := time.Now()
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, nil, 0, err
	}
	defer resp.Body.Close()
	took := time.Since(begin)
	b, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		c.cfg.Log.Debug("answer broke off", "url", u.Hostname(), "err", err) // the status is what counts
	}
	return resp, b, took, nil
}

// pause waits until the host has had its rest.
func (c *Checker) pause(ctx context.Context, h *host, u *url.URL) error {
	wait := time.Until(h.last.Add(max(c.cfg.Pause, h.delay)))
	if h.last.IsZero() || wait <= 0 || c.own(u) {
		return ctx.Err()
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// robots returns what the origin of u asks of visitors. A file that is not
// there allows all; one that the server cannot give forbids all; a server that
// does not answer at all is an error [RFC 9309 §2.3.1].
func (c tour) robots(ctx context.Context, h *host, u *url.URL) (rules, error) {
	origin := u.Scheme + "://" + strings.ToLower(u.Host)
	if f, ok := h.robots[origin]; ok && c.now.Before(f.until) {
		return f.rules, nil
	}
	at := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/robots.txt"}
	var rs rules
	for range maxHops {
		resp, b, _, err := c.send(ctx, h, http.MethodGet, at, maxRobots)
		if err != nil {
			return rs, err
		}
		if to := target(at, resp); to != nil {
			if strings.EqualFold(to.Hostname(), at.Hostname()) {
				at = to
				continue
			}
			break // another host's rules are not this one's
		}
		switch {
		case resp.StatusCode < 300:
			rs = parseRobots(b)
		case resp.StatusCode >= 500:
			rs.none = true
		}
		break
	}
	h.delay = rs.delay
	if len(h.robots) >= 16 { // ports of one host
		clear(h.robots)
	}
	h.robots[origin] = fetched{rules: rs, until: c.now.Add(robotsFor)}
	return rs, nil
}

// target is where an answer redirects to, nil if it does not or to no web
// address.
func target(from *url.URL, resp *http.Response) *url.URL {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	to, err := from.Parse(resp.Header.Get("Location"))
	if err != nil || to.Scheme != "https" && to.Scheme != "http" || to.Hostname() == "" || to.User != nil || len(to.String()) > 2048 || resp.Header.Get("Location") == "" {
		return nil
	}
	to.Fragment, to.RawFragment = "", ""
	return to
}

// retryAfter reads how long a server wants to be left alone [RFC 9110 §10.2.3].
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	v := resp.Header.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s > 0 {
		return min(time.Duration(min(s, 1<<30))*time.Second, longestBreak)
	}
	if t, err := http.ParseTime(v); err == nil && t.After(now) {
		return min(t.Sub(now), longestBreak)
	}
	return 0
}

// failure tells apart why there was no answer.
func failure(err error) outcome {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.Is(err, trust.ErrAddress):
		return outcome{reason: Internal}
	case errors.As(err, &verify), errors.As(err, &unknown), errors.As(err, &name), errors.As(err, &invalid):
		return outcome{reason: Certificate}
	}
	return outcome{reason: NoAnswer}
}
