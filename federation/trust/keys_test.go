package trust_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation/trust"
	"rathausnetz/federation/trust/trusttest"
)

func TestKeyFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	made, err := trust.CreateKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := trust.LoadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if made.Federation[0].ID() != loaded.Federation[0].ID() || made.Protocol[0].ID() != loaded.Protocol[0].ID() || made.Federation[0].ID() == made.Protocol[0].ID() {
		t.Error("other keys than those made")
	}
	if _, err := trust.CreateKeys(dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("overwritten: %v", err)
	}
	file := filepath.Join(dir, "federation.jwks")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o644} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		_, err := trust.LoadKeys(dir)
		if !errors.Is(err, trust.ErrPermissions) || !strings.Contains(err.Error(), "chmod 600 "+file) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"empty": "", "no keys": `{"keys":[]}`, "not JSON": "secret", "public only": `{"keys":[{"jwk":{"kty":"EC"}}]}`,
		"cut off": string(good[:len(good)/2]), "twice": strings.Replace(string(good), `"keys"`, `"keys":[],"keys"`, 1),
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := trust.LoadKeys(dir); !errors.Is(err, trust.ErrKeyFile) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := trust.LoadKeys(filepath.Join(dir, "missing")); !errors.Is(err, trust.ErrKeyFile) {
		t.Errorf("missing: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".keys-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files %v %v", left, err)
	}
}

func TestH127_OldKeyAfterRotation(t *testing.T) {
	dir := t.TempDir()
	keys, err := trust.CreateKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	old := keys.Federation[0]
	now := time.Now()
	next, err := trust.AnnounceKey(dir, trust.RoleFederation, now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trust.AnnounceKey(dir, trust.RoleFederation, now, time.Hour); err == nil {
		t.Error("a second key was announced beside the first")
	}
	if keys, err = trust.LoadKeys(dir); err != nil {
		t.Fatal(err)
	}
	if keys.At(now).Federation[0].ID() != old.ID() || !keys.FederationJWKS().Has(next.ID()) {
		t.Error("the new key must be shown and not sign during the lead time")
	}
	later := now.Add(61 * time.Minute)
	if keys.At(later).Federation[0].ID() != next.ID() || !keys.At(later).FederationJWKS().Has(old.ID()) {
		t.Error("after the lead time the new key signs and the old one is still shown")
	}
	audit := sign(t, old, "x+jwt", map[string]any{"iat": now.Unix()})
	if _, err := trust.RetireKeys(dir, trust.RoleFederation, now, old.ID()); err == nil {
		t.Error("the only key that can sign was retired")
	}
	gone, err := trust.RetireKeys(dir, trust.RoleFederation, later, "")
	if err != nil || len(gone) != 1 || gone[0].Reason != trust.ReasonSuperseded {
		t.Fatalf("%+v %v", gone, err)
	}
	if keys, err = trust.LoadKeys(dir); err != nil {
		t.Fatal(err)
	}
	keys = keys.At(later)
	if len(keys.History) != 1 || keys.FederationJWKS().Has(old.ID()) {
		t.Fatalf("%d historical keys", len(keys.History))
	}
	// The response of the historical keys endpoint keeps all of it.
	response, err := trust.SignHistory(keys.Federation[0], "https://hub.example", keys.History, later)
	if err != nil {
		t.Fatal(err)
	}
	history, err := trust.OpenHistory(response, "https://hub.example", keys.FederationJWKS())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trust.OpenHistory(response, "https://other.example", keys.FederationJWKS()); err == nil {
		t.Error("history of another issuer")
	}
	// No live path takes it; the audit does while the reason is superseded.
	if _, err := trust.Open(audit, "x+jwt", keys.FederationJWKS()); !errors.Is(err, trust.ErrUnknownKey) {
		t.Errorf("live: %v", err)
	}
	if _, err := trust.AuditVerify(audit, "x+jwt", history); err != nil {
		t.Errorf("audit: %v", err)
	}
	after := sign(t, old, "x+jwt", map[string]any{"iat": later.Add(time.Hour).Unix()})
	if _, err := trust.AuditVerify(after, "x+jwt", history); !errors.Is(err, trust.ErrExpired) {
		t.Errorf("signed after its end: %v", err)
	}
	for _, reason := range []string{trust.ReasonCompromised, trust.ReasonUnspecified} {
		history[0].Reason = reason
		if _, err := trust.AuditVerify(audit, "x+jwt", history); !errors.Is(err, trust.ErrKey) {
			t.Errorf("audit, %s: %v", reason, err)
		}
	}
	if _, err := trust.AuditVerify(audit, "x+jwt", nil); !errors.Is(err, trust.ErrUnknownKey) {
		t.Errorf("audit without history: %v", err)
	}
}

func TestH127_MemberSignsWithAFormerKey(t *testing.T) {
	n := newNetwork(t)
	old := n.melle.Key
	n.Change(func() { n.melle.Key = trusttest.Key("melle new") })
	if _, err := n.resolve(n.melle.ID); err != nil {
		t.Fatal(err)
	}
	n.raw(n.melle, func() string { return sign(t, old, trust.TypeStatement, ownClaims(n.melle)) })
	n.refused(t, n.melle, trust.ErrUnknownKey)
}

func TestKeyFromSeedIsStable(t *testing.T) {
	a, err := trust.KeyFromSeed([]byte("melle"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := trust.KeyFromSeed([]byte("melle"))
	if err != nil || a.ID() != b.ID() || len(a.ID()) != 43 {
		t.Errorf("%s %s %v", a.ID(), b.ID(), err)
	}
}
