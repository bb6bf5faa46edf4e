package op

import (
	"context"
	"errors"

	"rathausnetz/sso"
	"rathausnetz/sso/op/ledger"
)

// Sessions returns where an account is signed in: one entry per browser,
// oldest first, with its portals in the order of signing in.
func (o *OP) Sessions(ctx context.Context, account string) ([]*ledger.Session, error) {
	return o.ledger.Sessions(ctx, account)
}

// History returns what was handed over for an account and to whom, oldest
// first, at most 100 entries of one year.
func (o *OP) History(ctx context.Context, account string) ([]ledger.Handover, error) {
	return o.ledger.History(ctx, account)
}

// Subject returns what a client calls an account: its pairwise subject. It is
// ErrUnknownClient for who is no client, or no longer one.
func (o *OP) Subject(ctx context.Context, client, account string) (string, error) {
	c, err := o.c.Clients.Client(ctx, client)
	if err != nil {
		return "", err
	}
	return o.names.Subject(c.SectorOf(), account), nil
}

// EndParty signs an account out at one client, in the browser whose session
// key is given, and leaves the session itself. It is ledger.ErrUnknown if there
// is no such session of this account, or the client is not part of it.
func (o *OP) EndParty(ctx context.Context, account, key, client string) (sso.LogoutResult, error) {
	s, err := o.ledger.SessionByKey(ctx, key)
	if err != nil {
		return sso.LogoutResult{}, err
	}
	party := s.Party(client)
	if s.Account != account || party == nil {
		return sso.LogoutResult{}, ledger.ErrUnknown
	}
	alone := *s
	alone.Parties = []ledger.Party{*party}
	if err := o.ledger.Part(ctx, s.Key, client); err != nil {
		return sso.LogoutResult{}, err
	}
	return o.tell(ctx, &alone)[0], nil
}

// EndSession ends one session of an account, in all portals. It is
// ledger.ErrUnknown if the account has no such session.
func (o *OP) EndSession(ctx context.Context, account, key string) ([]sso.LogoutResult, error) {
	s, err := o.ledger.SessionByKey(ctx, key)
	if err != nil {
		return nil, err
	}
	if s.Account != account {
		return nil, ledger.ErrUnknown
	}
	return o.End(ctx, s.Key)
}

// EndOthers ends every session of an account but the one with the key keep.
func (o *OP) EndOthers(ctx context.Context, account, keep string) ([]sso.LogoutResult, error) {
	all, err := o.ledger.Sessions(ctx, account)
	var results []sso.LogoutResult
	for _, s := range all {
		if s.Key == keep {
			continue
		}
		one, oneErr := o.End(ctx, s.Key)
		results, err = append(results, one...), errors.Join(err, oneErr)
	}
	return results, err
}

// Forget ends every session of an account and removes what the provider keeps
// about it: history, links to other account sources, codes and tokens that are
// out. The account itself is removed by its owner.
func (o *OP) Forget(ctx context.Context, account string) ([]sso.LogoutResult, error) {
	results, err := o.EndAll(ctx, account)
	return results, errors.Join(err, o.links.Forget(ctx, account), o.ledger.Forget(ctx, account))
}
