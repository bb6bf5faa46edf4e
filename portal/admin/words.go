package admin

import (
	"errors"
	"fmt"
	"html/template"
	"time"
)

// Ago writes a span of time that lies behind: "vor 4 Minuten".
func Ago(d time.Duration) string {
	n, one, other := 0, "", ""
	switch {
	case d < time.Minute:
		return "gerade eben"
	case d < time.Hour:
		n, one, other = int(d/time.Minute), "Minute", "Minuten"
	case d < 48*time.Hour:
		n, one, other = int(d/time.Hour), "Stunde", "Stunden"
	default:
		n, one, other = int(d/(24*time.Hour)), "Tag", "Tagen"
	}
	if n == 1 {
		other = one
	}
	return fmt.Sprintf("vor %d %s", n, other)
}

// The classes are written out so that the stylesheet is cut around them.
var (
	icons = map[string]template.HTML{
		"info":    `<span class="kern-icon kern-icon--info" aria-hidden="true"></span>`,
		"success": `<span class="kern-icon kern-icon--success" aria-hidden="true"></span>`,
		"warning": `<span class="kern-icon kern-icon--warning" aria-hidden="true"></span>`,
		"danger":  `<span class="kern-icon kern-icon--danger" aria-hidden="true"></span>`,
	}
	badgeClasses = map[string]string{"info": "kern-badge--info", "success": "kern-badge--success", "warning": "kern-badge--warning", "danger": "kern-badge--danger"}
	alertClasses = map[string]string{"info": "kern-alert--info", "success": "kern-alert--success", "warning": "kern-alert--warning", "danger": "kern-alert--danger"}
)

// dict makes the argument of a part: {{template "field" (dict "Name" "ort" "Label" "Ort")}}.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, errors.New("dict: a value is missing")
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		k, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: key %d is no word", i/2)
		}
		m[k] = pairs[i+1]
	}
	return m, nil
}
