package portal

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"rathausnetz/config"
	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
)

func TestReadDelegations(t *testing.T) {
	write := func(s string) string {
		p := filepath.Join(t.TempDir(), "d.yaml")
		if err := os.WriteFile(p, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	got, err := readDelegations(write("- leika: \"99036049069000\"\n  areas: [\"034590033033\"]\n  to: https://wallenhorst.example\n  from: 2026-01-01\n  to_date: 2026-12-31\n"), false)
	if err != nil || len(got) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if d := got[0]; d.To != "https://wallenhorst.example" || d.Valid.To.Format("2006-01-02") != "2027-01-01" || d.ID == "" {
		t.Errorf("%+v; the last day must still be inside", d)
	}
	for name, s := range map[string]string{
		"unknown key": "- leika: \"99036049069000\"\n  area: x\n",
		"no entity":   "- leika: \"99036049069000\"\n  areas: [\"03459\"]\n  to: wallenhorst\n",
		"bad day":     "- leika: \"99036049069000\"\n  areas: [\"03459\"]\n  to: https://a.example\n  from: morgen\n",
		"bad key":     "- leika: \"1\"\n",
	} {
		if _, err := readDelegations(write(s), false); !errors.Is(err, ErrDelegations) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadPortal(t *testing.T) {
	ok := fstest.MapFS{"portal.yaml": {Data: []byte("name: Gemeinde X\nmain_color: \"#175c3a\"\n")}}
	if p, b, err := ReadPortal(ok, "portal.yaml"); err != nil || p.Name != "Gemeinde X" || b.Name != p.Name {
		t.Errorf("%+v, %v", p, err)
	}
	for name, s := range map[string]string{
		"unknown key":     "name: X\nfarbe: rot\n",
		"no name":         "main_color: \"#175c3a\"\n",
		"bad colour":      "name: X\nmain_color: grün\n",
		"missing picture": "name: X\nwappen: {file: w.svg}\n",
	} {
		_, _, err := ReadPortal(fstest.MapFS{"portal.yaml": {Data: []byte(s)}}, "portal.yaml")
		if !errors.Is(err, ErrPortalFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestClientAddress: a forwarded address counts only if a configured proxy
// says it [SSO.md §10 J145].
func TestJ145_ForgedForwardedFor(t *testing.T) {
	n := &Node{}
	n.live.Store(&settings{cfg: config.Config{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}})
	for _, c := range []struct{ conn, header, want string }{
		{"192.0.2.7:99", "203.0.113.9", "192.0.2.7:99"},
		{"10.0.0.1:99", "203.0.113.9", "203.0.113.9:0"},
		{"10.0.0.1:99", "198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9:0"},
		{"10.0.0.1:99", "evil", "10.0.0.1:99"},
		{"10.0.0.1:99", "", "10.0.0.1:99"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.conn
		r.Header.Set("X-Forwarded-For", c.header)
		if got := n.clientAddress(r); got != c.want {
			t.Errorf("%s with %q: %s, want %s", c.conn, c.header, got, c.want)
		}
	}
}

// TestTarget: the button leads to the responsible portal's own login, and only
// to that; nothing about the person is in the link.
func TestTarget(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.json")
	m, err := loadMembership(path)
	if err != nil {
		t.Fatal(err)
	}
	n := &Node{member: m}
	owner := federation.Member{ID: "https://kreis.example", LoginURI: "https://kreis.example/anmelden/start"}
	with := catalog.Onlinedienst{URL: "https://kreis.example/antrag/auto", Level: federation.LevelNiedrig}
	if got := n.target(owner, with); !strings.HasPrefix(got, owner.LoginURI+"?") || !strings.Contains(got, "target_link_uri=https%3A%2F%2Fkreis.example%2Fantrag%2Fauto") {
		t.Errorf("with login: %s", got)
	}
	for name, d := range map[string]catalog.Onlinedienst{
		"without login":  {URL: "https://kreis.example/antrag/auto"},
		"foreign server": {URL: "https://forms.example/x", Level: federation.LevelNiedrig},
		"similar host":   {URL: "https://kreis.example.evil/x", Level: federation.LevelNiedrig},
	} {
		if got := n.target(owner, d); got != d.URL {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestMembershipSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.json")
	m, err := loadMembership(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.update(func(s *membershipState) { s.Approved, s.Gossip = true, [][]byte{{1, 2}} }); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file holds gossip keys and must be 0600: %v, %v", info, err)
	}
	again, err := loadMembership(path)
	if err != nil || !again.get().Approved || len(again.get().Gossip) != 1 {
		t.Errorf("%+v, %v", again, err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadMembership(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a broken file: %v", err)
	}
}
