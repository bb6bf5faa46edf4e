package trust

import (
	"errors"
	"testing"
)

func TestSignBytesBindsPurposeAndKey(t *testing.T) {
	k, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	sig, err := k.SignBytes("node", []byte("x"))
	if err != nil || VerifyBytes(k.Public(), "node", []byte("x"), sig) != nil {
		t.Fatalf("genuine signature refused: %v", err)
	}
	for name, err := range map[string]error{
		"other purpose": VerifyBytes(k.Public(), "notice", []byte("x"), sig),
		"other bytes":   VerifyBytes(k.Public(), "node", []byte("y"), sig),
		"other key":     VerifyBytes(other.Public(), "node", []byte("x"), sig),
		"cut":           VerifyBytes(k.Public(), "node", []byte("x"), sig[:63]),
		"empty":         VerifyBytes(k.Public(), "node", []byte("x"), nil),
	} {
		if !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
