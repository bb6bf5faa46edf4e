package api

import (
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/directory"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/region"
)

// AdvertType is the typ of the seal in destinationSignature.
const AdvertType = "rathausnetz-route+jwt"

const (
	advertLife  = 24 * time.Hour
	advertRenew = 12 * time.Hour // a cached one is made anew from then on
	maxAdverts  = 4096
)

// Advert is what a portal vouches for in destinationSignature: that by the
// verified catalogue of Member, this offer is responsible for the keys and
// areas. The claims destinationId and services have the form of the Routing
// API, so that a client can check coverage the way it knows; but iss is a
// portal of this network and the key is in its entity configuration. It is
// not a FIT-Connect signature, and a destination of FIT-Connect cannot be
// reached with it. [FIT-Connect routes] [DOMAIN.md §3.5]
type Advert struct {
	Issuer        federation.EntityID `json:"iss"`
	Subject       federation.EntityID `json:"sub"` // the responsible member
	IssuedAt      int64               `json:"iat"`
	Expires       int64               `json:"exp"`
	ID            string              `json:"jti"`
	DestinationID string              `json:"destinationId"`
	Services      []advertService     `json:"services"`
	Offer         catalog.ID          `json:"offer"`
	Serial        uint64              `json:"serial"` // of the member's catalogue
}

type advertService struct {
	GebietIDs    []string `json:"gebietIDs"`
	LeistungsIDs []string `json:"leistungIDs"`
}

const (
	arsURN   = "urn:de:bund:destatis:bevoelkerungsstatistik:schluessel:rs:"
	leikaURN = "urn:de:fim:leika:leistung:"
)

// destinationID is a name-based UUID (version 5) of member and offer: the
// same in every portal and for as long as the offer exists [RFC 9562 §5.5].
func destinationID(member federation.EntityID, offer catalog.ID) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(string(member)+"#"+string(offer))).String()
}

// adverts keeps seals: one is valid for a day, and signing is what costs.
type adverts struct {
	mu   sync.Mutex
	kept map[advertKey]keptAdvert // guarded by mu
}

type advertKey struct {
	member federation.EntityID
	offer  catalog.ID
	serial uint64
	key    leika.ID
	area   region.Area
}

type keptAdvert struct {
	sealed string
	renew  time.Time
}

func newAdverts() *adverts { return &adverts{kept: map[advertKey]keptAdvert{}} }

// advert returns the seal for one provider of an answer, "" if the node has
// no key to seal with.
func (a *API) advert(ans *directory.Answer, p *directory.Provider) (string, error) {
	if a.seal == nil {
		return "", nil
	}
	now := a.now()
	key := advertKey{p.Member.ID, p.Offer.ID, p.Serial, ans.Matched, ans.MatchedArea}
	a.adverts.mu.Lock()
	defer a.adverts.mu.Unlock()
	if k, ok := a.adverts.kept[key]; ok && now.Before(k.renew) {
		return k.sealed, nil
	}
	id, err := uuid.NewRandom()
	if err != nil {
		return "", fmt.Errorf("seal a route of %s: %w", p.Member.ID, err)
	}
	sealed, err := a.seal(AdvertType, Advert{
		Issuer: a.self, Subject: p.Member.ID, IssuedAt: now.Unix(), Expires: now.Add(advertLife).Unix(), ID: id.String(),
		DestinationID: destinationID(p.Member.ID, p.Offer.ID), Offer: p.Offer.ID, Serial: p.Serial,
		Services: []advertService{{
			GebietIDs:    []string{arsURN + ans.MatchedArea.String()},
			LeistungsIDs: []string{leikaURN + ans.Matched.String()},
		}},
	})
	if err != nil {
		return "", fmt.Errorf("seal a route of %s: %w", p.Member.ID, err)
	}
	if len(a.adverts.kept) >= maxAdverts {
		clear(a.adverts.kept)
	}
	a.adverts.kept[key] = keptAdvert{sealed, now.Add(advertRenew)}
	return sealed, nil
}
