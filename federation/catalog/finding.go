package catalog

import (
	"fmt"

	"rathausnetz/federation"
)

// Severity says what a Finding means for the catalogue.
type Severity string

// The severities. Only Block stops a publication; Invalid is the same for
// data that is no catalogue at all, which a receiver refuses.
const (
	Warn    Severity = "warning"
	Block   Severity = "block"
	Invalid Severity = "invalid"
)

// The codes of findings. Programs decide by code, never by message.
const (
	CodeID            = "id"             // empty, too long, or not AGENCY:VALUE
	CodeDuplicate     = "duplicate"      // one ID twice
	CodeTitle         = "title"          // missing
	CodeTitleLength   = "title-length"   // over MaxTitle characters
	CodeText          = "text"           // not valid text, or over its length
	CodeHTML          = "html"           // markup outside the allowed tags
	CodeLanguage      = "language"       // not a two-letter code
	CodeSection       = "section"        // unknown, repeated or out of order
	CodeURL           = "url"            // not an absolute http or https URL
	CodePlaintextLink = "http-link"      // an http:// link
	CodeRole          = "role"           // not 01, 02 or 03
	CodeArea          = "area"           // an area that contradicts itself
	CodeUnit          = "unit"           // names a unit that is not there
	CodeCode          = "code"           // audience, Lebenslage, Themenfeld or SDG code of a wrong shape
	CodeValidity      = "validity"       // ends before it begins
	CodeLimit         = "limit"          // too many or too large
	CodePlaceholder   = "placeholder"    // "XX", "[…]", "TODO" left in a text
	CodeAuthority     = "authority"      // nobody is responsible
	CodeLeika         = "leika"          // a key that the register does not know
	CodeScopeArea     = "scope-area"     // an area outside the granted scope
	CodeScopeKey      = "scope-key"      // a key outside the granted scope
	CodeMember        = "member"         // the catalogue of somebody else
	CodeLanguageGap   = "language-gap"   // a text in another language but not in German
	CodeContact       = "contact"        // a unit without a way to reach it
	CodeExpired       = "expired"        // validity is over
	CodeNoKey         = "no-key"         // an offer without LeiKa key: found by search only
	CodeMassDelete    = "mass-delete"    // more than a fifth of the stock would vanish
	CodeOrphan        = "orphan"         // refers to a record that never came
	CodeSkipped       = "skipped"        // an element or value that was not understood
	CodeLevel         = "level"          // a Vertrauensniveau code without a mapping
	CodeDeleteUnknown = "delete-unknown" // loesche of a record that is not there
)

// Finding is one thing worth saying about a record. Message says what is
// wrong and Remedy what to do, each as one German sentence: an editor reads
// them.
type Finding struct {
	Severity Severity            `json:"severity"`
	Code     string              `json:"code"`
	Record   ID                  `json:"record,omitempty"`
	Field    string              `json:"field,omitempty"`
	Message  string              `json:"message"`
	Remedy   string              `json:"remedy,omitempty"`
	Member   federation.EntityID `json:"member,omitempty"` // set by WithinScope
	Mark     string              `json:"mark,omitempty"`   // jti of the trust mark, set by WithinScope
	File     string              `json:"file,omitempty"`   // set by readers
	Line     int                 `json:"line,omitempty"`   // from 1, set by readers
}

// String returns the finding as one line.
func (f Finding) String() string {
	where := string(f.Record)
	if f.Field != "" {
		where += " " + f.Field
	}
	switch {
	case f.Line > 0:
		where = fmt.Sprintf("%s:%d: %s", f.File, f.Line, where)
	case f.File != "":
		where = f.File + ": " + where
	}
	return fmt.Sprintf("%s: %s [%s] %s", f.Severity, where, f.Code, f.Message)
}

// Blocking reports whether any finding stops a publication.
func Blocking(findings []Finding) bool {
	for _, f := range findings {
		if f.Severity != Warn {
			return true
		}
	}
	return false
}

// findings collects what the checks say about one record after another.
type findings struct {
	list   []Finding
	record ID
}

func (f *findings) add(s Severity, code, field, message, remedy string) {
	f.list = append(f.list, Finding{Severity: s, Code: code, Record: f.record, Field: field, Message: message, Remedy: remedy})
}
