package discovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rathausnetz/federation"
)

// FollowPath is where FollowHandler belongs, below the entity ID.
const FollowPath = "/federation/announcements"

const (
	followWait    = 25 * time.Second // below the usual 30 s of proxies
	maxFollowers  = 512              // waiting at a time; others are asked to come back
	maxFollowBody = 4 << 20          // bytes of one answer
)

// followAnswer is what a follower gets: what has changed since, or everything.
type followAnswer struct {
	Since string `json:"since"` // to be sent back next time
	// All says that the answer is complete: who is not in Up is down.
	All           bool                  `json:"all,omitempty"`
	Announcements [][]byte              `json:"announcements,omitempty"` // encoded [DESIGN §3]
	Notices       []followNotice        `json:"notices,omitempty"`
	Up            []federation.EntityID `json:"up,omitempty"`
	Down          []federation.EntityID `json:"down,omitempty"`
}

type followNotice struct {
	Text  string    `json:"text"`
	Until time.Time `json:"until"`
}

// bump counts one more change and wakes the followers; called with mu held.
func (d *Discovery) bump() uint64 {
	d.seq++
	close(d.news)
	d.news = make(chan struct{})
	return d.seq
}

// FollowHandler serves nodes that cannot take part in gossip. GET with ?since=
// waits up to 25 s for news and answers what has changed since then; without
// since, or after a restart, it answers everything at once. POST takes one
// encoded announcement of at most 256 bytes, which is verified like any other.
func (d *Discovery) FollowHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		switch req.Method {
		case http.MethodGet:
			d.serveNews(w, req)
		case http.MethodPost:
			d.takeAnnouncement(w, req)
		default:
			w.Header().Set("Allow", "GET, POST")
			answer(w, http.StatusMethodNotAllowed, failure("invalid_request", "only GET and POST"))
		}
	})
}

// ReleaseFollowers ends all waiting of FollowHandler, so that a server can
// drain: register it with http.Server.RegisterOnShutdown. Run calls it too.
func (d *Discovery) ReleaseFollowers() { d.release() }

func (d *Discovery) serveNews(w http.ResponseWriter, req *http.Request) {
	since, ok := d.sinceOf(req.URL.Query().Get("since"))
	if ok && !d.await(req.Context(), since) {
		w.Header().Set("Retry-After", "5")
		answer(w, http.StatusServiceUnavailable, failure("temporarily_unavailable", "too many nodes are waiting here"))
		return
	}
	answer(w, http.StatusOK, d.newsSince(since, !ok))
}

// sinceOf reads the token of an earlier answer; false if it is not one of
// this run of the node.
func (d *Discovery) sinceOf(token string) (uint64, bool) {
	epoch, seq, ok := strings.Cut(token, "-")
	if !ok || epoch != strconv.FormatUint(d.epoch, 36) {
		return 0, false
	}
	n, err := strconv.ParseUint(seq, 36, 64)
	d.mu.Lock()
	defer d.mu.Unlock()
	return n, err == nil && n <= d.seq
}

// await returns once there is something after since, or followWait has passed;
// false if there is no place to wait.
func (d *Discovery) await(ctx context.Context, since uint64) bool {
	d.mu.Lock()
	if d.seq > since {
		d.mu.Unlock()
		return true
	}
	if d.waiting >= maxFollowers {
		d.mu.Unlock()
		return false
	}
	d.waiting++
	news := d.news
	d.mu.Unlock()
	timer := time.NewTimer(followWait)
	defer timer.Stop()
	select {
	case <-news:
	case <-timer.C:
	case <-d.closing:
	case <-ctx.Done():
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting--
	return true
}

func (d *Discovery) newsSince(since uint64, all bool) followAnswer {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := followAnswer{All: all, Since: strconv.FormatUint(d.epoch, 36) + "-" + strconv.FormatUint(d.seq, 36)}
	for id, m := range d.members {
		if !all && m.changed <= since {
			continue
		}
		if m.newest.Serial > 0 {
			a.Announcements = append(a.Announcements, m.newest.Encode())
		}
		if m.reported {
			a.Up = append(a.Up, id)
		} else if !all && id != d.cfg.Self {
			a.Down = append(a.Down, id)
		}
	}
	if all {
		a.Up = append(a.Up, d.cfg.Self)
	}
	d.expireNotices()
	for _, n := range d.notices {
		if all || n.changed > since {
			a.Notices = append(a.Notices, followNotice{Text: n.text, Until: n.until.UTC()})
		}
	}
	return a
}

func (d *Discovery) takeAnnouncement(w http.ResponseWriter, req *http.Request) {
	body := http.MaxBytesReader(w, req.Body, federation.MaxAnnouncement)
	b, err := io.ReadAll(body)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		answer(w, http.StatusRequestEntityTooLarge, failure("invalid_request", fmt.Sprintf("an announcement has at most %d bytes", federation.MaxAnnouncement)))
		return
	}
	var a federation.Announcement
	if err == nil {
		a, err = federation.DecodeAnnouncement(b)
	}
	if err != nil {
		answer(w, http.StatusBadRequest, failure("invalid_request", "the body must be one encoded announcement"))
		return
	}
	d.inbox.message(announcementMessage(a))
	answer(w, http.StatusAccepted, struct{}{})
}

func failure(code, description string) map[string]string {
	return map[string]string{"error": code, "error_description": description}
}

func answer(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil { // none of the types above can fail
		status, b = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // an error here is the client's going away
}
