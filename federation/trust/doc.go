// Package trust decides what may be believed in the network: keys and their
// rotation, signed statements, trust chains, metadata policies, constraints
// and trust marks of OpenID Federation 1.0, with the ES256 profile and the
// area scope of this network.
//
// It verifies and signs; it does not administer. Who is admitted is decided in
// federation/anchor, what one node currently believes about the others is kept
// in federation/roster.
//
// All JOSE of the project goes through here: Sign makes and Open reads compact
// JWS, with a size limit before parsing, an explicit list of algorithms, typ
// and kid required, and claims that may not repeat a member. There is no JWE.
//
// Verification never returns nil for something it could not check; every
// refusal is a *Refusal that names the statement, the rule and the value.
//
// Standards: OpenID Federation 1.0 (tag OIDF), RFC 7515 (JWS), RFC 7517 (JWK),
// RFC 7519 (JWT), RFC 7638 (thumbprint), RFC 6761 (special-use names),
// RFC 6890 (special-use addresses).
package trust
