// Package config reads the one YAML file that describes a node.
//
// The file is strict: an unknown key, a wrong type and a value that cannot
// work are faults, all of them reported at once with line, key and remedy.
// Environment variables RATHAUSNETZ_<KEY> override single scalars, with dots
// written as underscores (RATHAUSNETZ_GOSSIP_BIND). Secrets do not stand in
// the file: keys live in their own files below the data folder.
//
// The package reads; it opens no listener and no store.
package config
