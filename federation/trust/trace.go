package trust

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
		t.steps = append(t.steps, Step{Rule: rule, Subject: subject, Verdict: v, Detail: clip(detail)})
	}
}

func (t *trace) ok(rule, subject string) { t.note(VerdictOK, rule, subject, "") }

// fail records err and returns it.
func (t *trace) fail(err error) error {
	subject, rule, detail := "", "", err.Error()
	if r, ok := err.(*Refusal); ok { // always built by refuse, never wrapped here
		subject, rule, detail = r.Statement, r.Rule, r.Err.Error()
		if r.Value != "" {
			detail += ", value " + r.Value
		}
	}
	t.note(VerdictRefused, rule, subject, detail)
	return err
}
