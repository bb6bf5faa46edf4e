package provider

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"
)

// Limits of every request to a provider.
const (
	maxBody        = 256 << 10 // bytes
	requestTimeout = 10 * time.Second
)

// answer is a response read to its end.
type answer struct {
	status int
	media  string
	body   []byte
}

func (a *answer) isJSON() bool { return a.media == "application/json" }

// do sends req with a deadline and reads at most maxBody bytes. Redirects are
// not followed: an endpoint is where the metadata says, nowhere else.
func (c *Client) do(req *http.Request) (*answer, error) {
	ctx, cancel := context.WithTimeout(req.Context(), requestTimeout)
	defer cancel()
	req = req.WithContext(ctx)
	req.Header.Set("Accept", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnreachable, req.URL.Host, err)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if cerr := res.Body.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnreachable, req.URL.Host, err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("%w: %s answered with more than %d bytes", ErrAnswer, req.URL.Host, maxBody)
	}
	media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil {
		media = ""
	}
	return &answer{status: res.StatusCode, media: media, body: body}, nil
}
