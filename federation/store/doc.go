// Package store is the small key-value contract behind sessions, one-time
// objects, accounts and the hub's registry, with three implementations:
// Memory for tests and throughput, Bolt (one file per node, the default) and
// Redis (several replicas of one node). All three pass one suite, storetest.
//
// Every operation is atomic for one key and touches one key only, so a Redis
// Cluster needs no hash tags. The package knows nothing about what is kept in
// it and is the only one that imports bbolt and go-redis. It starts no
// goroutine of its own: Memory and Bolt drop expired keys on reading and, a
// bounded number at a time, with each write.
package store
