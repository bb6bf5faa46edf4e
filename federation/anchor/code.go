package anchor

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"rathausnetz/federation"
)

// Code is a one-time invitation: whom to join, the key that the hub must show,
// and a secret. Handle its text like a password until it is used.
type Code struct {
	Hub         federation.EntityID
	Fingerprint []byte    // of the hub's federation key: first 16 bytes of the RFC 7638 thumbprint
	Secret      []byte    // 16 bytes
	Expires     time.Time // known to the hub only, zero after ParseCode
}

const (
	codePrefix       = "RN1"
	fingerprintBytes = 16
	secretBytes      = 16
	checksumBytes    = 4
	maxCodeText      = 1000
	groupLength      = 6
)

// crockford leaves out I, L, O and U, so that reading aloud and typing work.
func crockford() *base32.Encoding {
	return base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)
}

// String returns the text form: RN1 and groups of six letters and digits.
func (c Code) String() string {
	b := append([]byte{byte(len(c.Hub))}, c.Hub...)
	b = append(append(b, c.Fingerprint...), c.Secret...)
	sum := sha256.Sum256(b)
	text := crockford().EncodeToString(append(b, sum[:checksumBytes]...))
	var out strings.Builder
	out.WriteString(codePrefix)
	for len(text) > 0 {
		n := min(groupLength, len(text))
		out.WriteByte('-')
		out.WriteString(text[:n])
		text = text[n:]
	}
	return out.String()
}

// ParseCode reads the text form; spaces, line breaks, dashes and letter case
// do not matter, and O, I and L may stand for 0 and 1. A typing error or a
// missing piece wraps ErrCodeTypo, something else entirely ErrCodeForm.
func ParseCode(s string, allowLoopback bool) (Code, error) {
	if len(s) > maxCodeText {
		return Code{}, ErrCodeForm
	}
	text := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n', '-', '\u00a0', '\u00ad', '\u2010', '\u2011', '\u2013', '\u200b', '\ufeff':
			return -1
		case 'o', 'O':
			return '0'
		case 'i', 'I', 'l', 'L':
			return '1'
		}
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
	rest, ok := strings.CutPrefix(text, codePrefix)
	if !ok {
		return Code{}, ErrCodeForm
	}
	b, err := crockford().DecodeString(rest)
	if err != nil || len(b) < 1+fingerprintBytes+secretBytes+checksumBytes {
		return Code{}, ErrCodeTypo
	}
	body, sum := b[:len(b)-checksumBytes], b[len(b)-checksumBytes:]
	want := sha256.Sum256(body)
	if subtle.ConstantTimeCompare(sum, want[:checksumBytes]) == 0 || len(body) != 1+int(body[0])+fingerprintBytes+secretBytes {
		return Code{}, ErrCodeTypo
	}
	n := 1 + int(body[0])
	hub, err := federation.ParseEntityID(string(body[1:n]), allowLoopback)
	if err != nil {
		return Code{}, fmt.Errorf("%w: hub address: %w", ErrCodeForm, err)
	}
	return Code{Hub: hub, Fingerprint: body[n : n+fingerprintBytes], Secret: body[n+fingerprintBytes:]}, nil
}
