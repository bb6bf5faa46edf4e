package admintest

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// Said fails t unless an answer has the status and contains all texts.
func Said(t testing.TB, w *httptest.ResponseRecorder, status int, texts ...string) {
	t.Helper()
	if w.Code != status {
		t.Errorf("status %d, want %d: %s", w.Code, status, w.Body)
	}
	for _, want := range texts {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%q is not in %s", want, w.Body)
		}
	}
}
