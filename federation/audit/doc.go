// Package audit keeps a trail of what operators decided: numbered records,
// each naming the digest of the one before, and a signed end. Whatever was
// removed, changed or added outside is found by Verify.
//
// It owns the records and their chain. What is worth a record is decided by
// whoever calls Note: federation/anchor for the hub, portal/admin for the
// pages of the staff. A record names operators by user name or staff number,
// members and reasons; never codes, tokens or citizens.
package audit
