package testnet

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

// foreignView is what foreign/federation.mjs prints.
type foreignView struct {
	Error  string `json:"error"`
	Chains []struct {
		Valid    bool                `json:"valid"`
		Length   int                 `json:"length"`
		Anchor   federation.EntityID `json:"anchor"`
		Leaf     federation.EntityID `json:"leaf"`
		Metadata trust.Metadata      `json:"metadata"`
	} `json:"chains"`
	Members   []federation.EntityID `json:"members"`
	Statement struct {
		Issuer  federation.EntityID `json:"iss"`
		Subject federation.EntityID `json:"sub"`
		Keys    trust.JWKS          `json:"jwks"`
		Policy  json.RawMessage     `json:"metadata_policy"`
	} `json:"statement"`
	StatementError string `json:"statementError"`
}

// TestForeignFederationClient lets @openid-federation/core, which is not ours,
// find its way from a member to the Landkreis: over http on loopback names,
// and over https as a real network has it. It has to come to what we come to.
func TestForeignFederationClient(t *testing.T) {
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join("foreign", "node_modules", "@openid-federation", "core"))
	}
	if err != nil {
		if strings.Contains(os.Getenv("RATHAUSNETZ_REQUIRE"), "node") {
			t.Fatalf("RATHAUSNETZ_REQUIRE asks for node and @openid-federation/core: %v", err)
		}
		t.Skip("node or @openid-federation/core is not installed: run npm ci in testnet/foreign")
	}
	for name, spec := range map[string]Spec{"http": {}, "https": {TLS: true}} {
		t.Run(name, func(t *testing.T) {
			nw := startNetwork(t, spec)
			m := nw.Member("bissendorf")
			seen := foreignLook(t, nw, node, m)
			if seen.Error != "" || seen.StatementError != "" || len(seen.Chains) != 1 {
				t.Fatalf("%+v", seen)
			}
			compareForeign(t, nw, m, seen)

			m.left.Store(true)
			if err := nw.Hub().Node().Revoke(t.Context(), operatorName, m.Entity, "end of the test"); err != nil {
				t.Fatal(err)
			}
			if after := foreignLook(t, nw, node, m); len(after.Chains) != 0 || after.StatementError == "" || slices.Contains(after.Members, m.Entity) {
				t.Errorf("after the revocation: %+v", after)
			}
		})
	}
}

// foreignLook runs the foreign client.
func foreignLook(t *testing.T, nw *Network, node string, m *Member) foreignView {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, filepath.Join("foreign", "federation.mjs"), string(m.Entity), string(nw.Hub().Entity))
	cmd.Stderr = t.Output()
	if ca := nw.CAPEM(); ca != nil {
		file := filepath.Join(t.TempDir(), "ca.pem")
		if err := os.WriteFile(file, ca, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+file)
	}
	b, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var seen foreignView
	if err := json.Unmarshal(b, &seen); err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return seen
}

// compareForeign holds what the foreign client has found against our own
// resolver and registry.
func compareForeign(t *testing.T, nw *Network, m *Member, seen foreignView) {
	t.Helper()
	hub := nw.Hub()
	keys, err := trust.LoadKeys(hub.dir("data", "keys"))
	if err != nil {
		t.Fatal(err)
	}
	tr := nw.Transport().(*http.Transport)
	defer tr.CloseIdleConnections()
	resolver, err := trust.NewResolver(trust.ResolverConfig{HTTP: &http.Client{Transport: tr}, AllowLoopback: true, Anchors: []trust.Anchor{{ID: hub.Entity, Keys: keys.FederationJWKS()}}})
	if err != nil {
		t.Fatal(err)
	}
	ours, err := resolver.Resolve(t.Context(), m.Entity)
	if err != nil {
		t.Fatal(err)
	}
	c := seen.Chains[0]
	if !c.Valid || c.Leaf != m.Entity || c.Anchor != hub.Entity || c.Length != len(ours.Statements)-1 {
		t.Errorf("chain of %d from %s to %s, valid %t; ours has %d statements", c.Length, c.Leaf, c.Anchor, c.Valid, len(ours.Statements))
	}
	theirs, own := c.Metadata[trust.TypeRP], ours.Metadata[trust.TypeRP]
	for _, name := range []string{"redirect_uris", "jwks", "client_registration_types", "token_endpoint_auth_method", "subject_type", "id_token_signed_response_alg"} {
		if own[name] == nil || !reflect.DeepEqual(theirs[name], own[name]) {
			t.Errorf("%s: the foreign client resolves %v, we resolve %v", name, theirs[name], own[name])
		}
	}
	var listed []federation.EntityID
	for _, o := range nw.Members()[1:] {
		listed = append(listed, o.Entity)
	}
	slices.Sort(listed)
	slices.Sort(seen.Members)
	if !slices.Equal(seen.Members, listed) {
		t.Errorf("lists %v, members are %v", seen.Members, listed)
	}
	memberKeys, err := trust.LoadKeys(m.dir("data", "keys"))
	if err != nil {
		t.Fatal(err)
	}
	if s := seen.Statement; s.Issuer != hub.Entity || s.Subject != m.Entity || !s.Keys.Equal(memberKeys.FederationJWKS()) || len(s.Policy) == 0 {
		t.Errorf("statement: %+v", s)
	}
}
