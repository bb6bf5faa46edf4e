package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Verdict is how good a finding is.
type Verdict string

// The verdicts, from good to bad.
const (
	OK      Verdict = "ok"
	Warning Verdict = "warning" // works, and will not go on so, or not for everybody
	Failure Verdict = "failure" // something does not work now
)

// Finding is the outcome of one check. Remedy is one sentence, empty for OK.
type Finding struct {
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Says    string  `json:"says"`
	Remedy  string  `json:"remedy,omitempty"`
}

// Worst is the worst verdict among findings.
func Worst(findings []Finding) Verdict {
	worst := OK
	for _, f := range findings {
		switch {
		case f.Verdict == Failure:
			return Failure
		case f.Verdict == Warning:
			worst = Warning
		}
	}
	return worst
}

// report collects findings.
type report struct{ list []Finding }

func (r *report) ok(check, says string, args ...any) {
	r.list = append(r.list, Finding{Check: check, Verdict: OK, Says: fmt.Sprintf(says, args...)})
}

func (r *report) bad(v Verdict, check, remedy, says string, args ...any) {
	r.list = append(r.list, Finding{Check: check, Verdict: v, Says: fmt.Sprintf(says, args...), Remedy: remedy})
}

// Limits of what is good.
const (
	skewWarning, skewFailure = 20 * time.Second, 60 * time.Second
	diskWarning, diskFailure = 1 << 30, 100 << 20 // bytes free
	certWarning              = 14 * 24 * time.Hour
	membershipWarning        = 6 * time.Hour
	copyWarning              = time.Hour // since it was confirmed
)

// Judge says what the facts mean. Sections that are nil were not looked at.
func Judge(m *Machine, n *Node) []Finding {
	var r report
	if m != nil {
		r.files(m)
		r.disk(m)
		r.name(m)
		r.certificate(m)
	}
	if n == nil {
		r.bad(Failure, "node", "start it: rathausnetz serve, or systemctl start rathausnetz", "no running node found")
		return r.list
	}
	r.ok("node", "runs, and is %s", n.State)
	r.store(n)
	r.address(n)
	switch n.State {
	case "alone":
		r.bad(Warning, "membership", "ask the hub for a code and use it: rathausnetz join CODE", "the node has not joined a network")
		return r.list
	case "waiting":
		if n.Hub == n.Entity {
			r.bad(Warning, "membership", "wait a few seconds and ask again", "the hub has just started, and verifies itself")
			return r.list
		}
		r.hub(n)
		r.outside(n)
		r.bad(Warning, "membership", "read your eight words to the hub over the telephone; its operator then approves", "the hub has not approved this node yet")
		return r.list
	}
	r.hub(n)
	r.outside(n)
	r.membership(n)
	r.signOn(n)
	r.catalogue(n)
	r.copies(n)
	r.peers(n)
	return r.list
}

// names lists a few of many.
func names(list []string) string {
	slices.Sort(list)
	const most = 5
	if len(list) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
	}
	return strings.Join(list, ", ")
}
