package trust

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"rathausnetz/federation"
)

// wellKnown is where an entity configuration is [OIDF §9].
const wellKnown = "/.well-known/openid-federation"

// isEndpoint reports whether a federation_entity parameter is an address that
// we would call.
func isEndpoint(parameter string) bool {
	return strings.HasPrefix(parameter, "federation_") && strings.HasSuffix(parameter, "_endpoint")
}

// sameOrigin reports whether address is an absolute URL without user part and
// fragment on the origin of id.
func sameOrigin(id federation.EntityID, address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.User == nil && u.Fragment == "" && !strings.Contains(address, "#") &&
		id.Origin() == u.Scheme+"://"+u.Host
}

// fetcher makes the outgoing requests of one resolution.
type fetcher struct {
	client *http.Client
	limit  int64
	left   int // requests that may still be made
}

// noRedirects returns client with redirects turned off: an answer from
// elsewhere is not an answer [SSO.md §2].
func noRedirects(client *http.Client) *http.Client {
	c := *client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.Jar = nil
	return &c
}

// statement gets one token of the given media type.
func (f *fetcher) statement(ctx context.Context, address, mediaType string) (string, error) {
	if f.left <= 0 {
		return "", refuse(ErrLimit, address, "requests of one resolution [SSO.md §2]", nil)
	}
	f.left--
	return getToken(ctx, f.client, address, mediaType, f.limit)
}

// getToken makes one GET request for a token.
func getToken(ctx context.Context, client *http.Client, address, mediaType string, limit int64) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", refuse(ErrFetch, address, "address", nil)
	}
	req.Header.Set("Accept", mediaType)
	res, err := client.Do(req)
	if err != nil {
		return "", fetchError(address, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return "", fetchError(address, err)
	}
	if int64(len(body)) > limit {
		return "", refuse(ErrLimit, address, fmt.Sprintf("answer of at most %d bytes [SSO.md §2]", limit), nil)
	}
	switch {
	case res.StatusCode == http.StatusNotFound && strings.Contains(string(body), "not_found"):
		return "", refuse(ErrNotFound, address, "status 200 [OIDF §8.1]", "404 not_found")
	case res.StatusCode != http.StatusOK:
		return "", refuse(ErrFetch, address, "status 200 [OIDF §8]", res.StatusCode)
	}
	if got, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || got != mediaType {
		return "", refuse(ErrFetch, address, "content type "+mediaType, res.Header.Get("Content-Type"))
	}
	return strings.TrimSuffix(string(body), "\n"), nil
}

// fetchError keeps the guard's verdict visible; everything else is ErrFetch.
func fetchError(address string, err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	if errors.Is(err, ErrAddress) {
		return refuse(ErrAddress, address, "public address [RFC 6890]", err)
	}
	return refuse(ErrFetch, address, "reachable", err)
}

// withQuery appends parameters to an endpoint that may have a query already.
func withQuery(endpoint string, params url.Values) string {
	sep := "?"
	if strings.Contains(endpoint, "?") {
		sep = "&"
	}
	return endpoint + sep + params.Encode()
}

// FetchConfiguration gets an entity configuration without judging it; see
// OpenConfiguration. client should be guarded and must not follow redirects.
func FetchConfiguration(ctx context.Context, client *http.Client, id federation.EntityID) (string, error) {
	return FetchToken(ctx, client, id.URL(wellKnown), TypeStatement)
}

// FetchToken gets one token of at most 512 KiB with this typ as media type.
// Redirects are not followed. Errors wrap ErrFetch, ErrNotFound, ErrLimit or
// ErrAddress.
func FetchToken(ctx context.Context, client *http.Client, address, typ string) (string, error) {
	return getToken(ctx, noRedirects(client), address, "application/"+typ, MaxToken)
}
