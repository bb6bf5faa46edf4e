package anchor_test

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"rathausnetz/federation"
	"rathausnetz/federation/anchor"
)

// What List remembers of the registry never hides what another replica has
// written into it.
func TestListFollowsTheStore(t *testing.T) {
	h := newHub(t)
	melle, bohmte := h.member(t, "melle", "034590024024").entity.ID, h.member(t, "bohmte", "034590013013").entity.ID
	listed := func(f anchor.Filter, want ...federation.EntityID) {
		t.Helper()
		got, err := h.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		ids := []federation.EntityID{}
		for _, m := range got {
			ids = append(ids, m.ID)
		}
		slices.Sort(want)
		if !slices.Equal(ids, want) {
			t.Errorf("%v, want %v", ids, want)
		}
	}
	active := anchor.Filter{State: anchor.StateActive}
	listed(active, melle, bohmte)
	err := h.store.Update(context.Background(), "anchor/member/"+string(melle), func(old []byte) ([]byte, time.Duration, error) {
		return bytes.Replace(old, []byte(`"active"`), []byte(`"suspended"`), 1), 0, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	listed(active, bohmte)
	listed(anchor.Filter{State: anchor.StateSuspended}, melle)
	if err := h.store.Delete(t.Context(), "anchor/member/"+string(bohmte)); err != nil {
		t.Fatal(err)
	}
	listed(active)
	listed(anchor.Filter{}, melle)
}
