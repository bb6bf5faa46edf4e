package foreign_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/federation/trust"
	"rathausnetz/sso"
	"rathausnetz/sso/foreign"
	"rathausnetz/sso/op"
	"rathausnetz/sso/op/account"
	"rathausnetz/sso/op/ledger"
)

const (
	loadClient   = "portal"
	loadSecret   = "0123456789abcdef0123456789abcdef"
	loadCallback = "http://127.0.0.4:9/cb"
	loadPassword = "password"
	serveEnv     = "RATHAUSNETZ_LOGINS" // memory or bolt, with -password for real passwords
)

// instant knows everybody without a password check, as the mock connectors of
// other providers do.
type instant struct{}

func (instant) Check(_ context.Context, username, _, _ string) (*account.Account, error) {
	return &account.Account{ID: "a-" + username, Username: username, Level: federation.LevelNiedrig, Claims: sso.Claims{Name: username}}, nil
}

func (instant) Get(_ context.Context, id string) (*account.Account, error) {
	return &account.Account{ID: id, Level: federation.LevelNiedrig}, nil
}

func (instant) MaxLevel() federation.Level { return federation.LevelNiedrig }

// TestServeLogins is no test: it is the provider in a process of its own, for
// BenchmarkLogins and for any other load generator. It serves until its
// standard input ends.
func TestServeLogins(t *testing.T) {
	kind, secret := strings.CutSuffix(os.Getenv(serveEnv), "-password")
	if kind == "" {
		t.Skip(serveEnv + " names no store")
	}
	var st store.Store = store.NewMemory(nil)
	if kind == "bolt" {
		b := must(store.OpenBolt(filepath.Join(t.TempDir(), "store.db"), nil))(t)
		defer b.Close()
		st = b
	}
	var accounts op.Accounts = instant{}
	if secret {
		own := must(account.New(account.Config{Store: st}))(t)
		must(own.Add(t.Context(), account.NewAccount{Username: "erika", Password: loadPassword, Level: federation.LevelNiedrig}))(t)
		accounts = own
	}
	client := must(withoutWarnings(op.FromRegistration(op.Registration{
		ID: loadClient, Secret: loadSecret, RedirectURIs: []string{loadCallback}, Own: true,
	})))(t)
	mux := http.NewServeMux()
	ln := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	issuer := "http://" + ln.Addr().String()
	provider := must(op.New(op.Config{
		Issuer: federation.EntityID(issuer), Store: st, Accounts: accounts, Pages: pages{}, HTTP: &http.Client{},
		Keys: &trust.Keys{Protocol: []*trust.Key{must(trust.NewKey())(t)}}, Salt: must(op.OpenSalt(t.Context(), st))(t),
		Clients: op.ClientsFunc(func(_ context.Context, id string) (*op.Client, error) {
			if id != client.ID {
				return nil, op.ErrUnknownClient
			}
			return client, nil
		}),
	}))(t)
	for path, h := range provider.Handlers() {
		mux.Handle(path, h)
	}
	srv := httptest.NewUnstartedServer(mux)
	if err := srv.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	srv.Listener = ln
	srv.Start()
	defer srv.Close()
	fmt.Printf("{\"issuer\":%q}\n", issuer)
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		t.Fatal(err)
	}
}

func withoutWarnings[T any](v T, _ []string, err error) (T, error) { return v, err }

// BenchmarkLogins is complete logins over loopback sockets, code, PKCE and
// tokens, at a provider in a process of its own: ours, and oidc-provider, with
// the same citizens. server-ms and client-ms are processor time for each login.
func BenchmarkLogins(b *testing.B) {
	for _, kind := range []string{"memory", "bolt", "memory-password", "oidc-provider"} {
		for _, citizens := range []int{4, 16} {
			if citizens > 4 && strings.HasSuffix(kind, "-password") {
				continue // so many attempts at one account at once are an attack
			}
			b.Run(fmt.Sprintf("%s/%d", kind, citizens), func(b *testing.B) {
				issuer, pid := startProvider(b, kind)
				load(b, issuer, pid, citizens)
			})
		}
	}
}

func startProvider(b *testing.B, kind string) (issuer string, pid int) {
	b.Helper()
	if kind == "oidc-provider" {
		p, err := foreign.Start(context.Background(), "op.mjs", map[string]any{"clients": []any{map[string]any{
			"client_id": loadClient, "client_secret": loadSecret, "redirect_uris": []string{loadCallback},
			"token_endpoint_auth_method": "client_secret_basic", "id_token_signed_response_alg": "ES256",
		}}}, io.Discard)
		if errors.Is(err, foreign.ErrMissing) {
			b.Skip(err)
		}
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			if err := p.Stop(); err != nil {
				b.Error(err)
			}
		})
		var ready struct{ Issuer string }
		if err := p.Next(&ready); err != nil {
			b.Fatal(err)
		}
		return ready.Issuer, p.Pid()
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestServeLogins$", "-test.timeout", "0")
	cmd.Env = append(os.Environ(), serveEnv+"="+kind)
	stdin, err := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err, err2, cmd.Start()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(stdin.Close(), cmd.Wait()); err != nil {
			b.Error(err)
		}
	})
	var ready struct{ Issuer string }
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil {
		b.Fatal(err)
	}
	return ready.Issuer, cmd.Process.Pid
}

// load runs b.N logins of so many citizens at once.
func load(b *testing.B, issuer string, pid, citizens int) {
	b.Helper()
	tr := &http.Transport{MaxIdleConnsPerHost: 2 * citizens}
	defer tr.CloseIdleConnections()
	meta := endpoints(b, issuer, tr)
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	b.ResetTimer()
	server, client, start := cpuOf(b, pid), cpuOf(b, os.Getpid()), time.Now()
	for range citizens {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := meta.login(tr); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "logins/s")
	b.ReportMetric((cpuOf(b, pid)-server).Seconds()*1000/float64(b.N), "server-ms")
	b.ReportMetric((cpuOf(b, os.Getpid())-client).Seconds()*1000/float64(b.N), "client-ms")
}

// cpuOf is the processor time a process has used, by /proc: hundredths of a
// second.
func cpuOf(b *testing.B, pid int) time.Duration {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Skip(err)
	}
	fields := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	var user, system int64
	if _, err := fmt.Sscan(strings.Join(fields[11:13], " "), &user, &system); err != nil {
		b.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

type loadTarget struct {
	Authorize string `json:"authorization_endpoint"`
	Token     string `json:"token_endpoint"`
}

func endpoints(b *testing.B, issuer string, tr http.RoundTripper) loadTarget {
	b.Helper()
	res := must((&http.Client{Transport: tr}).Get(issuer + "/.well-known/openid-configuration"))(b)
	defer res.Body.Close()
	var m loadTarget
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil {
		b.Fatal(err)
	}
	return m
}

// login is one citizen with a fresh browser: the request, the form if there is
// one, the code, the tokens.
func (m loadTarget) login(tr http.RoundTripper) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	c := &http.Client{Transport: tr, Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), loadCallback) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	verifier, state := ledger.Random(), ledger.Random()
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"client_id": {loadClient}, "redirect_uri": {loadCallback}, "response_type": {"code"}, "scope": {"openid profile email"},
		"state": {state}, "nonce": {ledger.Random()}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	res, err := c.Get(m.Authorize + "?" + q.Encode())
	for range 3 {
		if err != nil {
			return err
		}
		body, err2 := io.ReadAll(res.Body)
		if err2 = errors.Join(err2, res.Body.Close()); err2 != nil {
			return err2
		}
		if to := res.Header.Get("Location"); to != "" {
			return m.redeem(c, to, state, verifier)
		}
		form := formTag.FindStringSubmatch(string(body))
		if form == nil {
			return fmt.Errorf("%d at %s: %.200s", res.StatusCode, res.Request.URL, body)
		}
		f := url.Values{}
		for _, in := range inputTag.FindAllStringSubmatch(form[2], -1) {
			f.Set(in[1], in[2])
		}
		f.Set("username", "erika")
		f.Set("password", loadPassword)
		res, err = c.PostForm(form[1], f)
	}
	return errors.New("too many forms")
}

func (m loadTarget) redeem(c *http.Client, location, state, verifier string) error {
	u, err := url.Parse(location)
	if err != nil || u.Query().Get("state") != state || u.Query().Get("code") == "" {
		return fmt.Errorf("no code: %s: %w", location, err)
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {loadCallback}, "code_verifier": {verifier}}
	req, err := http.NewRequest(http.MethodPost, m.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.SetBasicAuth(url.QueryEscape(loadClient), url.QueryEscape(loadSecret))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := c.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var t struct {
		ID string `json:"id_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&t); err != nil || t.ID == "" {
		return fmt.Errorf("token: %d %w", res.StatusCode, err)
	}
	return nil
}
