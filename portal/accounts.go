package portal

import (
	"context"

	"rathausnetz/federation"
	"rathausnetz/portal/control"
	"rathausnetz/sso"
	"rathausnetz/sso/op/account"
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
	for name, f := range map[string]func(*account.Accounts, context.Context, string) (*account.Account, error){
		"accountlock": (*account.Accounts).Lock, "accountunlock": (*account.Accounts).Unlock,
	} {
		v[name] = control.Handle(func(ctx context.Context, a accountName) (*account.Account, error) {
			if n.accounts == nil {
				return nil, ErrNoOP
			}
			return f(n.accounts, ctx, a.Username)
		})
	}
	v["accountpassword"] = control.Handle(func(ctx context.Context, a accountName) (*account.Account, error) {
		if n.accounts == nil {
			return nil, ErrNoOP
		}
		return n.accounts.SetPassword(ctx, a.Username, a.Password)
	})
	v["accountdelete"] = control.Handle(func(ctx context.Context, a accountName) (struct{}, error) {
		if n.accounts == nil {
			return struct{}{}, ErrNoOP
		}
		return struct{}{}, n.accounts.Delete(ctx, a.Username)
	})
}
