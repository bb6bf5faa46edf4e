package links

import (
	"bufio"
	"bytes"
	"strconv"
	"strings"
	"time"
)

// product is our name for robots.txt [RFC 9309 §2.2.1].
const product = "Rathausnetz-Linkpruefung"

const (
	maxRobots     = 500 << 10 // bytes that must be read at least [RFC 9309 §2.5]
	robotsFor     = 24 * time.Hour
	longestDelay  = 30 * time.Second
	maxRobotLines = 10000
)

// rules are what one robots.txt says to us. The zero value allows all.
type rules struct {
	none  bool // everything is forbidden: the file exists but cannot be had
	lines []rule
	delay time.Duration // asked for between two requests
}

type rule struct {
	allow   bool
	pattern string
}

// parseRobots reads the groups that name us, else those for everybody.
func parseRobots(b []byte) rules {
	var ours, all rules
	named := false
	var forUs, forAll, inRules bool
	sc := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	sc.Buffer(nil, maxRobots)
	for n := 0; sc.Scan() && n < maxRobotLines; n++ {
		line, _, _ := strings.Cut(sc.Text(), "#")
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
		if key == "user-agent" {
			if inRules {
				forUs, forAll, inRules = false, false, false
			}
			token, _, _ := strings.Cut(value, "/")
			forUs = forUs || strings.EqualFold(token, product)
			forAll = forAll || token == "*"
			named = named || forUs
			continue
		}
		if key != "allow" && key != "disallow" && key != "crawl-delay" {
			continue
		}
		inRules = true
		if forUs {
			ours.add(key, value)
		}
		if forAll {
			all.add(key, value)
		}
	}
	if named {
		return ours
	}
	return all
}

func (r *rules) add(key, value string) {
	if key == "crawl-delay" {
		if s, err := strconv.ParseFloat(value, 64); err == nil && s > 0 {
			r.delay = min(time.Duration(min(s, 3600)*float64(time.Second)), longestDelay)
		}
		return
	}
	if value != "" { // an empty rule forbids nothing
		r.lines = append(r.lines, rule{allow: key == "allow", pattern: value})
	}
}

// allows reports whether path (with query) may be visited: the longest
// pattern decides, of two equal ones the one that allows [RFC 9309 §2.2.2].
func (r rules) allows(path string) bool {
	if r.none {
		return false
	}
	best, ok := -1, true
	for _, l := range r.lines {
		if n := len(l.pattern); (n > best || n == best && l.allow) && fits(l.pattern, path) {
			best, ok = n, l.allow
		}
	}
	return ok
}

// fits matches a pattern with * and a closing $ against the begin of path. It
// takes time proportional to the product of both lengths at most.
func fits(pattern, path string) bool {
	end := strings.HasSuffix(pattern, "$")
	parts := strings.Split(strings.TrimSuffix(pattern, "$"), "*")
	if !strings.HasPrefix(path, parts[0]) {
		return false
	}
	path = path[len(parts[0]):]
	for i, p := range parts[1:] {
		if end && i == len(parts)-2 {
			return strings.HasSuffix(path, p)
		}
		at := strings.Index(path, p)
		if at < 0 {
			return false
		}
		path = path[at+len(p):]
	}
	return !end || path == ""
}
