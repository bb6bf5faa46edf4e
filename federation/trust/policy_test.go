package trust_test

import (
	"errors"
	"testing"

	"rathausnetz/federation"
	"rathausnetz/federation/trust"
)

func rpPolicy(parameter string, operators map[string]any) map[string]any {
	return map[string]any{trust.TypeRP: map[string]any{parameter: operators}}
}

func TestH115_NamingConstraints(t *testing.T) {
	sub := trust.NamingConstraints{Permitted: []string{".kreis.de"}}
	exact := trust.NamingConstraints{Permitted: []string{"kreis.de"}}
	both := trust.NamingConstraints{Permitted: []string{".kreis.de"}, Excluded: []string{".intern.kreis.de", "a.kreis.de"}}
	for _, c := range []struct {
		n    trust.NamingConstraints
		id   string
		want bool
	}{
		{sub, "https://a.kreis.de", true},
		{sub, "https://a.b.kreis.de:8443/portal", true},
		{sub, "https://kreis.de", false},
		{sub, "https://evilkreis.de", false},
		{sub, "https://kreis.de.evil", false},
		{sub, "https://a.kreis.de.evil.example", false},
		{sub, "https://a.kreis.de@evil.example", false},
		{sub, "https://evil.example/a.kreis.de", false},
		{sub, "https://evil.example:443/.kreis.de", false},
		{sub, "", false},
		{exact, "https://kreis.de", true},
		{exact, "https://kreis.de:444", true},
		{exact, "https://a.kreis.de", false},
		{both, "https://b.kreis.de", true},
		{both, "https://a.kreis.de", false},
		{both, "https://x.intern.kreis.de", false},
		{trust.NamingConstraints{Excluded: []string{".kreis.de"}}, "https://other.example", true},
		{trust.NamingConstraints{Permitted: []string{}}, "https://kreis.de", false},
	} {
		if got := c.n.Allows(federation.EntityID(c.id)); got != c.want {
			t.Errorf("%+v allows %s: %v, want %v", c.n, c.id, got, c.want)
		}
	}
	n := newNetwork(t)
	n.Change(func() {
		n.land.Constraints = map[string]any{"naming_constraints": map[string]any{"excluded": []string{"melle.localhost"}}, "unknown": 1}
	})
	n.refused(t, n.melle, trust.ErrConstraint)
	if _, err := n.resolve(n.kreis.ID); err != nil {
		t.Error(err)
	}
}

func TestH116_AllowedEntityTypes(t *testing.T) {
	n := newNetwork(t)
	n.Change(func() {
		n.melle.Metadata[trust.TypeOP] = map[string]any{"issuer": string(n.melle.ID)}
	})
	c, err := n.resolve(n.melle.ID)
	if err != nil {
		t.Fatal(err)
	}
	if m, err := c.Member(); err != nil || !m.IsOP {
		t.Fatalf("%+v %v", m, err)
	}
	n.Change(func() { n.kreis.Constraints = map[string]any{"allowed_entity_types": []string{trust.TypeRP}} })
	c, err = n.resolve(n.melle.ID)
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Member()
	if err != nil || m.IsOP || m.LoginURI == "" {
		t.Errorf("%+v %v", m, err)
	}
	if _, ok, err := c.Metadata.RP(); !ok || err != nil {
		t.Errorf("no RP any more: %v", err)
	}
	if _, ok, _ := c.Metadata.Entity(); !ok {
		t.Error("federation_entity was removed")
	}
}

func TestH117_PolicyConflicts(t *testing.T) {
	for name, p := range map[string][2]map[string]any{
		"two values":         {{"value": "pairwise"}, {"value": "public"}},
		"empty one_of":       {{"one_of": []string{"a"}}, {"one_of": []string{"b"}}},
		"subset_of with add": {{"subset_of": []string{"a"}}, {"add": []string{"b"}}},
		"one_of beside add":  {{"one_of": []string{"a"}}, {"add": []string{"a"}}},
		"null and essential": {{"value": nil}, {"essential": true}},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t)
			n.Change(func() {
				n.land.Policy, n.kreis.Policy = rpPolicy("x", p[0]), rpPolicy("x", p[1])
			})
			n.refused(t, n.melle, trust.ErrPolicy)
		})
	}
	t.Run("metadata does not satisfy", func(t *testing.T) {
		n := newNetwork(t)
		n.Change(func() { n.land.Policy = rpPolicy("client_name", map[string]any{"essential": true}) })
		n.refused(t, n.melle, trust.ErrMetadata)
	})
}

func TestH118_PolicyOnUnknownParameterAndType(t *testing.T) {
	n := newNetwork(t)
	n.Change(func() {
		n.melle.Metadata["kommunale_sache"] = map[string]any{"farbe": []any{"rot", "blau"}}
		n.land.Policy = map[string]any{
			"kommunale_sache": map[string]any{"farbe": map[string]any{"subset_of": []string{"blau"}}, "form": map[string]any{"default": "rund"}},
			trust.TypeRP:      map[string]any{"noch_unbekannt": map[string]any{"value": 7}},
			"nicht_da":        map[string]any{"x": map[string]any{"essential": true}},
		}
	})
	c, err := n.resolve(n.melle.ID)
	if err != nil {
		t.Fatal(err)
	}
	own := c.Metadata["kommunale_sache"]
	if farbe, _ := own["farbe"].([]any); len(farbe) != 1 || farbe[0] != "blau" || own["form"] != "rund" {
		t.Errorf("custom type: %v", own)
	}
	if c.Metadata[trust.TypeRP]["noch_unbekannt"] != float64(7) {
		t.Errorf("unknown parameter: %v", c.Metadata[trust.TypeRP])
	}
	if _, there := c.Metadata["nicht_da"]; there {
		t.Error("a type appeared that the leaf does not have")
	}
}

func TestH119_UnknownOperator(t *testing.T) {
	n := newNetwork(t)
	n.Change(func() { n.land.Policy = rpPolicy("scope", map[string]any{"regexp": ".*"}) })
	if _, err := n.resolve(n.melle.ID); err != nil {
		t.Errorf("not critical: %v", err)
	}
	n.bend(n.land, "statement", func(c map[string]any) { c["metadata_policy_crit"] = []string{"regexp"} })
	n.refused(t, n.melle, trust.ErrPolicy)
}

func TestForeignURIsAreDropped(t *testing.T) {
	n := newNetwork(t)
	n.Change(func() {
		rp := n.melle.Metadata[trust.TypeRP]
		rp["backchannel_logout_uri"] = "https://victim.example/logout"
		rp["initiate_login_uri"] = string(n.melle.ID) + "@evil.example/"
		n.melle.Metadata[trust.TypeOP] = map[string]any{"issuer": "https://other.example"}
	})
	c, err := n.resolve(n.melle.ID)
	if err != nil {
		t.Fatal(err)
	}
	rp, _, err := c.Metadata.RP()
	if err != nil || rp.BackchannelLogoutURI != "" || rp.InitiateLoginURI != "" {
		t.Errorf("%+v %v", rp, err)
	}
	if _, ok, _ := c.Metadata.OP(); ok {
		t.Error("an OP with another issuer than its entity ID")
	}
	dropped := 0
	for _, s := range c.Steps {
		if s.Verdict == trust.VerdictDropped {
			dropped++
		}
	}
	if dropped != 3 {
		t.Errorf("%d drops in the steps, want 3", dropped)
	}
}

func TestExplainNamesTheFailure(t *testing.T) {
	n := newNetwork(t)
	n.Change(func() { n.melle.Blocked = true })
	c, steps, err := n.Resolver(n.land).Explain(t.Context(), n.melle.ID)
	if c != nil || !errors.Is(err, trust.ErrNotFound) || len(steps) == 0 {
		t.Fatalf("%v %v %v", c, steps, err)
	}
	if last := steps[len(steps)-1]; last.Verdict != trust.VerdictRefused || last.Rule == "" || last.Subject == "" {
		t.Errorf("last step %+v", last)
	}
}
