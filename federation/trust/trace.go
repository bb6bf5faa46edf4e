package trust

import "errors"

// Verdict is the outcome of one step.
type Verdict string

// The verdicts.
const (
	VerdictOK      Verdict = "ok"
	VerdictRefused Verdict = "refused"
	VerdictDropped Verdict = "dropped" // a part was left out, the rest holds
	VerdictNote    Verdict = "note"
)

// Step is one rule applied to one statement, for "trust explain".
type Step struct {
	Rule    string  `json:"rule"`    // e.g. "signature [OIDF §10.2]"
	Subject string  `json:"subject"` // statement or value it was applied to
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail,omitempty"`
}

// trace collects the steps of one resolution. A nil trace collects nothing.
type trace struct{ steps []Step }

func (t *trace) note(v Verdict, rule, subject, detail string) {
	if t != nil {
		t.steps = append(t.steps, Step{Rule: rule, Subject: subject, Verdict: v, Detail: clipTo(detail, 400)})
	}
}

func (t *trace) ok(rule, subject string) { t.note(VerdictOK, rule, subject, "") }

// fail records err as the end of a way and returns it.
func (t *trace) fail(err error) error {
	t.refusal(VerdictRefused, err)
	return err
}

// refusal records an error with the statement, rule and value it names.
func (t *trace) refusal(v Verdict, err error) {
	var r *Refusal
	if !errors.As(err, &r) {
		t.note(v, "", "", err.Error())
		return
	}
	detail := r.Err.Error()
	if r.Value != "" {
		detail += ", value " + r.Value
	}
	t.note(v, r.Rule, r.Statement, detail)
}
