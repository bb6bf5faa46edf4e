// Package delegation keeps what members have delegated to each other: a
// member's catalogue names another member for a key and areas, and the other's
// claim is then valid there, although its own mark does not reach so far
// [DESIGN §4.2].
//
// It decides which claims outside a mark may enter the directory at all. Who
// was entitled to delegate what is judged before, by catalog.WithinScope, and
// again by federation/directory, which also looks at the day, the place and at
// circles.
package delegation
