package xzufi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"rathausnetz/federation"
)

// ErrNotModified says that nothing has changed since the last Fetch.
var ErrNotModified = errors.New("xzufi: not modified")

// maxArchive is the largest archive Fetch takes, in bytes: it is held in
// memory.
const maxArchive = 256 << 20

// Validators are what servers said about the files of a delivery, by URL; the
// caller keeps them from one Fetch to the next. They may be nil.
type Validators map[string]Validator

// Validator is the ETag and the Last-Modified of one answer [RFC 9110 §8.8].
type Validator struct {
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
}

// Fetcher reads deliveries over https.
type Fetcher struct {
	// HTTP makes the requests; its timeouts, retries and address rules hold.
	HTTP    *http.Client
	Options Options
	// Timeout bounds one Fetch as a whole, whatever HTTP allows; 15 minutes
	// if it is not set.
	Timeout time.Duration
}

const defaultTimeout = 15 * time.Minute

// Fetch reads the message, the .zip archive or the index.txt at address (a
// folder if it ends in a slash). If every file is the same as before it
// returns ErrNotModified. Only https is accepted, for every redirect too, and
// only on the host of address; ctx bounds the time. Errors of content are
// *Error with the URL as File.
func (f *Fetcher) Fetch(ctx context.Context, address string, before Validators) (*Batch, Validators, error) {
	u, err := url.Parse(address)
	if err != nil || !f.allowed(u) || u.User != nil {
		return nil, nil, &Error{File: address, Err: ErrInput, Message: "Die Adresse muss mit https:// beginnen und darf kein Passwort enthalten."}
	}
	if strings.HasSuffix(u.Path, "/") {
		u = u.JoinPath(indexName)
	}
	timeout := f.Timeout
	defaults(&timeout, defaultTimeout)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	d := &delivery{f: f, opt: f.Options.filled(), before: before, after: Validators{}, client: f.client(u.Host)}
	if b, err := d.read(ctx, u); !errors.Is(err, errChanged) {
		return b, d.after, err
	}
	// One file is new: all of them are needed, unconditionally.
	d.before, d.after = nil, Validators{}
	b, err := d.read(ctx, u)
	return b, d.after, err
}

func (f *Fetcher) allowed(u *url.URL) bool {
	return u.Host != "" && (u.Scheme == "https" || (u.Scheme == "http" && f.Options.Loopback && federation.IsLoopbackHost(u.Hostname())))
}

// client is HTTP with redirects bound to the host and to https.
func (f *Fetcher) client(host string) *http.Client {
	c := *f.HTTP
	c.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) >= 3 || r.URL.Host != host || !f.allowed(r.URL) {
			return fmt.Errorf("%w: redirect to %s", ErrInput, r.URL.Host)
		}
		return nil
	}
	return &c
}

// delivery is one pass over the files of an address.
type delivery struct {
	f             *Fetcher
	opt           Options
	client        *http.Client
	before, after Validators
	changed, same bool
}

// errChanged says that some files are new and some are not.
var errChanged = errors.New("xzufi: some files changed")

func (d *delivery) read(ctx context.Context, u *url.URL) (*Batch, error) {
	b := &Batch{}
	d.changed, d.same = false, false
	if path.Base(u.Path) != indexName {
		if err := d.file(ctx, u, d.opt, b); err != nil {
			return nil, err
		}
		return b, nil
	}
	body, err := d.get(ctx, u)
	if err != nil {
		return nil, err
	}
	list, err := parseIndex(body, u.String())
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, err
	}
	if len(list) > d.opt.Limits.MaxFiles {
		return nil, tooMany(u.String(), d.opt.Limits.MaxFiles)
	}
	left := d.opt.Limits.MaxTotal
	for _, name := range list {
		opt := d.opt
		opt.Limits.MaxFile = min(opt.Limits.MaxFile, max(left, 1))
		had := b.Report.Bytes
		err := d.file(ctx, u.ResolveReference(&url.URL{Path: name}), opt, b)
		switch {
		case errors.Is(err, ErrNotModified):
			d.same = true
		case err != nil:
			return nil, err
		default:
			d.changed = true
		}
		if d.changed && d.same {
			return nil, errChanged
		}
		left -= b.Report.Bytes - had
	}
	if d.same {
		return nil, ErrNotModified
	}
	return b, nil
}

// file reads one message or archive into b.
func (d *delivery) file(ctx context.Context, u *url.URL, opt Options, b *Batch) error {
	body, err := d.get(ctx, u)
	if err != nil {
		return err
	}
	if !strings.EqualFold(path.Ext(u.Path), ".zip") {
		return errors.Join(Read(body, u.String(), opt, b), body.Close())
	}
	raw, err := io.ReadAll(io.LimitReader(body, maxArchive+1))
	if err := errors.Join(err, body.Close()); err != nil {
		return unreadable(u.String(), err)
	}
	if len(raw) > maxArchive {
		return &Error{File: u.String(), Err: ErrLimit, Message: "Das Archiv ist zu groß. Liefern Sie einen Ordner mit index.txt."}
	}
	z, err := ReadZip(bytes.NewReader(raw), int64(len(raw)), u.String(), opt)
	if err != nil {
		return err
	}
	b.Records = append(b.Records, z.Records...)
	b.Report.add(&z.Report)
	return nil
}

// get asks for one file, conditionally if an earlier answer is known; the
// index itself is always asked for, because files change beside it.
func (d *delivery) get(ctx context.Context, u *url.URL) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, unreadable(u.String(), err)
	}
	if v, ok := d.before[u.String()]; ok && path.Base(u.Path) != indexName {
		if v.ETag != "" {
			req.Header.Set("If-None-Match", v.ETag)
		}
		if v.LastModified != "" {
			req.Header.Set("If-Modified-Since", v.LastModified)
		}
	}
	res, err := d.client.Do(req)
	if err != nil {
		return nil, &Error{File: u.String(), Err: fmt.Errorf("%w: %w", ErrInput, err), Message: "Die Adresse antwortet nicht. Der Katalog bleibt, wie er ist."}
	}
	switch res.StatusCode {
	case http.StatusOK:
		d.after[u.String()] = Validator{ETag: res.Header.Get("ETag"), LastModified: res.Header.Get("Last-Modified")}
		return res.Body, nil
	case http.StatusNotModified:
		d.after[u.String()] = d.before[u.String()]
		return nil, errors.Join(ErrNotModified, res.Body.Close())
	}
	return nil, errors.Join(&Error{
		File: u.String(), Err: fmt.Errorf("%w: status %d", ErrInput, res.StatusCode),
		Message: fmt.Sprintf("Die Adresse antwortet mit Status %d. Der Katalog bleibt, wie er ist.", res.StatusCode),
	}, res.Body.Close())
}
