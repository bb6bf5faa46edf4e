package trust_test

import (
	"errors"
	"net/http"
	"testing"

	"rathausnetz/federation/trust"
)

func TestBelieve(t *testing.T) {
	k, err := trust.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	r, err := trust.NewResolver(trust.ResolverConfig{HTTP: http.DefaultClient, Anchors: []trust.Anchor{{ID: "https://hub.example", Keys: k.Public()}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Believe("https://other.example", k.Public()); !errors.Is(err, trust.ErrNoAnchor) {
		t.Errorf("an anchor nobody configured: %v", err)
	}
	if err := r.Believe("https://hub.example", trust.JWKS{}); !errors.Is(err, trust.ErrAnchorKeys) {
		t.Errorf("an anchor without keys: %v", err)
	}
	if err := r.Believe("https://hub.example", k.Public()); err != nil {
		t.Error(err)
	}
}
