package anchor

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
)

const (
	maxRequest   = 64 << 10 // bytes of a signed request
	requestLife  = 5 * time.Minute
	fetchTimeout = 10 * time.Second
)

// requestClaims are signed by an applicant or a member with its federation key.
type requestClaims struct {
	Issuer   federation.EntityID `json:"iss"`
	Audience federation.EntityID `json:"aud"`
	IssuedAt trust.Seconds       `json:"iat"`
	Expires  trust.Seconds       `json:"exp"`
	ID       string              `json:"jti"`
	Secret   string              `json:"secret,omitempty"` // base64url; join requests only
	Report   *Report             `json:"report,omitempty"` // reports only
}

// joinAnswer is signed by the hub: it vouches for the trust anchor's keys.
type joinAnswer struct {
	Issuer      federation.EntityID `json:"iss"`
	Audience    federation.EntityID `json:"aud"`
	IssuedAt    trust.Seconds       `json:"iat"`
	Expires     trust.Seconds       `json:"exp"`
	State       State               `json:"state"`
	Reason      string              `json:"reason,omitempty"`
	TrustAnchor federation.EntityID `json:"trust_anchor"`
	AnchorKeys  trust.JWKS          `json:"trust_anchor_jwks"`
}

// readRequest reads a signed request without verifying its signature.
func (a *Anchor) readRequest(w http.ResponseWriter, r *http.Request, most int64, typs ...string) (*trust.Token, requestClaims, error) {
	var c requestClaims
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(typs, trimApplication(media)) {
		return nil, c, fmt.Errorf("%w: application/%s is needed", errMediaType, typs[0])
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, c, fmt.Errorf("%w: at most %d bytes", errTooLarge, most)
	}
	if err != nil {
		return nil, c, fmt.Errorf("%w: body not readable", ErrRequest)
	}
	t, err := trust.Door{MaxBytes: int(most)}.Peek(string(b), []string{trimApplication(media)})
	if err != nil {
		return nil, c, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if err := t.Into(&c); err != nil {
		return nil, c, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if err := t.Check(a.cfg.Now()); err != nil {
		return nil, c, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	id, err := federation.ParseEntityID(string(c.Issuer), a.cfg.AllowLoopback)
	switch {
	case err != nil || id != c.Issuer || id == a.cfg.Self:
		return nil, c, fmt.Errorf("%w: iss must be the applicant's entity ID", ErrRequest)
	case c.Audience != a.cfg.Self:
		return nil, c, fmt.Errorf("%w: aud must be %s", ErrRequest, a.cfg.Self)
	case c.ID == "" || c.Expires.Time().Sub(a.cfg.Now()) > requestLife+time.Minute:
		return nil, c, fmt.Errorf("%w: jti and a life of at most %s are required", ErrRequest, requestLife)
	}
	return t, c, nil
}

func trimApplication(media string) string {
	const prefix = "application/"
	if len(media) > len(prefix) && media[:len(prefix)] == prefix {
		return media[len(prefix):]
	}
	return ""
}

// once refuses a request that was seen before. It is asked only after the
// signature was verified, so that strangers cannot burn a jti.
func (a *Anchor) once(ctx context.Context, c requestClaims) error {
	sum := sha256.Sum256([]byte(string(c.Issuer) + "\x00" + c.ID))
	err := a.cfg.Store.Create(ctx, "anchor/jti/"+hex.EncodeToString(sum[:]), []byte{1}, 2*requestLife)
	if errors.Is(err, store.ErrExists) {
		return ErrReplay
	}
	return err
}

// serveJoin takes join requests and questions about their state.
func (a *Anchor) serveJoin(w http.ResponseWriter, r *http.Request) error {
	t, c, err := a.readRequest(w, r, maxRequest, typeJoin, typeStatus)
	if err != nil {
		return err
	}
	p, err := a.place()
	if err != nil {
		return err
	}
	var m Member
	if t.Header.Type == typeJoin {
		m, err = a.join(r.Context(), t, c)
	} else {
		m, err = a.known(r.Context(), t, c)
	}
	if err != nil {
		return err
	}
	key, err := a.signer()
	if err != nil {
		return err
	}
	now := a.cfg.Now()
	compact, err := trust.Sign(key, typeAnswer, joinAnswer{
		Issuer: a.cfg.Self, Audience: m.ID, IssuedAt: trust.At(now), Expires: trust.At(now.Add(requestLife)),
		State: m.State, Reason: m.Reason, TrustAnchor: p.TrustAnchor, AnchorKeys: p.AnchorKeys,
	})
	if err != nil {
		return err
	}
	answerToken(w, typeAnswer, compact)
	return nil
}

// join admits an applicant to the waiting list. The order is cheap to dear:
// the secret is looked up before anything is fetched, and used up last, so
// that an applicant whose portal is not reachable yet can try again.
func (a *Anchor) join(ctx context.Context, t *trust.Token, c requestClaims) (Member, error) {
	secret, err := base64.RawURLEncoding.DecodeString(c.Secret)
	if err != nil || len(secret) != secretBytes {
		return Member{}, fmt.Errorf("%w: secret", ErrRequest)
	}
	if err := a.lookUp(ctx, secret); err != nil {
		return Member{}, err
	}
	config, err := a.control(ctx, t, c.Issuer)
	if err != nil {
		return Member{}, errors.Join(err, a.Note(ctx, "hub", "join-refused", string(c.Issuer), err.Error()))
	}
	if err := a.once(ctx, c); err != nil {
		return Member{}, err
	}
	if m, err := a.Show(ctx, c.Issuer); err == nil && (m.State == StateActive || m.State == StateSuspended) {
		return Member{}, fmt.Errorf("%s: %w", c.Issuer, ErrMember)
	}
	inv, err := a.redeem(ctx, secret, c.Issuer)
	if err != nil {
		return Member{}, err
	}
	m, err := a.update(ctx, c.Issuer, func(old *Member) (*Member, error) {
		m := &Member{ID: c.Issuer, Invitation: inv, State: StatePending, Keys: config.Keys, Requested: a.cfg.Now().UTC()}
		if old != nil {
			if old.State == StateActive || old.State == StateSuspended {
				return nil, ErrMember
			}
			m.Generation = old.Generation // former notices stay older than the new membership
		}
		m.Words = config.Keys.Only(t.Header.KeyID).Words()
		m.EntityTypes = slices.Sorted(maps.Keys(config.Metadata))
		return m, nil
	})
	if err != nil {
		return Member{}, err
	}
	a.cfg.Log.Info("join request waits for approval", "peer", m.ID)
	return m, a.Note(ctx, "hub", "join", string(m.ID), "waits for approval")
}

// control fetches the applicant's entity configuration from its public
// address and checks that it shows the key that signed the request: proof of
// control over the address [DESIGN §5].
func (a *Anchor) control(ctx context.Context, t *trust.Token, id federation.EntityID) (*trust.Statement, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	compact, err := trust.FetchConfiguration(ctx, a.client, id)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrControl, err)
	}
	s, err := trust.OpenConfiguration(compact, id, a.cfg.AllowLoopback, a.cfg.Now())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrControl, err)
	}
	if _, err := trust.Open(t.Compact, t.Header.Type, s.Keys); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrControl, err)
	}
	return s, nil
}

// known verifies a request of somebody in the registry with the stored keys.
func (a *Anchor) known(ctx context.Context, t *trust.Token, c requestClaims) (Member, error) {
	m, err := a.Show(ctx, c.Issuer)
	if err != nil {
		return Member{}, err
	}
	if _, err := trust.Open(t.Compact, t.Header.Type, m.Keys); err != nil {
		return Member{}, fmt.Errorf("%w: %w", ErrRequest, err)
	}
	return m, a.once(ctx, c)
}

// Recheck fetches a member's entity configuration again and takes over its
// federation keys, if it is signed with a key known here: how a member's key
// rotation reaches its statement.
func (a *Anchor) Recheck(ctx context.Context, id federation.EntityID) error {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	compact, err := trust.FetchConfiguration(ctx, a.client, id)
	if err != nil {
		return err
	}
	changed := false
	_, err = a.update(ctx, id, func(m *Member) (*Member, error) {
		if m == nil || m.State != StateActive {
			return nil, ErrNotMember
		}
		if _, err := trust.Open(compact, trust.TypeStatement, m.Keys); err != nil {
			return nil, err
		}
		s, err := trust.OpenConfiguration(compact, id, a.cfg.AllowLoopback, a.cfg.Now())
		if err != nil {
			return nil, err
		}
		types := slices.Sorted(maps.Keys(s.Metadata))
		changed = !s.Keys.Equal(m.Keys)
		m.Keys, m.EntityTypes = s.Keys, types
		return m, nil
	})
	if err != nil || !changed {
		return err
	}
	a.forget(id)
	return a.Note(ctx, "hub", "keys-changed", string(id), "announced by the member itself")
}
