package trust

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth is how deeply claims may be nested.
const maxDepth = 32

// CheckJSON reports whether b is exactly one JSON object as this network
// accepts it: valid UTF-8, no member name twice in one object, also not in
// another letter case, at most 32 levels, nothing after it. encoding/json
// would let each of these pass, and two parsers could read two meanings.
// Errors wrap ErrClaims.
func CheckJSON(b []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(b))
	if d.PeekKind() != '{' {
		return fmt.Errorf("%w: not a JSON object", ErrClaims)
	}
	// One map of folded names for each open object; nil for arrays.
	var open []map[string]bool
	for {
		tok, err := d.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %s", ErrClaims, clip(err.Error()))
		}
		if open, err = track(d, open, tok); err != nil {
			return err
		}
		if len(open) > 0 {
			continue
		}
		if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: something follows the JSON object", ErrClaims)
		}
		return nil
	}
}

// track keeps the stack of open objects and refuses names that differ only in
// case; exact duplicates were refused by the decoder already.
func track(d *jsontext.Decoder, open []map[string]bool, tok jsontext.Token) ([]map[string]bool, error) {
	switch tok.Kind() {
	case '{', '[':
		if len(open) >= maxDepth {
			return nil, fmt.Errorf("%w: nested deeper than %d levels", ErrClaims, maxDepth)
		}
		var names map[string]bool
		if tok.Kind() == '{' {
			names = make(map[string]bool, 8)
		}
		return append(open, names), nil
	case '}', ']':
		return open[:len(open)-1], nil
	case '"':
		names := open[len(open)-1]
		if _, n := d.StackIndex(d.StackDepth()); names == nil || n%2 == 0 {
			return open, nil // a value, not a name
		}
		name := foldASCII(tok.String())
		if names[name] {
			return nil, fmt.Errorf("%w: member %q twice in one object", ErrClaims, clip(tok.String()))
		}
		names[name] = true
	}
	return open, nil
}

func foldASCII(s string) string {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			return string(bytes.ToLower([]byte(s)))
		}
	}
	return s
}

// decode reads JSON into v: member names are compared exactly, numbers must
// fit, duplicates and invalid UTF-8 are refused.
func decode(b []byte, v any) error {
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %s", ErrClaims, clip(err.Error()))
	}
	return nil
}

// Decode is CheckJSON followed by decoding into v with exact member names.
func Decode(b []byte, v any) error {
	if err := CheckJSON(b); err != nil {
		return err
	}
	return decode(b, v)
}
