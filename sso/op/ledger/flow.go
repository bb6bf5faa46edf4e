package ledger

import (
	"context"
	"encoding/json"
	"time"

	"rathausnetz/federation"
	"rathausnetz/sso/op/protocol"
	"rathausnetz/sso/upstream"
)

// Flow is a request on its way through pages: bound to one browser, consumed
// once.
type Flow struct {
	Request *protocol.Request `json:"request,omitempty"`
	Browser string            `json:"browser"` // digest of the browser's cookie
	// Fresh is the session that was made for this very request, FreshLevel
	// what that login reached; the request may then be served from it.
	Fresh      string            `json:"fresh,omitempty"`
	FreshLevel federation.Level  `json:"fresh_level,omitempty"`
	Pending    *upstream.Pending `json:"pending,omitempty"`
	Logout     *protocol.Logout  `json:"logout,omitempty"`
	Link       *Link             `json:"link,omitempty"`
	Expires    time.Time         `json:"exp"`
}

// Link is a linking of two accounts on its way.
type Link struct {
	Offer  string           `json:"offer"`            // of upstream.Links
	Person *upstream.Person `json:"person,omitempty"` // who has just signed in at the source, while a question is open
}

// PutFlow keeps a new flow and returns its handle.
func (l *Ledger) PutFlow(ctx context.Context, f Flow) (string, error) {
	f.Expires = l.now().Add(FlowLife)
	return l.create(ctx, flowPrefix, f, FlowLife)
}

// SaveFlow writes a flow under a handle of the caller's choice, such as the
// state of an upstream login.
func (l *Ledger) SaveFlow(ctx context.Context, handle string, f Flow) error {
	f.Expires = l.now().Add(FlowLife)
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return l.store.Put(ctx, flowPrefix+protocol.Digest(handle), b, FlowLife)
}

// Flow returns the flow of a handle and leaves it. Errors: ErrUnknown.
func (l *Ledger) Flow(ctx context.Context, handle string) (*Flow, error) {
	b, err := l.store.Get(ctx, flowPrefix+protocol.Digest(handle))
	return l.flow(b, err)
}

// TakeFlow returns the flow of a handle, once. Errors: ErrUnknown.
func (l *Ledger) TakeFlow(ctx context.Context, handle string) (*Flow, error) {
	b, err := l.store.Take(ctx, flowPrefix+protocol.Digest(handle))
	return l.flow(b, err)
}

func (l *Ledger) flow(b []byte, err error) (*Flow, error) {
	if err != nil {
		return nil, known(err)
	}
	var f Flow
	if err := decode(b, &f); err != nil {
		return nil, err
	}
	if !l.now().Before(f.Expires) {
		return nil, ErrUnknown
	}
	return &f, nil
}
