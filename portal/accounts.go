package portal

import (
	"context"
	"fmt"
	"time"

	"rathausnetz/federation"
	"rathausnetz/portal/control"
	"rathausnetz/sso"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/desk"
)

// Account is a new account of the provider's own.
type Account struct {
	Username string           `json:"username"`
	Password string           `json:"password"`
	Name     string           `json:"name"`
	Email    string           `json:"email,omitempty"`
	Level    federation.Level `json:"level"`
}

// accountName is the argument of verbs about one account.
type accountName struct {
	Username string `json:"username"`
	Password string `json:"password,omitempty"`
}

// AddAccount makes an account at the provider of this node.
func (n *Node) AddAccount(ctx context.Context, a Account) (*account.Account, error) {
	if n.accounts == nil {
		return nil, ErrNoOP
	}
	return n.accounts.Add(ctx, account.NewAccount{Username: a.Username, Password: a.Password, Level: a.Level, Claims: sso.Claims{Name: a.Name, Email: a.Email}})
}

func (n *Node) accountVerbs(v map[string]control.Verb) {
	v["accountadd"] = control.Handle(n.AddAccount)
	v["accounts"] = control.Handle(func(ctx context.Context, _ struct{}) ([]account.Account, error) {
		if n.accounts == nil {
			return nil, ErrNoOP
		}
		return n.accounts.List(ctx)
	})
	v["accountlock"] = control.Handle(n.lockAccount)
	v["accountunlock"] = control.Handle(func(ctx context.Context, a accountName) (*account.Account, error) {
		if n.accounts == nil {
			return nil, ErrNoOP
		}
		return n.accounts.Unlock(ctx, a.Username)
	})
	v["accountpassword"] = control.Handle(n.setPassword)
	v["accountcode"] = control.Handle(n.accountCode)
	v["accountdelete"] = control.Handle(n.deleteAccount)
}

// AccountEnd is what became of an account and its logins.
type AccountEnd struct {
	Account account.Account    `json:"account"`
	Portals []sso.LogoutResult `json:"portals,omitempty"` // that were told, in the order of signing in
}

// lockAccount keeps an account from signing in and ends what it is signed in
// to, everywhere.
func (n *Node) lockAccount(ctx context.Context, a accountName) (*AccountEnd, error) {
	if n.accounts == nil {
		return nil, ErrNoOP
	}
	acc, err := n.accounts.Lock(ctx, a.Username)
	if err != nil {
		return nil, err
	}
	told, err := n.op.EndAll(ctx, acc.ID)
	return &AccountEnd{*acc, told}, err
}

// setPassword is for accounts that no person signs in to by themselves; whoever
// knew the old password is signed out.
func (n *Node) setPassword(ctx context.Context, a accountName) (*AccountEnd, error) {
	if n.accounts == nil {
		return nil, ErrNoOP
	}
	acc, err := n.accounts.SetPassword(ctx, a.Username, a.Password)
	if err != nil {
		return nil, err
	}
	told, err := n.op.EndAll(ctx, acc.ID)
	return &AccountEnd{*acc, told}, err
}

// AccountCode is a code with which the owner of an account sets a new password.
type AccountCode struct {
	Username string    `json:"username"`
	Code     string    `json:"code"`
	URL      string    `json:"url"` // where it is typed in
	Until    time.Time `json:"until"`
}

func (n *Node) accountCode(ctx context.Context, a accountName) (*AccountCode, error) {
	if n.accounts == nil {
		return nil, ErrNoOP
	}
	acc, err := n.accounts.Find(ctx, a.Username)
	if err != nil {
		return nil, err
	}
	if acc.Locked {
		return nil, fmt.Errorf("account %s is locked: unlock it first, or the code will not be accepted", acc.Username)
	}
	code, err := n.accounts.Code(ctx, a.Username)
	if err != nil {
		return nil, err
	}
	return &AccountCode{acc.Username, code, n.cfg.Entity.URL(desk.RecoverPath), n.now().Add(account.CodeLife)}, nil
}

// deleteAccount removes an account with everything kept about it.
func (n *Node) deleteAccount(ctx context.Context, a accountName) (*AccountEnd, error) {
	if n.accounts == nil {
		return nil, ErrNoOP
	}
	acc, err := n.accounts.Find(ctx, a.Username)
	if err != nil {
		return nil, err
	}
	told, err := n.desk.Remove(ctx, acc.ID)
	return &AccountEnd{*acc, told}, err
}
