// Package api answers programs: the Routing API as FIT-Connect defines it
// (/routing-api/v2: routes, areas, info) for existing clients, and the
// portal's own JSON interface (/api/v1: search, suggest, resolve, offers,
// members, coverage) with its OpenAPI 3.1 document at /api/openapi.yaml.
// [FIT-Connect routes] [DOMAIN.md §3.1] [DESIGN §7]
//
// Every handler is a plain http.Handler for GET and HEAD. Answers depend on
// the directory alone, so they are kept encoded until the index changes and
// carry an ETag made from its content. Errors are problem documents
// (application/problem+json, RFC 9457). No request is logged.
//
// The package deviates from the Routing API where honesty demands it:
// origin is "Rathausnetz", and destinationSignature is a seal of this portal
// over what it says (see Advert), never a FIT-Connect signature.
package api
