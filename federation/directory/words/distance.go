package words

// Distance returns the number of single-byte insertions, deletions, changes
// and swaps of neighbours between a and b, or limit+1 if it is more than
// limit. Folded words are nearly all ASCII, so bytes are letters.
func Distance(a, b string, limit int) int {
	if abs(len(a)-len(b)) > limit || len(a) > MaxWord || len(b) > MaxWord {
		return limit + 1
	}
	var rows [3][MaxWord + 1]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		best := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, before[j-2]+1)
			}
			row[j] = d
			best = min(best, d)
		}
		if best > limit {
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit+1)
}

func abs(n int) int { return max(n, -n) }

// Typos returns how many typing errors a word of this length may have: none
// below four letters, one up to seven, two from eight on.
func Typos(length int) int {
	switch {
	case length < 4:
		return 0
	case length < 8:
		return 1
	}
	return 2
}

// Plausible reports whether b may be meant by a, d errors away: people rarely
// mistype the first letter, so it must be the same in short words and where
// there is more than one error.
func Plausible(a, b string, d int) bool {
	return a != "" && b != "" && (a[0] == b[0] || (d == 1 && len(a) > 5))
}
