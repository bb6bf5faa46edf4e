// Package directory answers the question the network exists for: who is
// responsible for this Leistung in this place, why, and how do we know? It
// holds one immutable index over the verified catalogues of all members and
// owns Lookup, Resolve, Explain, Search, Suggest, Coverage, Conflicts and
// Gaps [DESIGN §4].
//
// An update of one member builds that member's part aside and publishes a new
// index with one atomic pointer; readers take no lock, and what belongs to
// the other members is shared, not rebuilt. The answer depends on what the
// members have published and never on the order in which it arrived.
//
// Fetching and verifying catalogues belongs to federation/mirror, turning a
// postal code or a name into an Area to federation/region, sentences for
// people to portal/web. The package does no I/O and starts no goroutine.
package directory
