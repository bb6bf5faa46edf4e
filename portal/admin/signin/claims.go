package signin

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
)

const maxGroups = 1000

// payload returns the claims of an ID token that has been verified.
func payload(compact string) (map[string]json.RawMessage, error) {
	parts := strings.Split(compact, ".")
	if len(parts) != 3 {
		return nil, errors.New("not a compact token")
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, err
	}
	var m map[string]json.RawMessage
	return m, json.Unmarshal(b, &m)
}

// groups returns the words at path: a list of strings, or one string. The whole
// path is tried as a name first, because claim names may hold dots and are
// often addresses.
func groups(claims map[string]json.RawMessage, path string) []string {
	if raw, ok := claims[path]; ok {
		return listed(raw)
	}
	head, rest, nested := strings.Cut(path, ".")
	var inner map[string]json.RawMessage
	if !nested || json.Unmarshal(claims[head], &inner) != nil {
		return nil
	}
	return groups(inner, rest)
}

func listed(raw json.RawMessage) []string {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list[:min(len(list), maxGroups)]
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}
	}
	return nil
}
