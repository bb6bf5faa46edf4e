package anchor

import (
	"errors"
	"fmt"
	"mime"
	"net/http"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

// serveMark answers with a fresh membership mark [OIDF §8.6].
func (a *Anchor) serveMark(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r, []string{"sub", "trust_mark_type"})
	if err != nil {
		return err
	}
	id, err := a.subject(q)
	if err != nil {
		return err
	}
	typ, err := a.markType()
	if err != nil {
		return err
	}
	if q.Get("trust_mark_type") != typ {
		return fmt.Errorf("%w: trust_mark_type must be %s", ErrRequest, typ)
	}
	m, err := a.active(r.Context(), id)
	if err != nil {
		return err
	}
	compact, err := a.mark(m)
	if err != nil {
		return err
	}
	answerToken(w, trust.TypeMark, compact)
	return nil
}

// maxMarkForm bounds the body of a status request, in bytes.
const maxMarkForm = 64 << 10

// serveMarkStatus says whether a mark still holds [OIDF §8.4]. A mark that
// this hub did not issue is unknown: 404.
func (a *Anchor) serveMarkStatus(w http.ResponseWriter, r *http.Request) error {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return fmt.Errorf("%w: a form is needed", errMediaType)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxMarkForm)
	var large *http.MaxBytesError
	if err := r.ParseForm(); errors.As(err, &large) {
		return fmt.Errorf("%w: at most %d bytes", errTooLarge, maxMarkForm)
	} else if err != nil || len(r.PostForm["trust_mark"]) != 1 {
		return fmt.Errorf("%w: one form parameter trust_mark is required", ErrRequest)
	}
	compact := r.PostForm.Get("trust_mark")
	status, err := a.markStatus(r, compact)
	if err != nil {
		return err
	}
	key, err := a.signer()
	if err != nil {
		return err
	}
	answer, err := trust.Sign(key, trust.TypeMarkStatus, map[string]any{
		"iss": a.cfg.Self, "iat": trust.At(a.cfg.Now()), "trust_mark": compact, "status": status,
	})
	if err != nil {
		return err
	}
	answerToken(w, trust.TypeMarkStatus, answer)
	return nil
}

func (a *Anchor) markStatus(r *http.Request, compact string) (string, error) {
	t, err := trust.Peek(compact, trust.TypeMark)
	if err != nil {
		return "", fmt.Errorf("%w: not a trust mark", ErrNotMember)
	}
	var head trust.MarkClaims
	if err := t.Into(&head); err != nil || head.Issuer != a.cfg.Self {
		return "", fmt.Errorf("%w: not issued here", ErrNotMember)
	}
	typ, err := a.markType()
	if err != nil {
		return "", err
	}
	c, err := trust.OpenMark(compact, a.cfg.Keys().FederationJWKS(), a.cfg.Now())
	switch {
	case errors.Is(err, trust.ErrExpired):
		return "expired", nil
	case err != nil || c.Type != typ:
		return "invalid", nil
	case c.Subject == a.cfg.Self:
		return "active", nil
	}
	m, err := a.active(r.Context(), c.Subject)
	switch {
	case errors.Is(err, ErrNotMember), err == nil && m.Generation != c.Generation:
		return "revoked", nil
	case err != nil:
		return "", err
	}
	return "active", nil
}

// serveMarkList answers with the IDs that hold an active mark [OIDF §8.5].
func (a *Anchor) serveMarkList(w http.ResponseWriter, r *http.Request) error {
	q, err := query(r, []string{"trust_mark_type", "sub"})
	if err != nil {
		return err
	}
	if !q.Has("trust_mark_type") {
		return fmt.Errorf("%w: trust_mark_type is required", ErrRequest)
	}
	typ, err := a.markType()
	if err != nil {
		return err
	}
	ids := []federation.EntityID{}
	if q.Get("trust_mark_type") == typ {
		members, err := a.List(r.Context(), Filter{State: StateActive})
		if err != nil {
			return err
		}
		for _, m := range members {
			if !q.Has("sub") || q.Get("sub") == string(m.ID) {
				ids = append(ids, m.ID)
			}
		}
	}
	answerJSON(w, http.StatusOK, ids)
	return nil
}
