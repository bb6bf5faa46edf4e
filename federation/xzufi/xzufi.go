package xzufi

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/catalog/markup"
	"rathausnetz/federation/region"
	"rathausnetz/federation/xzufi/token"

	"rathausnetz/federation/leika"
)

// Errors of reading, each wrapped in an *Error that says where.
var (
	ErrNamespace = errors.New("xzufi: not an XZuFi message of a known version")
	ErrRecord    = errors.New("xzufi: a record without an id")
	ErrLimit     = errors.New("xzufi: over its limit")
	ErrIndex     = errors.New("xzufi: the index")
	ErrEmpty     = errors.New("xzufi: no record in it")
	ErrInput     = errors.New("xzufi: cannot be read")
)

// Error is what makes a whole input unusable. Message is one German sentence
// for an editor, with what to do; Err is the cause to decide by.
type Error struct {
	File    string // as the caller named it
	Line    int    // from 1, 0 if the file as a whole is meant
	Element string // local name of the innermost element
	ID      string // of the record, "" if it was not read yet
	Message string
	Err     error
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Element != "" {
		fmt.Fprintf(&b, " <%s>", e.Element)
	}
	if e.ID != "" {
		b.WriteString(" " + e.ID)
	}
	return fmt.Sprintf("%s: %v: %s", b.String(), e.Err, e.Message)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Options say how to read. The zero value is right for feeds of others.
type Options struct {
	// Levels maps vertrauensniveau codes of other lists than this project's
	// own to a Level. The labels of the official codes are not published, so
	// nothing is mapped by default: the level is LevelNone with a finding.
	Levels map[string]federation.Level
	// Entity resolves the member named in a delegation; nil means
	// federation.ParseEntityID.
	Entity func(string) (federation.EntityID, error)
	// Loopback accepts http:// entity IDs of loopback names, and plain http
	// to loopback hosts in Fetch.
	Loopback bool
	Limits   Limits
	// Progress, if set, is told after every read how many bytes it brought,
	// after decompression.
	Progress func(bytes int64)
}

// Limits bound what one import can cost. Zero values mean the defaults.
type Limits struct {
	MaxFile    int64 // bytes of one file after decompression; 1 GiB
	MaxTotal   int64 // bytes of all files together; 2 GiB
	MaxFiles   int   // files of one folder or archive; 10,000
	MaxRecords int   // records a Batch holds; 262,144
	MaxText    int   // bytes of one text; 1 MiB
	MaxRecord  int   // bytes of text in one record; 4 MiB
}

func (o Options) filled() Options {
	l := &o.Limits
	defaults(&l.MaxFile, 1<<30)
	defaults(&l.MaxTotal, 2<<30)
	defaults(&l.MaxFiles, 10_000)
	defaults(&l.MaxRecords, 4*catalog.MaxRecords)
	defaults(&l.MaxText, 1<<20)
	defaults(&l.MaxRecord, 4<<20)
	if o.Entity == nil {
		loopback := o.Loopback
		o.Entity = func(s string) (federation.EntityID, error) { return federation.ParseEntityID(s, loopback) }
	}
	return o
}

func defaults[T ~int | ~int64](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// Klasse says what a record is, in the words of loesche [XZuFi 2.2 loesche].
type Klasse string

// The classes of records.
const (
	Leistung             Klasse = "Leistung"
	Spezialisierung      Klasse = "LeistungSpezialisierung"
	Organisationseinheit Klasse = "Organisationseinheit"
	Onlinedienst         Klasse = "Onlinedienst"
	Zustaendigkeit       Klasse = "Zustaendigkeit"
)

// Record is one schreibe or loesche, or one Zustaendigkeit nested in another
// record. Exactly the field of its class is set, none if Delete is.
type Record struct {
	File   string
	Line   int // of the record's start tag
	Klasse Klasse
	ID     catalog.ID
	Delete bool

	Offer *catalog.Offer        // Leistung and Spezialisierung; without claims and online services
	Base  catalog.ID            // what a Spezialisierung specialises
	Areas []region.Area         // where a Spezialisierung holds
	Unit  *catalog.Unit         // Organisationseinheit
	Form  *catalog.Onlinedienst // Onlinedienst; without links and areas
	Claim *Claim                // Zustaendigkeit
}

// Claim is one Zustaendigkeit before it is known what its identifiers mean.
type Claim struct {
	Parent   catalog.ID          // the Organisationseinheit or the Onlinedienst; "" if not said
	Offer    catalog.ID          // the Leistung
	To       federation.EntityID // for a delegation: the member it goes to
	Leika    leika.ID            // for a delegation: the key
	Areas    []region.Area
	Except   []region.Area
	Role     catalog.Role
	Valid    catalog.Validity
	OfOnline bool // schemeID says that the parent is an Onlinedienst
}

// Scan reads one message and calls each for every record in order; the record
// is each's to keep. Memory is bounded by Limits, not by the size of the
// message. Counts and findings go to rep. An error that makes the message
// unusable is an *Error; an error of each ends the scan and is returned as it
// is. [XZuFi 2.2] [XZuFi 2.3]
func Scan(r io.Reader, file string, opt Options, rep *Report, each func(Record) error) error {
	opt = opt.filled()
	counter := &limited{r: r, left: opt.Limits.MaxFile, progress: opt.Progress}
	s := &scanner{
		tok: token.New(counter, token.Limits{MaxToken: opt.Limits.MaxText}), file: file, opt: opt,
		clean: markup.New(), rep: rep, each: each,
	}
	s.tree.limit = opt.Limits.MaxRecord
	rep.Files = append(rep.Files, file)
	err := s.message()
	rep.Bytes += counter.n
	return err
}

// limited reads at most left bytes and fails beyond.
type limited struct {
	r    io.Reader
	left int64
	n    int64

	progress func(int64) // may be nil
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("%w: the file is larger than allowed", ErrLimit)
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	l.n += int64(n)
	if l.progress != nil {
		l.progress(int64(n))
	}
	return n, err
}
