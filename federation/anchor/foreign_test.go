package anchor_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rathausnetz/federation/anchor"
	"rathausnetz/federation/trust"
)

// foreignClient finds the script that resolves chains with software that is
// not ours. It needs node and testnet/foreign/node_modules.
func foreignClient(t *testing.T) (node, script string) {
	t.Helper()
	missing := t.Skipf
	if strings.Contains(os.Getenv("RATHAUSNETZ_REQUIRE"), "node") {
		missing = t.Fatalf
	}
	node, err := exec.LookPath("node")
	if err != nil {
		missing("node is not installed")
	}
	dir, err := filepath.Abs(filepath.Join("..", "..", "testnet", "foreign"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "@openid-federation", "core")); err != nil {
		missing("@openid-federation/core is not installed in %s", dir)
	}
	return node, filepath.Join(dir, "federation.mjs")
}

// TestForeignClientResolvesOurChain lets @openid-federation/core fetch and
// validate chains from our endpoints.
func TestForeignClientResolvesOurChain(t *testing.T) {
	node, script := foreignClient(t)
	h := newHub(t)
	p := h.member(t, "melle", "034590024024")
	type chain struct {
		Valid    bool           `json:"valid"`
		Length   int            `json:"length"`
		Anchor   string         `json:"anchor"`
		Metadata trust.Metadata `json:"metadata"`
	}
	run := func() (out struct {
		Chains []chain `json:"chains"`
		Error  string  `json:"error"`
	}) {
		cmd := exec.CommandContext(t.Context(), node, script, string(p.entity.ID), string(h.entity.ID))
		cmd.Stderr = t.Output()
		b, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &out); err != nil {
			t.Fatalf("%s: %v", b, err)
		}
		return out
	}
	out := run()
	if out.Error != "" || len(out.Chains) != 1 {
		t.Fatalf("%+v", out)
	}
	c := out.Chains[0]
	if !c.Valid || c.Anchor != string(h.entity.ID) {
		t.Errorf("%+v", c)
	}
	ours, err := h.resolver.Resolve(t.Context(), p.entity.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, parameter := range []string{"subject_type", "token_endpoint_auth_method", "id_token_signed_response_alg"} {
		if got, want := c.Metadata[trust.TypeRP][parameter], ours.Metadata[trust.TypeRP][parameter]; got != want || got == nil {
			t.Errorf("%s: foreign client resolves %v, we resolve %v", parameter, got, want)
		}
	}
	if err := h.Revoke(t.Context(), "operator", p.entity.ID, "Austritt"); err != nil {
		t.Fatal(err)
	}
	if out := run(); out.Error == "" && len(out.Chains) != 0 {
		t.Errorf("after revocation: %+v", out)
	}
	if _, err := h.Show(t.Context(), p.entity.ID); err != nil {
		t.Errorf("%v is kept in the registry, %v", anchor.StateRevoked, err)
	}
}
