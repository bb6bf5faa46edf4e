package office

import (
	"time"

	"rathausnetz/federation/directory"
	"rathausnetz/portal/web/locale"
)

// german writes a date for a sentence.
func german(t time.Time) string { return locale.Date(locale.German, t) }

// ruleName is what a rule of the directory is called on pages.
func ruleName(r directory.Rule) string {
	switch r {
	case directory.RulePlace:
		return "Ort"
	case directory.RuleKey:
		return "Schlüssel"
	case directory.RuleArea:
		return "Gebiet"
	case directory.RuleRole:
		return "Rolle"
	case directory.RuleScope:
		return "Gewährtes Gebiet"
	case directory.RuleExcept:
		return "Ausnahme"
	case directory.RuleValid:
		return "Gültigkeit"
	case directory.RuleDelegation:
		return "Übertragung"
	case directory.RuleConflict:
		return "Mehrere Behörden"
	case directory.RuleCopy:
		return "Katalog"
	case directory.RuleSpecific:
		return "Engeres Gebiet"
	case directory.RuleReach:
		return "Reichweite"
	}
	return "Ergebnis"
}

// verdict is what a rule did, with its mark.
func verdict(v directory.Verdict) (badge, text string) {
	switch v {
	case directory.Refused:
		return "danger", "nicht erfüllt"
	case directory.Empty:
		return "info", "nichts eingetragen"
	case directory.Fired:
		return "success", "entscheidet"
	}
	return "success", "erfüllt"
}
