package report

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

const (
	gapPrefix  = "report/gap/"
	gapAgain   = 24 * time.Hour
	gapKeep    = 180 * 24 * time.Hour
	gapPatient = 700 * time.Millisecond // how long a page waits to be able to say so
	gapRetry   = time.Minute            // after the hub did not answer
	gapsKnown  = 4096                   // of which a portal remembers that it told them
)

// gaps remembers what the hub was told, so that a page costs no request.
type gaps struct {
	mu   sync.Mutex
	told map[string]time.Time // until when it need not be told again
	down time.Time            // until when the hub is left alone
}

func newGaps() *gaps { return &gaps{told: map[string]time.Time{}} }

// due reports whether key has to be told now, and if not, whether it was.
func (g *gaps) due(key string, now time.Time) (tell, told bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := g.told[key]; now.Before(until) {
		return false, true
	}
	return !now.Before(g.down), false
}

func (g *gaps) note(key string, err error, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err != nil {
		g.down = now.Add(gapRetry)
		return
	}
	if len(g.told) >= gapsKnown {
		g.told = map[string]time.Time{}
	}
	g.told[key] = now.Add(gapAgain)
}

// TellGap tells the hub that nobody answers for a Leistung in a place, once a
// day, and returns whether the hub knows. It is asked while a page is drawn:
// it waits for a short time only, and not at all while the hub is silent.
func (d *Desk) TellGap(ctx context.Context, key leika.ID, place region.Area) bool {
	if !d.c.Area.Covers(place) || !d.c.Known(key, place) {
		return false
	}
	name := key.String() + "/" + place.String()
	tell, told := d.gaps.due(name, d.c.Now())
	hub := d.c.Hub()
	if !tell || hub == "" {
		return told
	}
	c := claims{Issuer: d.c.Self, Audience: hub, ID: newReference(), Leika: key.String(), Area: place.String()}
	ctx, cancel := context.WithTimeout(ctx, gapPatient)
	defer cancel()
	var err error
	if hub == d.c.Self {
		err = d.count(ctx, c)
	} else {
		err = d.post(ctx, GapPath, typeGap, c)
	}
	if err != nil {
		d.c.Log.Info("gap was not told", "leika", key, "ags", place, "err", err)
	}
	d.gaps.note(name, err, d.c.Now())
	return err == nil
}

func (d *Desk) serveGap(w http.ResponseWriter, r *http.Request) {
	c, err := d.read(w, r, typeGap, d.gapped)
	if err == nil {
		err = d.count(r.Context(), c)
	}
	d.answer(w, err)
}

// count adds one to a gap of the hub's own area.
func (d *Desk) count(ctx context.Context, c claims) error {
	key, err := leika.Parse(c.Leika)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	area, err := region.ParseArea(c.Area)
	if err != nil || !d.c.Area.Covers(area) || !d.c.Known(key, area) {
		return fmt.Errorf("%w: no such Leistung or place: %s %q", ErrRefused, key, c.Area)
	}
	return d.c.Store.Update(ctx, gapPrefix+key.String()+"/"+area.String(), func(old []byte) ([]byte, time.Duration, error) {
		g := Gap{Leika: key.String(), Area: area.String(), First: d.c.Now()}
		if old != nil {
			if err := json.Unmarshal(old, &g); err != nil {
				return nil, 0, err
			}
		}
		g.Count++
		g.Last = d.c.Now()
		b, err := json.Marshal(g)
		return b, gapKeep, err
	})
}

// Gaps returns what the hub was told, most often told first.
func (d *Desk) Gaps(ctx context.Context) ([]Gap, error) {
	if !d.c.IsHub {
		return nil, ErrNoHub
	}
	var out []Gap
	err := d.c.Store.Scan(ctx, gapPrefix, func(_ string, b []byte) bool {
		var g Gap
		if json.Unmarshal(b, &g) == nil {
			out = append(out, g)
		}
		return len(out) < maxGaps
	})
	slices.SortFunc(out, func(a, b Gap) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Leika+a.Area, b.Leika+b.Area)
	})
	return out, err
}
