package anchor_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"rathausnetz/federation/anchor"
	"rathausnetz/federation/blocklist"
	"rathausnetz/federation/trust"
)

// listed asks the hub for its notices like a member does.
func (h *hub) listed(t *testing.T) []trust.Block {
	t.Helper()
	res, err := h.Federation.Client().Get(h.entity.ID.URL("/federation/notices"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s %v", res.StatusCode, b, err)
	}
	var out struct{ Notices []string }
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	var blocks []trust.Block
	for _, n := range out.Notices {
		if b, err := trust.PeekBlock(n); err == nil {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

func TestBlock(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	p := h.member(t, "melle", "034590024024")
	if _, err := h.Unblock(ctx, "op", "boese.example", "nie gesperrt"); !errors.Is(err, anchor.ErrBlockState) {
		t.Errorf("unblocking what is open: %v", err)
	}
	if _, err := h.Block(ctx, "op", "https://boese.example/", "Betrug"); !errors.Is(err, blocklist.ErrHost) {
		t.Errorf("an address: %v", err)
	}
	if _, err := h.Block(ctx, "op", "boese.example", ""); !errors.Is(err, anchor.ErrBlockReason) {
		t.Errorf("without a reason: %v", err)
	}
	if _, err := h.Block(ctx, "op", "boese.example", strings.Repeat("ä", 101)); !errors.Is(err, anchor.ErrBlockReason) {
		t.Errorf("a long reason: %v", err)
	}
	if _, err := h.Block(ctx, "op", p.entity.ID.Host(), "Streit"); !errors.Is(err, anchor.ErrBlockMember) {
		t.Errorf("a member's host: %v", err)
	}
	b, err := h.Block(ctx, "op", "Boese.Example", "Betrug, siehe Vorgang 12")
	if err != nil || b.Host != "boese.example" || !b.Blocked {
		t.Fatalf("%+v %v", b, err)
	}
	if _, err := h.Block(ctx, "op", "boese.example", "noch einmal"); !errors.Is(err, anchor.ErrBlockState) {
		t.Errorf("twice: %v", err)
	}
	h.mu.Lock()
	gossiped := h.notices[len(h.notices)-1]
	h.mu.Unlock()
	chain, err := h.resolver.Resolve(ctx, h.entity.ID)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := chain.Block(gossiped, h.clock.Now()); err != nil || n.Host != "boese.example" || !n.Blocked || len(gossiped) > trust.MaxNotice {
		t.Errorf("gossiped: %+v %v", n, err)
	}
	// A year later the list still has it, signed anew.
	h.clock.Add(365 * 24 * time.Hour)
	if l := h.listed(t); len(l) != 1 || l[0].Expires.Time().Before(h.clock.Now()) || l[0].Generation != b.Generation {
		t.Errorf("a year later: %+v", l)
	}
	open, err := h.Unblock(ctx, "op", "boese.example", "geklärt")
	if err != nil || open.Blocked || open.Generation <= b.Generation {
		t.Fatalf("%+v %v", open, err)
	}
	if l := h.listed(t); len(l) != 1 || l[0].Blocked {
		t.Errorf("nobody who was away would learn that it is open again: %+v", l)
	}
	records, err := h.Audit(ctx, 1, 100)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, r := range records {
		if r.Subject == "boese.example" {
			said = append(said, r.By+" "+r.Action+": "+r.Reason)
		}
	}
	if strings.Join(said, "; ") != "op block: Betrug, siehe Vorgang 12; op unblock: geklärt" {
		t.Errorf("audit trail: %q", said)
	}
	if _, err := h.VerifyAudit(ctx); err != nil {
		t.Error(err)
	}
}

// A registry that was restored from a backup goes on above what members know.
func TestBlockAfterARestore(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	first, err := h.Block(ctx, "op", "boese.example", "Betrug")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.store.Delete(ctx, "anchor/block/boese.example"); err != nil {
		t.Fatal(err)
	}
	h.clock.Add(time.Hour)
	again, err := h.Block(ctx, "op", "boese.example", "Betrug")
	if err != nil || again.Generation <= first.Generation {
		t.Errorf("%+v after %+v, %v", again, first, err)
	}
}
