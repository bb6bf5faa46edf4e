package web

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"time"

	"rathausnetz/federation/catalog"
	"rathausnetz/portal/web/locale"
)

// maxDuration is how long a text about a Bearbeitungsdauer may be, in bytes, to
// mean one thing only.
const maxDuration = 160

var (
	tags = regexp.MustCompile(`<[^>]*>`)
	// duration finds "2 Wochen", "etwa 10 Arbeitstage", "2 bis 4 Wochen".
	duration = regexp.MustCompile(`(?i)(?:(\d{1,3})\s*(?:bis|-|–)\s*)?(\d{1,3})\s*(Arbeitstage?|Werktage?|Tage?|Wochen?|Monate?)n?\b`)
	number   = regexp.MustCompile(`\d+`)
)

// answerBy is the day by which an application of today is answered, told by a
// text that names one span of time and no other number; ok is false otherwise:
// nothing is guessed [UX.md §5.6]. Of two numbers the later day counts.
// Saturdays and Sundays are no working days; holidays are not known here.
func answerBy(text string, today time.Time) (day time.Time, ok bool) {
	text = strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(text, " "))), " ")
	if text == "" || len(text) > maxDuration {
		return day, false
	}
	m := duration.FindAllStringSubmatch(text, -1)
	if len(m) != 1 || len(number.FindAllString(text, -1)) != len(number.FindAllString(m[0][0], -1)) {
		return day, false
	}
	n, err := strconv.Atoi(m[0][2])
	if err != nil || n == 0 {
		return day, false
	}
	switch unit := strings.ToLower(m[0][3]); {
	case strings.HasPrefix(unit, "arbeitstag"):
		return working(today, n, time.Saturday), true
	case strings.HasPrefix(unit, "werktag"):
		return working(today, n, time.Sunday), true
	case strings.HasPrefix(unit, "tag"):
		return today.AddDate(0, 0, n), true
	case strings.HasPrefix(unit, "woche"):
		return today.AddDate(0, 0, 7*n), true
	}
	return today.AddDate(0, n, 0), true
}

// working goes n days on, without Sundays, and without Saturdays where those
// are the first days off.
func working(day time.Time, n int, off time.Weekday) time.Time {
	for n > 0 {
		day = day.AddDate(0, 0, 1)
		if w := day.Weekday(); w != time.Sunday && w != off {
			n--
		}
	}
	return day
}

// untilWhen tells the Bearbeitungsdauer relative to the reader; "" if the text
// does not say it clearly enough.
func (v *view) untilWhen(o *catalog.Offer) string {
	t := o.Section(catalog.Bearbeitungsdauer)
	if t == nil {
		return ""
	}
	text, _ := t.In(locale.German)
	day, ok := answerBy(text, v.w.cfg.Now().In(v.w.zone))
	if !ok {
		return ""
	}
	return v.t("fact.until", locale.Date(v.Lang, day))
}
