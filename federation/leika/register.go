package leika

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ErrRegister is wrapped by every refusal of ReadRegister.
var ErrRegister = errors.New("leika: register cannot be read")

// Limits of a register file; the full catalogue has about 10 000 keys.
const (
	maxRows      = 100_000
	maxNameBytes = 1000
)

// Register knows the names of keys. A key may have several names, and a key
// that is missing is unknown here, not wrong. A Register is never changed and
// may be read concurrently; the nil Register knows nothing.
type Register struct {
	names map[ID][]string
}

// ReadRegister reads a CSV file with a header line that has the columns
// "leika" and "name" among others, separated by semicolons or commas, in
// UTF-8 with or without byte order mark. Repeated keys keep all their
// different names. The error names the line.
func ReadRegister(in io.Reader) (*Register, error) {
	br := bufio.NewReader(in)
	if bom, err := br.Peek(3); err == nil && string(bom) == "\xef\xbb\xbf" {
		if _, err := br.Discard(3); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRegister, err)
		}
	}
	c := csv.NewReader(br)
	c.Comma, c.ReuseRecord, c.TrimLeadingSpace, c.FieldsPerRecord = separator(br), true, true, -1
	key, name, err := columns(c)
	if err != nil {
		return nil, err
	}
	r := &Register{names: make(map[ID][]string)}
	for rows := 0; ; rows++ {
		f, err := c.Read()
		if errors.Is(err, io.EOF) {
			return r, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrRegister, err)
		}
		line, _ := c.FieldPos(0)
		if rows == maxRows {
			return nil, fmt.Errorf("%w: line %d: more than %d rows", ErrRegister, line, maxRows)
		}
		if len(f) <= max(key, name) {
			return nil, fmt.Errorf("%w: line %d: %d columns, the header has more", ErrRegister, line, len(f))
		}
		if err := r.add(f[key], f[name]); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrRegister, line, err)
		}
	}
}

// separator looks for the first separator of the header line.
func separator(br *bufio.Reader) rune {
	head, _ := br.Peek(512) // a short file is fine
	if i := strings.IndexAny(string(head), ";,\n"); i >= 0 && head[i] == ',' {
		return ','
	}
	return ';'
}

func columns(c *csv.Reader) (key, name int, err error) {
	head, err := c.Read()
	if err != nil {
		return 0, 0, fmt.Errorf("%w: header: %w", ErrRegister, err)
	}
	key, name = -1, -1
	for i, h := range head {
		switch strings.ToLower(strings.TrimSpace(h)) {
		case "leika":
			key = i
		case "name":
			name = i
		}
	}
	if key < 0 || name < 0 {
		return 0, 0, fmt.Errorf(`%w: the header line must have the columns "leika" and "name"`, ErrRegister)
	}
	return key, name, nil
}

func (r *Register) add(key, name string) error {
	id, err := Parse(strings.TrimSpace(key))
	if err != nil {
		return err
	}
	name = strings.TrimSpace(name)
	if len(name) > maxNameBytes {
		return fmt.Errorf("the name of %s has more than %d bytes", id, maxNameBytes)
	}
	known := r.names[id]
	if name != "" && slices.Contains(known, name) {
		return nil
	}
	if name != "" {
		known = append(known, name)
	}
	r.names[id] = known
	return nil
}

// Has reports whether the register lists exactly this key.
func (r *Register) Has(id ID) bool {
	if r == nil {
		return false
	}
	_, ok := r.names[id]
	return ok
}

// Name returns the first name of the key; ok is false if it is not listed.
func (r *Register) Name(id ID) (name string, ok bool) {
	if r == nil {
		return "", false
	}
	names, ok := r.names[id]
	if len(names) > 0 {
		name = names[0]
	}
	return name, ok
}

// Names returns all names of the key in the order of the file, nil if there
// are none; the slice is the caller's.
func (r *Register) Names(id ID) []string {
	if r == nil {
		return nil
	}
	return slices.Clone(r.names[id])
}

// IDs returns every key of the register, sorted; the slice is the caller's.
func (r *Register) IDs() []ID {
	if r == nil {
		return nil
	}
	ids := make([]ID, 0, len(r.names))
	for id := range r.names {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// Len returns the number of keys.
func (r *Register) Len() int {
	if r == nil {
		return 0
	}
	return len(r.names)
}
