package passkey_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/store"
	"rathausnetz/sso/op/passkey"
)

const (
	issuer  = federation.EntityID("https://landkreis.example")
	account = "a-erika"
)

type fixture struct {
	*passkey.Keys
	store *store.Memory
	now   time.Time
}

func open(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return f.now }
	f.store = store.NewMemory(clock)
	k, err := passkey.New(passkey.Config{Store: f.store, Issuer: issuer, Name: "Landkreis", Secret: bytes.Repeat([]byte{7}, 32), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	f.Keys = k
	return f
}

// device is an authenticator [WebAuthn §6] with one key, and what it gets
// wrong on purpose.
type device struct {
	id      []byte
	handle  []byte
	key     *ecdsa.PrivateKey
	count   uint32
	origin  string
	rp      string
	flags   byte // beside those that a ceremony sets itself
	typ     string
	twisted bool // the signature has one bit changed
}

const (
	present, verified, eligible, attested = 0x01, 0x04, 0x08, 0x40
)

func newDevice(t *testing.T) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	_, _ = rand.Read(id)
	return &device{id: id, key: key, count: 1, origin: issuer.Origin(), rp: issuer.Host(), flags: present | verified}
}

var b64 = base64.RawURLEncoding

func (d *device) clientData(typ, challenge string) []byte {
	if d.typ != "" {
		typ = d.typ
	}
	b, _ := json.Marshal(map[string]any{"type": typ, "challenge": challenge, "origin": d.origin, "crossOrigin": false})
	return b
}

func (d *device) authData(flags byte) []byte {
	rp := sha256.Sum256([]byte(d.rp))
	out := append(rp[:], flags)
	return binary.BigEndian.AppendUint32(out, d.count)
}

// cbor of the few shapes that are needed.
func text(s string) []byte { return append([]byte{0x60 | byte(len(s))}, s...) }
func byteString(b []byte) []byte {
	if len(b) < 24 {
		return append([]byte{0x40 | byte(len(b))}, b...)
	}
	return append([]byte{0x59, byte(len(b) >> 8), byte(len(b))}, b...)
}

func (d *device) cose(t *testing.T) []byte {
	t.Helper()
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	out := []byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21} // EC2, ES256, P-256
	out = append(out, 0x58, 32)
	out = append(out, point[1:33]...)
	out = append(out, 0x22, 0x58, 32)
	return append(out, point[33:]...)
}

// create answers navigator.credentials.create.
func (d *device) create(t *testing.T, options []byte) []byte {
	t.Helper()
	var o struct {
		Challenge string
		User      struct{ ID string }
	}
	if err := json.Unmarshal(options, &o); err != nil {
		t.Fatal(err)
	}
	var err error
	if d.handle, err = b64.DecodeString(o.User.ID); err != nil {
		t.Fatal(err)
	}
	data := d.authData(d.flags | attested)
	data = append(data, make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(d.id)))
	data = append(append(data, d.id...), d.cose(t)...)
	object := append([]byte{0xa3}, text("fmt")...)
	object = append(append(append(object, text("none")...), text("attStmt")...), 0xa0)
	object = append(append(object, text("authData")...), byteString(data)...)
	return d.answer(map[string]string{
		"clientDataJSON": b64.EncodeToString(d.clientData("webauthn.create", o.Challenge)), "attestationObject": b64.EncodeToString(object),
	})
}

// get answers navigator.credentials.get.
func (d *device) get(t *testing.T, options []byte) []byte {
	t.Helper()
	var o struct{ Challenge string }
	if err := json.Unmarshal(options, &o); err != nil {
		t.Fatal(err)
	}
	d.count++
	client, data := d.clientData("webauthn.get", o.Challenge), d.authData(d.flags)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(bytes.Clone(data), hash[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, d.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	if d.twisted {
		sig[len(sig)-1] ^= 1
	}
	return d.answer(map[string]string{
		"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(data),
		"signature": b64.EncodeToString(sig), "userHandle": b64.EncodeToString(d.handle),
	})
}

func (d *device) answer(response map[string]string) []byte {
	id := b64.EncodeToString(d.id)
	b, _ := json.Marshal(map[string]any{"id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
	return b
}

func (f *fixture) register(t *testing.T, account string, d *device) (*passkey.Key, error) {
	t.Helper()
	options, handle, err := f.Creation(t.Context(), account, "erika")
	if err != nil {
		return nil, err
	}
	return f.Add(t.Context(), account, handle, " Mein  Telefon ", d.create(t, options))
}

func (f *fixture) login(t *testing.T, d *device, bind string) (string, []string, error) {
	t.Helper()
	options, err := f.Request(bind)
	if err != nil {
		t.Fatal(err)
	}
	return f.Check(t.Context(), bind, d.get(t, options))
}

func TestLifeOfAPasskey(t *testing.T) {
	f, d := open(t), newDevice(t)
	key, err := f.register(t, account, d)
	if err != nil {
		t.Fatal(err)
	}
	if key.Name != "Mein Telefon" || key.Synced || !key.Used.IsZero() {
		t.Errorf("%+v", key)
	}
	if strings.Contains(string(d.handle), account) || len(d.handle) != 32 {
		t.Errorf("the device knows the account: %q", d.handle)
	}
	acc, amr, err := f.login(t, d, "form 1")
	if err != nil || acc != account || strings.Join(amr, " ") != "hwk user mfa" {
		t.Fatalf("%q %v %v", acc, amr, err)
	}
	if err := f.Rename(t.Context(), account, key.ID, "Altes Telefon"); err != nil {
		t.Fatal(err)
	}
	list, err := f.List(t.Context(), account)
	if err != nil || len(list) != 1 || list[0].Name != "Altes Telefon" || !list[0].Used.Equal(f.now) {
		t.Fatalf("%+v %v", list, err)
	}
	for what, err := range map[string]error{
		"another account renames": f.Rename(t.Context(), "a-max", key.ID, "Meins"), "another account removes": f.Remove(t.Context(), "a-max", key.ID),
		"no such key": f.Remove(t.Context(), account, "x"),
	} {
		if !errors.Is(err, passkey.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := f.Rename(t.Context(), account, key.ID, " \n "); !errors.Is(err, passkey.ErrName) {
		t.Errorf("empty name: %v", err)
	}
	if err := f.Remove(t.Context(), account, key.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.login(t, d, "form 2"); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("removed key: %v", err)
	}
	if err := f.store.Scan(t.Context(), "", func(key string, b []byte) bool {
		t.Errorf("left: %s %s", key, b)
		return true
	}); err != nil {
		t.Fatal(err)
	}
}

func TestMakingRefuses(t *testing.T) {
	f := open(t)
	for what, change := range map[string]func(*device){
		"foreign origin": func(d *device) { d.origin = "https://boese.example" }, "other port": func(d *device) { d.origin += ":8443" },
		"foreign host": func(d *device) { d.rp = "boese.example" }, "not verified": func(d *device) { d.flags = present },
		"nobody there": func(d *device) { d.flags = verified }, "a login": func(d *device) { d.typ = "webauthn.get" },
	} {
		d := newDevice(t)
		change(d)
		if _, err := f.register(t, account, d); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	d := newDevice(t)
	options, handle, err := f.Creation(t.Context(), account, "erika")
	if err != nil {
		t.Fatal(err)
	}
	answer := d.create(t, options)
	add := func(account, handle string, answer []byte) error {
		_, err := f.Add(t.Context(), account, handle, "n", answer)
		return err
	}
	if err := add(account, "guessed", answer); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("guessed handle: %v", err)
	}
	if err := add(account, handle, answer); err != nil {
		t.Fatal(err)
	}
	if err := add(account, handle, answer); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("sent again: %v", err)
	}
	_, handle, _ = f.Creation(t.Context(), account, "erika")
	if err := add("a-max", handle, answer); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("into another account: %v", err)
	}
	if _, err := f.register(t, "a-max", d); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("a key of somebody else: %v", err)
	}
	options, handle, _ = f.Creation(t.Context(), account, "erika")
	f.now = f.now.Add(11 * time.Minute)
	if err := add(account, handle, newDevice(t).create(t, options)); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("after ten minutes: %v", err)
	}
	for _, junk := range []string{"", "{}", "null", `{"id":1}`, strings.Repeat("x", 20000), string(answer[:len(answer)/2])} {
		_, handle, _ := f.Creation(t.Context(), account, "erika")
		if err := add(account, handle, []byte(junk)); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("%.20q: %v", junk, err)
		}
	}
	for range 9 {
		if _, err := f.register(t, account, newDevice(t)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.register(t, account, newDevice(t)); !errors.Is(err, passkey.ErrMany) {
		t.Errorf("the eleventh: %v", err)
	}
}

func TestSigningInRefuses(t *testing.T) {
	f := open(t)
	good := newDevice(t)
	if _, err := f.register(t, account, good); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*device){
		"foreign origin": func(d *device) { d.origin = "https://boese.example" }, "foreign host": func(d *device) { d.rp = "boese.example" },
		"not verified": func(d *device) { d.flags = present }, "nobody there": func(d *device) { d.flags = verified },
		"another signature": func(d *device) { d.twisted = true }, "another person's handle": func(d *device) { d.handle = bytes.Repeat([]byte{1}, 32) },
		"no handle": func(d *device) { d.handle = nil }, "unknown key": func(d *device) { d.id = bytes.Repeat([]byte{2}, 32) },
		"made now backed up": func(d *device) { d.flags |= eligible }, "a registration": func(d *device) { d.typ = "webauthn.create" },
	} {
		d := *good
		change(&d)
		if _, _, err := f.login(t, &d, "form"); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	options, err := f.Request("one form")
	if err != nil {
		t.Fatal(err)
	}
	answer := good.get(t, options)
	if _, _, err := f.Check(t.Context(), "another form", answer); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("the answer of another form: %v", err)
	}
	if _, _, err := f.Check(t.Context(), "one form", answer); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Check(t.Context(), "one form", answer); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("sent again, with the same counter: %v", err)
	}
	good.count = 0
	if _, _, err := f.login(t, good, "copied"); !errors.Is(err, passkey.ErrRefused) {
		t.Errorf("a counter that went back: %v", err)
	}
	for _, junk := range []string{"", "{}", "[]", strings.Repeat("{", 20000)} {
		if _, _, err := f.Check(t.Context(), "form", []byte(junk)); !errors.Is(err, passkey.ErrRefused) {
			t.Errorf("%.20q: %v", junk, err)
		}
	}
}

func TestNoPasskeysByAddress(t *testing.T) {
	for _, id := range []federation.EntityID{"http://127.0.0.1:8080", "https://[2001:db8::1]"} {
		_, err := passkey.New(passkey.Config{Store: store.NewMemory(time.Now), Issuer: id, Name: "x", Secret: make([]byte, 32)})
		if !errors.Is(err, passkey.ErrHost) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func FuzzCheck(f *testing.F) {
	k, err := passkey.New(passkey.Config{Store: store.NewMemory(time.Now), Issuer: issuer, Name: "x", Secret: make([]byte, 32)})
	if err != nil {
		f.Fatal(err)
	}
	d := &device{id: []byte("0123456789abcdef"), handle: []byte("h"), origin: issuer.Origin(), rp: issuer.Host(), flags: present | verified}
	f.Add(d.answer(map[string]string{"clientDataJSON": b64.EncodeToString(d.clientData("webauthn.get", "x")), "authenticatorData": b64.EncodeToString(d.authData(5)), "signature": "AA", "userHandle": "AA"}))
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, _, err := k.Check(t.Context(), "form", b); err == nil {
			t.Error("nobody has a passkey here")
		}
	})
}
