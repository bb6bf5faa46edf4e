package config

import (
	"reflect"
	"slices"
)

// Changes names the keys whose values differ, dotted and sorted; a list is one
// key.
func Changes(a, b Config) []string {
	var out []string
	changes(reflect.ValueOf(&a).Elem(), reflect.ValueOf(&b).Elem(), "", &out)
	slices.Sort(out)
	return out
}

func changes(a, b reflect.Value, path string, out *[]string) {
	others := fieldsOf(b)
	for name, f := range fieldsOf(a) {
		key := join(path, name)
		switch {
		case !isScalar(f) && f.Kind() == reflect.Struct:
			changes(f, others[name], key, out)
		case !reflect.DeepEqual(f.Interface(), others[name].Interface()):
			*out = append(*out, key)
		}
	}
}

// Reloadable reports whether a running node takes over a change of key. All
// others need a restart.
func Reloadable(key string) bool {
	switch key {
	case "log.level", "log.format", "portal.file", "catalog.source", "catalog.every", "catalog.delegations",
		"op.clients", "proxies", "outbound.allow", "register.leika", "tls.cert", "tls.key":
		return true
	}
	return false
}
