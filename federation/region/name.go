package region

import (
	"bytes"
	"slices"
	"strings"
)

// nameIndex maps folded names to refs (see Register), each list sorted with
// the narrowest area first.
type nameIndex struct {
	exact map[string][]int32 // the name itself, with and without its suffix
	short map[string][]int32 // the name without what tells it apart: "Hagen" of "Hagen am Teutoburger Wald"
	alike map[string][]int32 // see alikeKey
	parts map[string][]int32 // Ortsteile
}

// kindFilter says whether a place is of the kind that was asked for.
type kindFilter func(*Place) bool

func anyKind(*Place) bool { return true }

// kindOf reads the word people put before or after a name.
func kindOf(word []byte) (kindFilter, bool) {
	switch string(word) {
	case "stadt", "hansestadt":
		return func(p *Place) bool { return p.Type.isStadt() }, true
	case "gemeinde", "flecken", "markt", "ort":
		return func(p *Place) bool { return p.Area.IsGemeinde() }, true
	case "samtgemeinde", "sg", "amt", "verbandsgemeinde", "verwaltungsgemeinschaft", "vgem", "vg":
		return func(p *Place) bool { return p.Area.Len() == 9 }, true
	case "landkreis", "kreis", "lk", "lkr":
		return func(p *Place) bool { return p.Area.Len() == 5 }, true
	case "land", "bundesland", "freistaat":
		return func(p *Place) bool { return p.Area.Len() == 2 }, true
	}
	return nil, false
}

// folder turns a name into its key: lower case, umlauts written out,
// abbreviations of the register in full, without blanks and punctuation. It
// works in its own memory so that a look-up does not allocate.
type folder struct {
	words [2 * maxQuery]byte // words separated by one blank
	key   [3 * maxQuery]byte // the same without blanks; what does not fit is cut off
	n     int                // length of key
	first int                // end of the first word in key
	last  int                // start of the last word in key
	base  int                // end of the part before "am", "in", "bei" …; 0 if there is none
}

func (f *folder) all() []byte { return f.key[:f.n] }

// kindSides is the number of ways to split.
const kindSides = 2

// split cuts off the first word (side 0) or the last (side 1).
func (f *folder) split(side int) (word, rest []byte) {
	if side == 0 {
		return f.key[:f.first], f.key[f.first:f.n]
	}
	return f.key[f.last:f.n], f.key[:f.last]
}

// fold reads s; ok is false if s is too long or holds a character that no
// place name has, such as a full-width digit.
func (f *folder) fold(s string) (ok bool) {
	*f = folder{}
	n, ok := f.letters(s)
	f.join(f.words[:n])
	return ok
}

// letters writes the words of s, in lower-case ASCII, and returns their length.
func (f *folder) letters(s string) (n int, ok bool) {
	if len(s) > maxQuery {
		return 0, false
	}
	for _, c := range s {
		if c == 0x308 && n > 0 && (f.words[n-1] == 'a' || f.words[n-1] == 'o' || f.words[n-1] == 'u') {
			c = 'e' // a decomposed umlaut
		}
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			f.words[n] = byte(c)
			n++
		case c >= 'A' && c <= 'Z':
			f.words[n] = byte(c) + 'a' - 'A'
			n++
		case c < 0x80:
			if c < ' ' || c == 0x7f {
				return n, false
			}
			n = f.blank(n)
		case c == 0xa0 || c >= 0x2010 && c <= 0x201f:
			n = f.blank(n)
		case c == 0xad || c >= 0x300 && c < 0x370: // soft hyphen, other combining marks
		default:
			t := transliterate(c)
			if t == "" {
				return n, false
			}
			n += copy(f.words[n:], t)
		}
	}
	return n, true
}

func (f *folder) blank(n int) int {
	if n > 0 && f.words[n-1] != ' ' {
		f.words[n] = ' '
		n++
	}
	return n
}

// join writes the words into key and notes where they begin and end.
func (f *folder) join(words []byte) {
	words = bytes.TrimRight(words, " ")
	for i := 0; len(words) > 0; i++ {
		long, used := expand(words)
		f.last = f.n
		if long != "" {
			f.n += copy(f.key[f.n:], long)
		} else {
			f.n += copy(f.key[f.n:], words[:used])
		}
		if i > 0 && f.base == 0 && tellsApart(f.key[f.last:f.n]) {
			f.base = f.last
		}
		if i == 0 {
			f.first = f.n
		}
		words = words[min(used+1, len(words)):]
	}
}

// abbreviations the register and people use, each as whole words.
var abbreviations = [...]struct{ short, long string }{
	{"a t w", "amteutoburgerwald"}, {"atw", "amteutoburgerwald"}, {"am t w", "amteutoburgerwald"},
	{"a d", "ander"}, {"an d", "ander"}, {"an der", "ander"}, {"a", "am"},
	{"i d", "inder"}, {"in d", "inder"}, {"in der", "inder"}, {"i", "im"}, {"in", "im"},
	{"v d", "vorder"}, {"vor d", "vorder"}, {"vor der", "vorder"},
	{"o d", "obder"}, {"ob d", "obder"}, {"ob der", "obder"}, {"b", "bei"},
	{"st", "sankt"}, {"oldb", "oldenburg"}, {"holst", "holstein"}, {"westf", "westfalen"},
	{"thuer", "thueringen"}, {"wuertt", "wuerttemberg"}, {"bay", "bayern"}, {"opf", "oberpfalz"},
}

// expand returns the long form of the abbreviation that words begins with, or
// "", and how many bytes of words it or the first word takes. An abbreviation
// may span several words.
func expand(words []byte) (long string, used int) {
	end := bytes.IndexByte(words, ' ')
	if end < 0 {
		end = len(words)
	}
	if end <= 5 {
		for i := range abbreviations {
			short := abbreviations[i].short
			if n := len(short); len(words) >= n && words[0] == short[0] && string(words[:n]) == short && (len(words) == n || words[n] == ' ') {
				return abbreviations[i].long, n
			}
		}
	}
	return "", end
}

// tellsApart reports whether a word begins the part of a name that only tells
// it apart from others of the same name.
func tellsApart(word []byte) bool {
	switch string(word) {
	case "am", "an", "ander", "im", "inder", "bei", "vorder", "obder", "amteutoburgerwald", "auf", "vor":
		return true
	}
	return false
}

func transliterate(c rune) string {
	switch c {
	case 'ä', 'Ä':
		return "ae"
	case 'ö', 'Ö':
		return "oe"
	case 'ü', 'Ü':
		return "ue"
	case 'ß', 'ẞ':
		return "ss"
	case 'à', 'á', 'â', 'ã', 'å', 'À', 'Á', 'Â', 'Å', 'ą':
		return "a"
	case 'ç', 'ć', 'č', 'Ć', 'Č':
		return "c"
	case 'è', 'é', 'ê', 'ë', 'ě', 'ę', 'È', 'É':
		return "e"
	case 'ì', 'í', 'î', 'ï':
		return "i"
	case 'ł', 'Ł':
		return "l"
	case 'ñ', 'ń', 'ň':
		return "n"
	case 'ò', 'ó', 'ô', 'õ', 'ø', 'Ó', 'Ø':
		return "o"
	case 'ŕ', 'ř', 'Ř':
		return "r"
	case 'ś', 'š', 'Ś', 'Š':
		return "s"
	case 'ù', 'ú', 'û', 'ů':
		return "u"
	case 'ý', 'ÿ':
		return "y"
	case 'ź', 'ž', 'ż', 'Ź', 'Ž':
		return "z"
	}
	return ""
}

// alikeKey appends key to dst so that names which sound alike become equal:
// umlauts with and without dots, doubled letters, c/k, v/f, y/i, th, dt, tz.
func alikeKey(key, dst []byte) []byte {
	for i := 0; i < len(key); i++ {
		c := key[i]
		next := byte(0)
		if i+1 < len(key) {
			next = key[i+1]
		}
		switch {
		case (c == 'a' || c == 'o' || c == 'u') && next == 'e':
			i++
		case (c == 't' || c == 'd') && (next == 'h' || next == 't'):
			c, i = 't', i+1
		case c == 'p' && next == 'h':
			c, i = 'f', i+1
		case c == 'c' && next == 'k':
			c, i = 'k', i+1
		case c == 't' && next == 'z':
			c, i = 'z', i+1
		case c == 'v':
			c = 'f'
		case c == 'y':
			c = 'i'
		case c == 'c' && next != 'h':
			c = 'k'
		}
		if len(dst) == 0 || dst[len(dst)-1] != c {
			dst = append(dst, c)
		}
	}
	return dst
}

// add puts every spelling of p into the index.
func (x *nameIndex) add(p *Place, ref int32) {
	if !findable(p) {
		return
	}
	var f folder
	alike := func(key []byte) { put(x.alike, string(alikeKey(key, nil)), ref) }
	for _, name := range [...]string{p.Name, p.Official, p.FullName} {
		if !f.fold(name) {
			continue
		}
		if name != p.FullName {
			put(x.exact, string(f.all()), ref)
		}
		if name == p.Name {
			alike(f.all())
			if f.base > 0 {
				put(x.short, string(f.key[:f.base]), ref)
				alike(f.key[:f.base])
			}
			if rest, ok := bytes.CutPrefix(f.all(), []byte("bad")); ok && strings.HasPrefix(name, "Bad ") {
				alike(rest)
			}
		}
	}
	for _, mark := range [...]string{"(", "/"} {
		if i := strings.Index(p.Name, mark); i > 0 && f.fold(p.Name[:i]) {
			put(x.short, string(f.all()), ref)
			alike(f.all())
		}
	}
}

func put(index map[string][]int32, key string, ref int32) {
	if list := index[key]; key != "" && !slices.Contains(list, ref) {
		index[key] = append(list, ref)
	}
}

// findable leaves out what only repeats a Gemeinde: the Kreis record of a
// kreisfreie Stadt and the Land record of a city state.
func findable(p *Place) bool {
	switch {
	case p.Type == KreisfreieStadtKreis || p.Type == StadtkreisKreis:
		return false
	case p.Area.Len() == 2 && (p.Official == "Berlin" || p.Official == "Hamburg"):
		return false
	case p.Area.Len() == 3:
		return false
	}
	return true
}
