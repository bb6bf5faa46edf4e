package trust

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"rathausnetz/federation"
)

// The answers of a trust mark status endpoint [OIDF §8.4.2].
const (
	MarkActive  = "active"
	MarkExpired = "expired"
	MarkRevoked = "revoked"
	MarkInvalid = "invalid"
)

// MarkStatus asks the issuer of c's membership mark whether it still holds
// [OIDF §8.4]. A chain proves what was true when it was signed; ask before
// anything at the level hoch [SSO.md §3]. nil means active now. Errors wrap
// ErrMark for any other status, or say why there is no answer; no answer is
// not "active".
func (r *Resolver) MarkStatus(ctx context.Context, c *Chain) error {
	mark, ok := c.Membership()
	if !ok {
		return refuse(ErrMark, "entity configuration of "+string(c.Leaf), "a membership mark", nil)
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Limits.Timeout)
	defer cancel()
	issuer, err := r.Resolve(ctx, mark.Issuer)
	if err != nil {
		return err
	}
	entity, _, err := issuer.Metadata.Entity()
	if err != nil {
		return err
	}
	label := "trust mark status of " + string(c.Leaf)
	if entity.TrustMarkStatusEndpoint == "" {
		return refuse(ErrFetch, label, "the issuer has a status endpoint [OIDF §8.4]", mark.Issuer)
	}
	compact, err := r.postStatus(ctx, entity.TrustMarkStatusEndpoint, mark.Compact)
	if err != nil {
		return err
	}
	t, err := r.reader(r.cfg.Now()).door.Open(compact, []string{TypeMarkStatus}, issuer.Keys)
	if err != nil {
		return refuse(err, label, "signature of the issuer [OIDF §8.4.2]", nil)
	}
	var answer struct {
		Issuer federation.EntityID `json:"iss"`
		Mark   string              `json:"trust_mark"`
		Status string              `json:"status"`
	}
	if err := t.Into(&answer); err != nil {
		return refuse(err, label, "claims [OIDF §8.4.2]", nil)
	}
	if err := fresh(t, r); err != nil {
		return refuse(err, label, "iat [OIDF §8.4.2]", nil)
	}
	if answer.Issuer != mark.Issuer || answer.Mark != mark.Compact {
		return refuse(ErrMark, label, "an answer about this mark [OIDF §8.4.2]", answer.Issuer)
	}
	if answer.Status != MarkActive {
		return refuse(ErrMark, label, "active [OIDF §8.4.2]", answer.Status)
	}
	return nil
}

// fresh refuses an answer that was recorded earlier.
func fresh(t *Token, r *Resolver) error {
	var c struct {
		IssuedAt *Seconds `json:"iat"`
	}
	if err := t.Into(&c); err != nil {
		return err
	}
	if c.IssuedAt == nil {
		return fmt.Errorf("%w: iat missing", ErrClaims)
	}
	switch age := r.cfg.Now().Sub(c.IssuedAt.Time()); {
	case age > 2*clockSkew:
		return fmt.Errorf("%w: the answer is %s old", ErrExpired, age)
	case age < -clockSkew:
		return ErrNotYet
	}
	return nil
}

func (r *Resolver) postStatus(ctx context.Context, endpoint, mark string) (string, error) {
	form := url.Values{"trust_mark": {mark}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return "", refuse(ErrFetch, endpoint, "address", nil)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := r.client.Do(req)
	if err != nil {
		return "", fetchError(endpoint, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, r.cfg.Limits.Bytes))
	if err != nil {
		return "", fetchError(endpoint, err)
	}
	media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case res.StatusCode == http.StatusNotFound:
		return "", refuse(ErrMark, endpoint, "the issuer knows the mark [OIDF §8.4.2]", nil)
	case res.StatusCode != http.StatusOK || media != "application/"+TypeMarkStatus:
		return "", refuse(ErrFetch, endpoint, "status 200 [OIDF §8.4.2]", res.StatusCode)
	}
	return string(body), nil
}
