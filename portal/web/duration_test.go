package web

import (
	"testing"
	"time"
)

func TestAnswerBy(t *testing.T) {
	sunday := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"etwa 10 Arbeitstage":                  "2026-12-04",
		"<p>In der Regel 2&nbsp;Wochen</p>":    "2026-12-06",
		"2 bis 4 Wochen":                       "2026-12-20",
		"2–4 Wochen nach Eingang":              "2026-12-20",
		"höchstens 3 Monate":                   "2027-02-22",
		"innerhalb von 14 Tagen":               "2026-12-06",
		"6 Werktage":                           "2026-11-28",
		"1 Woche":                              "2026-11-29",
		"sofort":                               "",
		"":                                     "",
		"0 Tage":                               "",
		"2 Wochen, im Sommer 6 Wochen":         "",
		"2 Wochen, wenn Sie vor 12 Uhr kommen": "",
		"Nach § 10a der Verordnung etwa 2 Wochen": "",
		"Die Bearbeitung dauert unterschiedlich lange, weil viele Stellen gefragt werden müssen, und die Unterlagen müssen vollständig sein; meist sind es dann 4 Wochen.": "",
	} {
		got, ok := answerBy(text, sunday)
		if ok != (want != "") || ok && got.Format(time.DateOnly) != want {
			t.Errorf("%q: %s %v, want %q", text, got.Format(time.DateOnly), ok, want)
		}
	}
}
