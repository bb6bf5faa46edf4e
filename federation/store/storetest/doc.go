// Package storetest is the one suite that every store.Store has to pass, and
// starts the redis-server that tests of replicated nodes need.
package storetest
