package testnet

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// journeyLimit bounds one journey.
const journeyLimit = time.Minute

// Result is what became of one journey.
type Result struct {
	Name  string        `json:"name"`
	Took  time.Duration `json:"took_ns"`
	Error string        `json:"error,omitempty"` // empty: it holds
}

// Journey is one of the five ways people use the network [DESIGN §5].
type Journey struct {
	Name string
	Go   func(context.Context, *Network) error
}

// Journeys returns the five in the order of DESIGN §5. Each leaves the network
// as it found it.
func Journeys() []Journey {
	return []Journey{
		{"join", joinJourney},
		{"publish", publishJourney},
		{"find and apply", findJourney},
		{"log in once", loginJourney},
		{"break", breakJourney},
	}
}

// Check makes all journeys one after the other; with Spec.Neighbour also that
// into the next Landkreis.
func (nw *Network) Check(ctx context.Context) []Result {
	var out []Result
	all := Journeys()
	if nw.spec.Neighbour {
		all = append(all, NeighbourJourney())
	}
	for _, j := range all {
		out = append(out, nw.Try(ctx, j))
	}
	return out
}

// Try makes one journey.
func (nw *Network) Try(ctx context.Context, j Journey) Result {
	begin := time.Now()
	limited, cancel := context.WithTimeout(ctx, journeyLimit)
	defer cancel()
	r := Result{Name: j.Name}
	if err := j.Go(limited, nw); err != nil {
		r.Error = err.Error()
	}
	r.Took = time.Since(begin)
	return r
}

// errShown says that a page shows what it must not show.
var errShown = errors.New("testnet: shown although it must not be")

// awaitPage opens address until the page says all texts.
func awaitPage(ctx context.Context, c *Citizen, address string, texts ...string) error {
	return Await(ctx, func() error {
		if err := c.Open(ctx, address); err != nil {
			return err
		}
		return c.Expect(texts...)
	})
}

// awaitGone opens address until the page no longer says text.
func awaitGone(ctx context.Context, c *Citizen, address, text string) error {
	return Await(ctx, func() error {
		if err := c.Open(ctx, address); err != nil {
			return err
		}
		if c.Sees(text) {
			return fmt.Errorf("%w: %q at %s", errShown, text, address)
		}
		return nil
	})
}
