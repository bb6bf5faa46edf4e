package trust

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"rathausnetz/federation"
)

// walk is one resolution: its budget, its path and its steps. It belongs to
// one goroutine.
type walk struct {
	r     *Resolver
	fetch *fetcher
	path  []federation.EntityID // from the leaf to where we are
	fresh bool                  // ask hubs again, too
	local bool                  // ask nobody
	trace *trace
}

func (r *Resolver) walk() *walk {
	return &walk{
		r: r, trace: &trace{},
		fetch: &fetcher{client: r.client, limit: r.cfg.Limits.Bytes, left: r.cfg.Limits.Fetches},
	}
}

// resolve fetches and verifies the chain of id and puts it into the cache.
func (w *walk) resolve(ctx context.Context, id federation.EntityID) (*Chain, error) {
	label := "entity configuration of " + string(id)
	if slices.Contains(w.path, id) {
		return nil, w.trace.fail(refuse(ErrLimit, label, "no loop in authority_hints [OIDF §10.1]", id))
	}
	if len(w.path) >= w.r.cfg.Limits.Depth {
		return nil, w.trace.fail(refuse(ErrLimit, label, "depth of a chain [SSO.md §2]", len(w.path)+1))
	}
	w.path = append(w.path, id)
	defer func() { w.path = w.path[:len(w.path)-1] }()

	if _, err := federation.ParseEntityID(string(id), w.r.cfg.AllowLoopback); err != nil {
		return nil, w.trace.fail(refuse(ErrAddress, label, "entity ID [OIDF §1.2]", id))
	}
	from := len(w.trace.steps)
	compact, err := w.fetch.statement(ctx, id.URL(wellKnown), "application/"+TypeStatement)
	if err != nil {
		return nil, w.trace.fail(err)
	}
	leaf, err := w.r.reader(w.r.cfg.Now()).configuration(compact, id)
	if err != nil {
		return nil, w.trace.fail(err)
	}
	w.trace.ok("well-formed and self-signed [OIDF §9]", leaf.String())
	var c *Chain
	if keys, isAnchor := w.r.anchorKeys(id); isAnchor {
		c, err = w.anchor(ctx, leaf, keys)
	} else {
		c, err = w.climb(ctx, leaf)
	}
	if err != nil {
		return nil, err
	}
	c.Steps = slices.Clone(w.trace.steps[from:])
	w.r.cache.put(c, w.r.cfg.Now())
	return c, nil
}

// anchor makes the chain of a trust anchor: its configuration must be signed
// with a key that was configured here, out of band [OIDF §10.2].
func (w *walk) anchor(ctx context.Context, leaf *Statement, keys JWKS) (*Chain, error) {
	if err := anchorSigned(leaf, keys); err != nil {
		w.r.cfg.Log.Error("trust anchor shows other keys than configured", "peer", leaf.Subject, "err", err)
		return nil, w.trace.fail(err)
	}
	w.trace.ok("signed with a configured key of the trust anchor [OIDF §10.2]", leaf.String())
	c, err := assemble(leaf, nil, w.trace)
	if err != nil {
		return nil, err
	}
	w.marks(ctx, c, nil)
	return c, nil
}

// anchorSigned checks an anchor's configuration against the configured keys,
// key by key and not by kid alone.
func anchorSigned(s *Statement, configured JWKS) error {
	if err := s.token.verify(configured); err != nil {
		return refuse(ErrAnchorKeys, s.String(), "signed with a configured key [OIDF §10.2]", s.token.Header.KeyID)
	}
	return nil
}

// climb tries each superior that leaf names.
func (w *walk) climb(ctx context.Context, leaf *Statement) (*Chain, error) {
	if len(leaf.AuthorityHints) == 0 {
		return nil, w.trace.fail(refuse(ErrNoAnchor, leaf.String(), "authority_hints, or being a configured trust anchor [OIDF §10.1]", nil))
	}
	var all []error
	for _, hint := range leaf.AuthorityHints {
		c, err := w.below(ctx, leaf, hint)
		if err == nil {
			return c, nil
		}
		all = append(all, err)
		if ctx.Err() != nil || errors.Is(err, ErrLimit) {
			break
		}
	}
	return nil, errors.Join(all...)
}

// below builds leaf's chain under one superior. A superior's chain from the
// cache gets a second chance fresh: it may have changed its keys or its marks.
func (w *walk) below(ctx context.Context, leaf *Statement, hint federation.EntityID) (*Chain, error) {
	if !w.fresh && !slices.Contains(w.path, hint) {
		if e, ok := w.r.cache.recent(hint, w.r.cfg.Now(), w.r.cfg.Limits.HubTTL); ok {
			if e.err != nil {
				return nil, w.trace.fail(e.err)
			}
			mark := len(w.trace.steps)
			w.trace.note(VerdictOK, "chain of the superior, verified before [OIDF §10]", string(hint), "")
			c, err := w.under(ctx, leaf, e.chain)
			answered := errors.Is(err, ErrNotFound) || errors.Is(err, ErrFetch) || errors.Is(err, ErrAddress)
			if answered || err == nil && len(c.Marks) == len(leaf.Marks) {
				return c, err
			}
			w.trace.steps = w.trace.steps[:mark]
		}
	}
	superior, err := w.resolve(ctx, hint)
	if err != nil {
		// A hub that does not answer keeps its word until it expires; one that
		// answers something wrong does, too, but the answer is in the log.
		old, ok := w.r.cache.valid(hint, w.r.cfg.Now())
		if !ok || errors.Is(err, ErrNotFound) || slices.Contains(w.path, hint) {
			return nil, err
		}
		w.trace.note(VerdictNote, "chain of the superior from before, until it expires [SSO.md §10 113]", string(hint), err.Error())
		superior = old
	}
	return w.under(ctx, leaf, superior)
}

// under fetches what superior says about leaf and joins both chains.
func (w *walk) under(ctx context.Context, leaf *Statement, superior *Chain) (*Chain, error) {
	entity, _, err := superior.Metadata.Entity()
	if err != nil {
		return nil, w.trace.fail(err)
	}
	label := "subordinate statement of " + string(superior.Leaf) + " about " + string(leaf.Subject)
	if entity.FetchEndpoint == "" {
		return nil, w.trace.fail(refuse(ErrStatement, label, "the superior has a fetch endpoint of its own origin [OIDF §8.1]", nil))
	}
	compact, err := w.fetch.statement(ctx, withQuery(entity.FetchEndpoint, url.Values{"sub": {string(leaf.Subject)}}), "application/"+TypeStatement)
	if err != nil {
		return nil, w.trace.fail(err)
	}
	rd := w.r.reader(w.r.cfg.Now())
	s, err := rd.peek(compact)
	if err != nil {
		return nil, w.trace.fail(err)
	}
	return w.join(ctx, rd, leaf, s, superior)
}

// join verifies the subordinate statement s of superior about leaf and builds
// the chain.
func (w *walk) join(ctx context.Context, rd reader, leaf, s *Statement, superior *Chain) (*Chain, error) {
	if s.Issuer != superior.Leaf || s.Subject != leaf.Subject {
		return nil, w.trace.fail(refuse(ErrStatement, s.String(), "issued by "+string(superior.Leaf)+" about "+string(leaf.Subject)+" [OIDF §10.2]", s.Issuer))
	}
	if err := rd.verify(s, superior.Keys); err != nil {
		return nil, w.trace.fail(err)
	}
	w.trace.ok("signature of the superior [OIDF §10.2]", s.String())
	// The leaf was verified with its own keys already; what counts is that the
	// superior states the same key.
	if kid := leaf.token.Header.KeyID; !s.Keys.Only(kid).sameKey(leaf.Keys.Only(kid)) {
		return nil, w.trace.fail(refuse(ErrUnknownKey, leaf.String(), "signed with a key that the superior states [OIDF §10.2]", kid))
	}
	w.trace.ok("signed with a key that the superior states [OIDF §10.2]", leaf.String())
	rest := superior.Statements[1:]
	if superior.Leaf == superior.Anchor {
		rest = superior.Statements
	}
	// The superior's chain may be an older one, so the path of this walk does
	// not show every loop and every length.
	if superior.Leaf == leaf.Subject || superior.names(leaf.Subject) {
		return nil, w.trace.fail(refuse(ErrLimit, s.String(), "no loop in authority_hints [OIDF §10.1]", leaf.Subject))
	}
	if entities := len(rest) + 1; entities > w.r.cfg.Limits.Depth {
		return nil, w.trace.fail(refuse(ErrLimit, s.String(), "depth of a chain [SSO.md §2]", entities))
	}
	c, err := assemble(leaf, append([]*Statement{s}, rest...), w.trace)
	if err != nil {
		return nil, err
	}
	if superior.Expires.Before(c.Expires) {
		c.Expires = superior.Expires
	}
	w.marks(ctx, c, superior)
	return c, nil
}

func (w *walk) marks(ctx context.Context, c, superior *Chain) {
	rd := w.r.reader(w.r.cfg.Now())
	markJudge{chain: c, superior: superior, issuer: func(id federation.EntityID) (*Chain, error) { return w.issuer(ctx, id) }, door: rd.door, now: rd.now, trace: w.trace}.verifyMarks()
}

// issuer gives the chain of a mark issuer within the same budget.
func (w *walk) issuer(ctx context.Context, id federation.EntityID) (*Chain, error) {
	if w.local {
		if c, ok := w.r.cache.valid(id, w.r.cfg.Now()); ok {
			return c, nil
		}
		return nil, refuse(ErrNoAnchor, "chain of "+string(id), "known here already", nil)
	}
	if e, ok := w.r.cache.recent(id, w.r.cfg.Now(), w.r.cfg.Limits.HubTTL); ok {
		return e.chain, e.err
	}
	c, err := w.resolve(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		if old, ok := w.r.cache.valid(id, w.r.cfg.Now()); ok {
			return old, nil // its word holds until it expires
		}
	}
	return c, err
}

// VerifyChain verifies a chain that was handed over, as in a trust_chain
// header [OIDF §4.3]: leaf configuration, subordinate statements upwards, and
// optionally the anchor's configuration. Every statement is verified as if it
// had been fetched; the superiors' own chains come from the cache or are
// fetched. The result is not put into the cache: a caller's chain must not
// replace what this node has found out itself.
func (r *Resolver) VerifyChain(ctx context.Context, compacts []string) (*Chain, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Limits.Timeout)
	defer cancel()
	return r.walk().given(ctx, compacts)
}

// Restore verifies a chain that this node kept from before and puts it into
// the cache. It asks nobody: the chains of the superiors must have been
// restored before. A restored chain counts as old, so it is renewed at the
// next occasion.
func (r *Resolver) Restore(compacts []string) (*Chain, error) {
	w := r.walk()
	w.local = true
	c, err := w.given(context.Background(), compacts)
	if err != nil {
		return nil, err
	}
	if have, ok := r.cache.valid(c.Leaf, r.cfg.Now()); ok {
		return have, nil
	}
	r.cache.put(c, time.Time{})
	return c, nil
}

// given verifies a chain from outside.
func (w *walk) given(ctx context.Context, compacts []string) (*Chain, error) {
	r := w.r
	if len(compacts) < 1 || len(compacts) > r.cfg.Limits.Depth {
		return nil, refuse(ErrLimit, "trust chain", "number of statements [SSO.md §2]", len(compacts))
	}
	rd := r.reader(r.cfg.Now())
	leaf, err := rd.configuration(compacts[0], "")
	if err != nil {
		return nil, w.trace.fail(err)
	}
	if keys, isAnchor := r.anchorKeys(leaf.Subject); isAnchor {
		c, err := w.anchor(ctx, leaf, keys)
		if err == nil {
			c.Steps = w.trace.steps
		}
		return c, err
	}
	if len(compacts) == 1 {
		return nil, refuse(ErrNoAnchor, leaf.String(), "a chain ends at a trust anchor [OIDF §4]", nil)
	}
	above, err := rd.linked(compacts[1:], leaf)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(leaf.AuthorityHints, above[0].Issuer) {
		return nil, refuse(ErrStatement, leaf.String(), "authority_hints name the superior of the chain [OIDF §10.2]", above[0].Issuer)
	}
	if err := w.vouched(rd, above); err != nil {
		return nil, w.trace.fail(err)
	}
	w.path = append(w.path, leaf.Subject)
	superior, err := w.issuer(ctx, above[0].Issuer)
	if err != nil {
		return nil, err
	}
	c, err := w.join(ctx, rd, leaf, above[0], superior)
	if err != nil {
		return nil, err
	}
	for _, s := range above {
		if s.Expires.Before(c.Expires) {
			c.Expires = s.Expires
		}
	}
	c.Steps = w.trace.steps
	return c, nil
}

// vouched verifies the statements above the leaf from the anchor downwards,
// with nothing but keys known here: nobody is asked on behalf of a chain that
// does not come from a configured anchor [SSO.md §2].
func (w *walk) vouched(rd reader, above []*Statement) error {
	top := above[len(above)-1]
	keys, ok := w.r.anchorKeys(top.Issuer)
	if !ok {
		return refuse(ErrNoAnchor, top.String(), "the chain ends at a configured trust anchor [OIDF §10.2]", top.Issuer)
	}
	if c, ok := w.r.cache.valid(top.Issuer, w.r.cfg.Now()); ok {
		keys = keys.Union(c.Keys) // announced since
	}
	for _, s := range slices.Backward(above) {
		if s.Issuer == s.Subject {
			if err := anchorSigned(s, keys); err != nil {
				return err
			}
			keys = keys.Union(s.Keys)
			continue
		}
		if err := rd.verify(s, keys); err != nil {
			return err
		}
		keys = s.Keys
	}
	return nil
}

// linked reads the statements above leaf and checks that each is about the
// issuer of the one before.
func (r reader) linked(compacts []string, leaf *Statement) ([]*Statement, error) {
	out := make([]*Statement, 0, len(compacts))
	about := leaf.Subject
	for i, compact := range compacts {
		s, err := r.peek(compact)
		if err != nil {
			return nil, fmt.Errorf("statement %d of the chain: %w", i+2, err)
		}
		last := i == len(compacts)-1
		if s.Subject != about || (s.Issuer == s.Subject && (!last || i == 0)) {
			return nil, refuse(ErrStatement, s.String(), "each statement is about the issuer of the one before [OIDF §10.2]", about)
		}
		about = s.Issuer
		out = append(out, s)
	}
	return out, nil
}

// names reports whether a statement above the leaf is about id.
func (c *Chain) names(id federation.EntityID) bool {
	return slices.ContainsFunc(c.Statements[1:], func(s *Statement) bool { return s.Subject == id })
}

// keysOf returns the keys that the chain states for id.
func (c *Chain) keysOf(id federation.EntityID) (JWKS, bool) {
	if id == c.Leaf {
		return c.Keys, true
	}
	for _, s := range c.Statements[1:] {
		if s.Subject == id {
			return s.Keys, true
		}
	}
	return JWKS{}, false
}
