package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rathausnetz/testnet"
	"rathausnetz/testnet/data"
)

const page = "../../docs/betrieb.md"

// step is one fenced block of the page that a machine carries out: a script,
// or a file that is written (=) or appended to (+).
type step struct {
	line     int
	lang     string
	machines []string
	mode     string // "", "=" or "+"
	file     string
	text     string
	shows    *regexp.Regexp // what the output must come to
	check    string         // what the test looks at afterwards
}

var (
	fence    = regexp.MustCompile("^```(\\w+)(?: ([a-z,]+)(?: ([=+]) (\\S+))?)?$")
	expect   = regexp.MustCompile(`^<!-- zeigt: (.*) -->$`)
	look     = regexp.MustCompile(`^<!-- prüfung: (\w+) -->$`)
	codeForm = regexp.MustCompile(`RN1-[A-Za-z0-9_-]{20,}`)
)

// readPage takes the page apart. A block of shell commands that no machine
// carries out is a fault of the page.
func readPage(t *testing.T) []step {
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var steps []step
	open := -1
	for i, line := range strings.Split(string(b), "\n") {
		switch {
		case open >= 0 && line == "```":
			open = -1
		case open >= 0:
			steps[open].text += line + "\n"
		case strings.HasPrefix(line, "```"):
			m := fence.FindStringSubmatch(line)
			if m == nil || m[1] == "sh" && m[2] == "" {
				t.Fatalf("%s:%d: a block must name its machine: %s", page, i+1, line)
			}
			steps = append(steps, step{line: i + 1, lang: m[1], machines: strings.Split(m[2], ","), mode: m[3], file: m[4]})
			open = len(steps) - 1
		case expect.MatchString(line):
			steps[len(steps)-1].shows = regexp.MustCompile(expect.FindStringSubmatch(line)[1])
		case look.MatchString(line):
			steps[len(steps)-1].check = look.FindStringSubmatch(line)[1]
		}
	}
	if len(steps) < 20 {
		t.Fatalf("only %d blocks found in %s", len(steps), page)
	}
	return steps
}

// TestBetriebCommandsExist holds every command that the page mentions between
// its blocks to what the program offers.
func TestBetriebCommandsExist(t *testing.T) {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	prose := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(string(b), "")
	found := 0
	for _, m := range regexp.MustCompile("`rathausnetz ([^`]+)`").FindAllStringSubmatch(prose, -1) {
		words := strings.Fields(m[1])
		cmd, rest, err := newRoot().Find(words)
		if err != nil || cmd == cmd.Root() {
			t.Errorf("%s mentions %q, which the program does not know", page, m[0])
			continue
		}
		for _, w := range rest {
			if name, ok := strings.CutPrefix(w, "--"); ok {
				name, _, _ = strings.Cut(name, "=")
				if cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
					t.Errorf("%s mentions %q: %s has no flag --%s", page, m[0], cmd.CommandPath(), name)
				}
			}
		}
		found++
	}
	if found < 10 {
		t.Errorf("only %d commands found", found)
	}
}

// TestBetrieb is the afternoon of three operators who have nothing but the
// page and the package: three machines with systemd, every block of the page
// in its order.
func TestBetrieb(t *testing.T) {
	base := debian(t)
	steps := readPage(t)
	deb := debPackage(t)
	w := newWires(t, 4, "193.25.0.") // public, and in namespaces without a way out
	names := []string{"hub", "bissendorf", "belm"}
	hosts := map[string]string{}
	for i, host := range []string{"portal.lkos.example", "portal.bissendorf.example", "portal.belm.example"} {
		hosts[host] = w.addr(i + 1)
	}
	ca, issue := issuer(t)
	pc := &operators{t: t, machines: map[string]*machine{}, hosts: hosts, ca: ca}
	for i, name := range names {
		m := w.newMachine(i+1, base, name)
		pc.machines[name] = m
		m.furnish(deb, hosts, ca, issue)
		m.boot()
	}
	pc.citizen = &machine{t: t, space: w.space(4)}
	for _, s := range steps {
		pc.do(s)
	}
}

// debPackage is what make package built.
func debPackage(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "dist", "rathausnetz_amd64.deb"))
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv("RATHAUSNETZ_REQUIRE"), ","), "nspawn") {
			t.Fatal(err)
		}
		t.Skip("no package in dist: make package")
	}
	return b
}

// furnish puts on a machine what section 1 of the page presupposes: names,
// a certificate, the package, and the export of the Land.
func (m *machine) furnish(deb []byte, hosts map[string]string, ca []byte, issue func(string) (cert, key []byte)) {
	m.t.Helper()
	lines := "127.0.0.1 localhost\n"
	var own string
	for host, addr := range hosts {
		lines += addr + " " + host + "\n"
		if addr == m.addr {
			own = host
		}
	}
	m.put("etc/hosts", []byte(lines), 0o644)
	m.put("etc/hostname", []byte(m.name+"\n"), 0o644)
	cert, key := issue(own)
	m.put("etc/ssl/portal.crt", cert, 0o644)
	m.put("etc/ssl/portal.key", key, 0o640)
	m.put("usr/local/share/ca-certificates/trial.crt", ca, 0o644)
	for _, c := range [][]string{{"chroot", m.root, "update-ca-certificates"}, {"chroot", m.root, "chgrp", "caddy", "/etc/ssl/portal.key"}} {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			m.t.Fatalf("%v: %v\n%s", c, err, out)
		}
	}
	m.put("root/rathausnetz_amd64.deb", deb, 0o644)
	register, err := os.ReadFile(sharedFile(m.t, "GV100AD_31082025.txt"))
	if err != nil {
		m.t.Fatal(err)
	}
	m.put("root/GV100AD_31082025.txt", register, 0o644)
	m.export(own)
}

// export writes what the editorial system of the Land would deliver.
func (m *machine) export(own string) {
	m.t.Helper()
	from := map[string]string{"hub": "landkreis", "bissendorf": "bissendorf", "belm": "bissendorf"}[m.name]
	files, err := data.FS.ReadDir(from)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, f := range files {
		if ext := filepath.Ext(f.Name()); ext != ".xml" && ext != ".txt" {
			continue
		}
		b, err := data.FS.ReadFile(from + "/" + f.Name())
		if err != nil {
			m.t.Fatal(err)
		}
		pairs := []string{"https://" + from + ".demo.invalid", "https://" + own}
		if m.name == "belm" {
			pairs = append(pairs, "034590012012", "034590008008", "03459012", "03459008", "Bissendorf", "Belm", "bissendorf", "belm")
		}
		m.put("var/lib/bus-export/"+f.Name(), []byte(strings.NewReplacer(pairs...).Replace(string(b))), 0o644)
	}
}

// operators carry out the page and remember what one tells the other.
type operators struct {
	t        *testing.T
	machines map[string]*machine
	citizen  *machine
	hosts    map[string]string
	ca       []byte
	code     string // of the last invitation
	words    string // that the member read out
	said     string // last output
}

func (o *operators) do(s step) {
	o.t.Helper()
	if s.machines[0] == "" {
		return
	}
	for _, name := range s.machines {
		m := o.machines[name]
		if m == nil {
			o.t.Fatalf("%s:%d: no machine %q", page, s.line, name)
		}
		if s.mode != "" {
			o.write(m, s)
			continue
		}
		text := strings.ReplaceAll(s.text, "RN1-…", o.code)
		started := time.Now()
		var out string
		if s.shows == nil {
			out = m.must(text)
		} else {
			m.until(fmt.Sprintf("%q of %s:%d", s.shows, page, s.line), time.Minute, func() (err error) {
				if out, err = m.run(o.t.Context(), text); err == nil && s.shows.MatchString(out) {
					return nil
				}
				return fmt.Errorf("it shows (%v):\n%s", err, out)
			})
		}
		o.t.Logf("%s:%d on %s, %v:\n%s%s", page, s.line, name, time.Since(started).Round(time.Millisecond), text, out)
		o.listen(s, text, out)
	}
	switch s.check {
	case "":
	case "anmelden":
		o.signIn()
	case "verwaltung":
		o.enter()
	default:
		o.t.Fatalf("%s:%d: unknown check %q", page, s.line, s.check)
	}
}

func (o *operators) write(m *machine, s step) {
	o.t.Helper()
	path := filepath.Join(m.root, s.file)
	text := s.text
	if s.mode == "+" {
		old, err := os.ReadFile(path)
		if err != nil {
			o.t.Fatalf("%s:%d: %v", page, s.line, err)
		}
		text = string(old) + "\n" + text
	}
	script := "cat > " + s.file + " <<'ENDE_DER_DATEI'\n" + text + "ENDE_DER_DATEI\n"
	m.must(script)
}

// listen is the telephone: codes and words go from one operator to another.
func (o *operators) listen(s step, text, out string) {
	o.t.Helper()
	if c := codeForm.FindString(out); c != "" {
		o.code = c
	}
	if strings.Contains(text, "rathausnetz join ") {
		for _, line := range strings.Split(out, "\n") {
			if strings.HasPrefix(line, "  ") && len(strings.Fields(line)) == 8 {
				o.words = strings.TrimSpace(line)
			}
		}
		if o.words == "" {
			o.t.Fatalf("%s:%d: join told no eight words:\n%s", page, s.line, out)
		}
	}
	if strings.Contains(text, "rathausnetz member show ") && !strings.Contains(out, o.words) {
		o.t.Fatalf("%s:%d: the hub does not see the words %q:\n%s", page, s.line, o.words, out)
	}
	o.said = out
}

// browser is a new citizen on a machine of their own.
func (o *operators) browser() *testnet.Citizen {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(o.ca)
	tr := o.citizen.browser(o.hosts, &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}})
	o.t.Cleanup(tr.CloseIdleConnections)
	return testnet.NewCitizen(tr)
}

// signIn gives the password once, in Bissendorf; Belm and the Landkreis then
// know the person without asking for it.
func (o *operators) signIn() {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), time.Minute)
	defer cancel()
	c := o.browser()
	for i, host := range []string{"portal.bissendorf.example", "portal.belm.example", "portal.lkos.example"} {
		if err := c.Open(ctx, "https://"+host+"/anmelden?zurueck=/konto"); err != nil {
			o.t.Fatalf("%s: %v", host, err)
		}
		if asked := c.HasField("password"); asked != (i == 0) {
			o.t.Fatalf("%s: asks for a password: %v; %s says: %.600s", host, asked, c.URL(), c.Text())
		} else if asked {
			if err := c.Submit(ctx, map[string]string{"username": "probe", "password": "Sieben kleine Schafe"}); err != nil {
				o.t.Fatal(err)
			}
		}
		if c.HasField("decision") { // the page that says what the portal is told
			if err := c.Submit(ctx, map[string]string{"decision": "yes"}); err != nil {
				o.t.Fatalf("%s: %v", host, err)
			}
		}
		if c.URL().Host != host || !c.Sees("Probe Konto") {
			o.t.Fatalf("not signed in at %s: %s says: %.600s", host, c.URL(), c.Text())
		}
	}
}

// enter follows the one-time link into the hub's operator pages, and finds it
// used up afterwards.
func (o *operators) enter() {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), time.Minute)
	defer cancel()
	link := regexp.MustCompile(`https://\S+`).FindString(o.said)
	c := o.browser()
	if err := c.Open(ctx, link); err != nil {
		o.t.Fatalf("login link %q: %v", link, err)
	}
	if err := c.SubmitOnly(ctx); err != nil {
		o.t.Fatalf("login link: %v", err)
	}
	if c.Status() != http.StatusOK || !strings.HasPrefix(c.URL().Path, "/verwaltung") || !c.Sees("Landkreis Osnabrück") {
		o.t.Fatalf("not in: %d %s says: %.600s", c.Status(), c.URL(), c.Text())
	}
	stranger := o.browser()
	if err := stranger.Open(ctx, link); err != nil {
		o.t.Fatal(err)
	}
	if err := stranger.SubmitOnly(ctx); err == nil && stranger.Status() == http.StatusOK {
		o.t.Errorf("the link works twice: %s says: %.300s", stranger.URL(), stranger.Text())
	}
}

// issuer is the authority that certifies the machines' names.
func issuer(t *testing.T) (ca []byte, issue func(host string) (cert, key []byte)) {
	t.Helper()
	dir := t.TempDir()
	run := func(args ...string) {
		cmd := exec.Command("openssl", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Clone(b)
	}
	run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=Trial", "-keyout", "ca.key", "-out", "ca.crt")
	return read("ca.crt"), func(host string) ([]byte, []byte) {
		run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN="+host, "-addext", "subjectAltName=DNS:"+host, "-keyout", "key", "-out", "csr")
		run("x509", "-req", "-in", "csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-copy_extensions", "copy", "-out", "crt")
		return read("crt"), read("key")
	}
}
