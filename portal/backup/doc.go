// Package backup writes one file with everything a node needs to be itself
// again, and puts it back.
//
// The file is a gzipped tar. Its last entry, MANIFEST.json, lists every other
// one with size and SHA-256; nothing is put back unless all of them hold, and
// nothing that exists is ever overwritten. The package knows files, not nodes:
// its caller says which, and which of them are secrets. The file itself is not
// encrypted: it holds private keys, and whoever keeps it must lock it away.
package backup
