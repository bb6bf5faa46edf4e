package directory

import (
	"log/slog"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// Register says which areas exist. region.Register satisfies it.
type Register interface {
	// Place returns the place with exactly this area, if there is one today.
	Place(a region.Area) (region.Place, bool)
	// Name returns a name to put into a sentence, the digits of an unknown area.
	Name(a region.Area) string
}

// Config configures a Directory; the zero value is usable.
type Config struct {
	// Register tells an unknown place from one without claims. nil accepts
	// every place.
	Register Register
	// Synonyms are further lines for the dictionary of everyday words, in
	// the form of synonyme.txt: "Perso: Personalausweis".
	Synonyms string
	Now      func() time.Time
	Log      *slog.Logger
}

// Directory holds the index. Reading methods may be called concurrently with
// each other and with Replace, Remove and SetReachable; they see either the
// state before or the state after, never a mixture.
type Directory struct{}

// New returns an empty directory. Broken lines in cfg.Synonyms are skipped
// and logged.
func New(cfg Config) *Directory { return &Directory{} }

// Replace puts what is held of each member in place of what was held before.
// Many sources at once are cheaper than one by one: use it at the start.
func (d *Directory) Replace(sources ...Source) {}

// Remove forgets a member and every claim of it. Unknown IDs are ignored.
func (d *Directory) Remove(id federation.EntityID) {}

// SetReachable notes whether a member answers now. Unknown IDs are ignored.
func (d *Directory) SetReachable(id federation.EntityID, reachable bool) {}

// Version returns the version of the index: it grows with every change and
// begins anew with every process.
func (d *Directory) Version() uint64 { return 0 }

// ETag returns a strong entity tag in quotes that changes with the content of
// the index and is the same in every process that holds the same content.
func (d *Directory) ETag() string { return "" }

// Size returns the number of members with a copy, of their offers and of
// their distinct Leistungen: for "8 Portale, 1.165 Leistungen".
func (d *Directory) Size() (members, offers, leistungen int) { return 0, 0, 0 }

// Lookup is the core of Resolve for a key and a place as the register knows
// it today: the same rules without texts and without allocation.
func (d *Directory) Lookup(key leika.ID, place region.Area, date time.Time) Match { return Match{} }

// Resolve says who is responsible [DESIGN §4]. It never fails: what cannot be
// answered is None or Unknown with notices.
func (d *Directory) Resolve(r Request) Answer { return Answer{} }

// Explain is Resolve with every step and the rule that fired [DESIGN §4.7].
func (d *Directory) Explain(r Request) Explanation { return Explanation{} }

// Appears says whether an offer is shown for a place on a date, and why not.
func (d *Directory) Appears(ref OfferRef, place region.Area, date time.Time) Appearance {
	return Appearance{}
}

// Search returns one page of hits. It never fails: a query without words and
// without filters has no hits, one with a filter only is browsed.
func (d *Directory) Search(q Query) Result { return Result{} }

// Suggest completes what was typed with titles of the place, best first, at
// most limit (0 is 8, at most 20).
func (d *Directory) Suggest(text string, place region.Area, lang string, limit int) []Suggestion {
	return nil
}

// Lebenslagen returns the eight tiles in their usual order with the counts
// for the place.
func (d *Directory) Lebenslagen(place region.Area, lang string) []Lebenslage { return nil }

// AZ returns all Leistungen of a place from A to Z.
func (d *Directory) AZ(place region.Area, lang string) []Entry { return nil }

// Authorities returns the members that serve a place, own municipality
// first, then wider ones, then utilities; with the Bund as place all members
// by name.
func (d *Directory) Authorities(place region.Area) []Authority { return nil }

// Authority returns one member.
func (d *Directory) Authority(id federation.EntityID) (Authority, bool) { return Authority{}, false }

// Offer returns one offer as its owner published it, with the state of the
// copy; Reason and Zustaendigkeit are those of its first claim. ok is false
// if no copy holds it.
func (d *Directory) Offer(ref OfferRef) (p Provider, ok bool) { return Provider{}, false }

// Offers returns all offers of one member in the order of its catalogue.
func (d *Directory) Offers(id federation.EntityID) []*catalog.Offer { return nil }

// Keys returns every LeiKa key that some member offers, in order.
func (d *Directory) Keys() []leika.ID { return nil }

// Title returns the title most members give a key, "" if nobody offers it.
func (d *Directory) Title(key leika.ID, lang string) string { return "" }

// Coverage returns the matrix for keys (nil: all that somebody offers) and
// places on a date.
func (d *Directory) Coverage(keys []leika.ID, places []region.Area, date time.Time) Matrix {
	return Matrix{}
}

// Conflicts returns every conflict on a date, by key then area.
func (d *Directory) Conflicts(date time.Time) []Clash { return nil }

// Gaps returns, by key, what is offered somewhere but not in all of places.
func (d *Directory) Gaps(places []region.Area, date time.Time) []Gap { return nil }
