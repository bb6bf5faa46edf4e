package passkey

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"rathausnetz/federation/store"
)

// Creation returns the options for navigator.credentials.create as JSON, and a
// handle good for ten minutes and once, to be given back to Add [WebAuthn §7.1].
// display is how the person knows the account. Errors: ErrMany.
func (k *Keys) Creation(ctx context.Context, account, display string) (options []byte, handle string, err error) {
	o, err := k.owner(ctx, account, display)
	if err != nil {
		return nil, "", err
	}
	if len(o.keys) >= maxKeys {
		return nil, "", ErrMany
	}
	handle = random()
	if err := k.c.Store.Create(ctx, challengePrefix+digest([]byte(handle)), []byte(account), challengeLife); err != nil {
		return nil, "", err
	}
	options, _, err = k.creation(o, handle)
	return options, handle, err
}

func (k *Keys) creation(o owner, handle string) ([]byte, *webauthn.SessionData, error) {
	exclude := make([]protocol.CredentialDescriptor, 0, len(o.keys))
	for _, c := range o.keys {
		exclude = append(exclude, c.Descriptor())
	}
	c, s, err := k.w.BeginRegistration(o, webauthn.WithExclusions(exclude), func(p *protocol.PublicKeyCredentialCreationOptions) error {
		p.Challenge = k.derive("create", handle)
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("passkey: %w", err)
	}
	b, err := json.Marshal(c.Response)
	return b, s, err
}

func (k *Keys) owner(ctx context.Context, account, display string) (owner, error) {
	o := owner{handle: k.handle(account), name: display}
	all, err := k.records(ctx, account)
	for _, r := range all {
		o.keys = append(o.keys, r.Credential)
	}
	return o, err
}

// Add keeps the passkey that the browser has made. handle is Creation's, name
// the owner's word for it. Errors: ErrRefused, ErrName, ErrMany.
func (k *Keys) Add(ctx context.Context, account, handle, name string, answer []byte) (*Key, error) {
	name, err := cleanName(name)
	if err != nil {
		return nil, err
	}
	b, err := k.c.Store.Take(ctx, challengePrefix+digest([]byte(handle)))
	if errors.Is(err, store.ErrNotFound) || err == nil && string(b) != account {
		return nil, fmt.Errorf("%w: the page was open too long or was used", ErrRefused)
	}
	if err != nil {
		return nil, err
	}
	o, err := k.owner(ctx, account, "")
	if err != nil {
		return nil, err
	}
	_, s, err := k.creation(o, handle)
	if err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(cut(answer))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	cred, err := k.w.CreateCredential(o, *s, parsed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return k.keep(ctx, account, name, cred)
}

func (k *Keys) keep(ctx context.Context, account, name string, cred *webauthn.Credential) (*Key, error) {
	// What the authenticator said about itself is not kept: nothing here reads it.
	cred.Attestation = webauthn.CredentialAttestation{}
	r := record{Account: account, Credential: *cred, Key: Key{
		ID: digest(cred.ID), Name: name, Created: k.c.Now().UTC(), Synced: cred.Flags.BackupEligible,
	}}
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	// The list first: a key is then always listed and can be removed.
	err = k.enlist(ctx, account, func(ids []string) ([]string, error) {
		switch {
		case slices.Contains(ids, r.ID):
			return ids, nil
		case len(ids) >= maxKeys:
			return nil, ErrMany
		}
		return append(ids, r.ID), nil
	})
	if err != nil {
		return nil, err
	}
	err = k.c.Store.Create(ctx, keyPrefix+r.ID, b, 0)
	if errors.Is(err, store.ErrExists) {
		return nil, fmt.Errorf("%w: it is registered already", ErrRefused)
	}
	if err != nil {
		return nil, err
	}
	k.c.Log.Info("passkey added")
	return &r.Key, nil
}

// Request returns the options for navigator.credentials.get as JSON
// [WebAuthn §7.2]. bind names what the login is for, such as a form in one
// browser; it must be unguessable and be made used up by whoever signs in.
func (k *Keys) Request(bind string) ([]byte, error) {
	a, _, err := k.request(bind)
	if err != nil {
		return nil, err
	}
	return json.Marshal(a.Response)
}

func (k *Keys) request(bind string) (*protocol.CredentialAssertion, *webauthn.SessionData, error) {
	a, s, err := k.w.BeginDiscoverableLogin(webauthn.WithChallenge(k.derive("get", bind)))
	if err != nil {
		return nil, nil, fmt.Errorf("passkey: %w", err)
	}
	return a, s, nil
}

// Check returns the account that the answer to Request signs in to, and how
// the person has shown it [RFC 8176 §2]. Errors: ErrRefused, which wraps why.
func (k *Keys) Check(ctx context.Context, bind string, answer []byte) (account string, amr []string, err error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(cut(answer))
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	_, s, err := k.request(bind)
	if err != nil {
		return "", nil, err
	}
	var r *record
	var broken error // the store's: not the citizen's fault
	_, cred, err := k.w.ValidatePasskeyLogin(func(rawID, _ []byte) (webauthn.User, error) {
		var err error
		if r, err = k.read(ctx, digest(rawID)); err != nil {
			if !errors.Is(err, ErrNotFound) {
				broken = err
			}
			return nil, err
		}
		return owner{handle: k.handle(r.Account), keys: []webauthn.Credential{r.Credential}}, nil
	}, *s, parsed)
	if broken != nil {
		return "", nil, broken
	}
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if cred.Authenticator.CloneWarning {
		// Somebody else holds a copy of a key that cannot be copied [WebAuthn §6.1.1].
		k.c.Log.Error("passkey refused: its counter went back")
		return "", nil, fmt.Errorf("%w: its counter went back", ErrRefused)
	}
	err = k.change(ctx, r.Account, r.ID, func(x *record) {
		x.Used, x.Credential.Flags, x.Credential.Authenticator.SignCount = k.c.Now().UTC(), cred.Flags, cred.Authenticator.SignCount
	})
	if errors.Is(err, ErrNotFound) { // removed in this very moment
		return "", nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err != nil {
		return "", nil, err
	}
	held := "hwk"
	if r.Synced {
		held = "swk"
	}
	return r.Account, []string{held, "user", "mfa"}, nil
}

// cut makes what is too long unreadable.
func cut(b []byte) []byte {
	if len(b) > maxAnswer {
		return nil
	}
	return b
}

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return base64.RawURLEncoding.EncodeToString(b)
}
