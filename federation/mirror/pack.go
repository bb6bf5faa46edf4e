package mirror

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
)

// A pack is one immutable file: an eight-byte mark, then entries of digest
// (32 bytes), size (4, big endian) and bytes. The first entry is the sealed
// manifest after whose digest the file is named, the others are the groups
// and chunks that came with it. A member's current catalogue is the last full
// pack and the deltas after it; so one changed offer costs one small file and
// one fsync, whatever the size of the catalogue.
const (
	packMark      = "RNPACK1\n"
	entryHeader   = len(federation.Digest{}) + 4
	maxDeltas     = 16 // after that many a full pack is written
	fullSuffix    = ".full"
	deltaSuffix   = ".delta"
	maxEntryBytes = max(catalog.MaxManifest, catalog.MaxChunk)
)

var (
	errPack    = errors.New("mirror: not a whole pack")
	errDamaged = errors.New("mirror: pack not readable")
)

// location is where the bytes of a digest are.
type location struct {
	pack   string
	offset int64
	size   int
}

// writePack writes the manifest and then the chunks in the order of their
// digests. It adds their places in the pack called name to into.
func writePack(w io.Writer, name, sealed string, chunks map[federation.Digest][]byte, into map[federation.Digest]location) error {
	b := bufio.NewWriterSize(w, 64<<10)
	if _, err := b.WriteString(packMark); err != nil {
		return err
	}
	entry := func(d federation.Digest, content []byte) error {
		head := binary.BigEndian.AppendUint32(append(make([]byte, 0, entryHeader), d[:]...), uint32(len(content)))
		if _, err := b.Write(head); err != nil {
			return err
		}
		_, err := b.Write(content)
		return err
	}
	if err := entry(federation.Sum([]byte(sealed)), []byte(sealed)); err != nil {
		return err
	}
	digests := make([]federation.Digest, 0, len(chunks))
	for d := range chunks {
		digests = append(digests, d)
	}
	slices.SortFunc(digests, func(a, b federation.Digest) int { return slices.Compare(a[:], b[:]) })
	offset := int64(len(packMark) + entryHeader + len(sealed))
	for _, d := range digests {
		if err := entry(d, chunks[d]); err != nil {
			return err
		}
		offset += int64(entryHeader)
		into[d] = location{pack: name, offset: offset, size: len(chunks[d])}
		offset += int64(len(chunks[d]))
	}
	return b.Flush()
}

func packSize(sealed string, chunks map[federation.Digest][]byte) int64 {
	n := int64(len(packMark) + entryHeader + len(sealed))
	for _, c := range chunks {
		n += int64(entryHeader + len(c))
	}
	return n
}

// indexPack adds the places of all entries to into and returns the sealed
// manifest. Every byte is compared with its digest.
func indexPack(path, name string, into map[federation.Digest]location) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read pack: %w", err)
	}
	defer f.Close()
	return readPack(f, name, into)
}

func readPack(f io.Reader, name string, into map[federation.Digest]location) (string, error) {
	r := bufio.NewReaderSize(f, 256<<10)
	mark := make([]byte, len(packMark))
	if _, err := io.ReadFull(r, mark); err != nil || string(mark) != packMark {
		return "", fmt.Errorf("%w: %s: mark", errPack, name)
	}
	offset := int64(len(packMark))
	sealed := ""
	head := make([]byte, entryHeader)
	for first := true; ; first = false {
		if _, err := io.ReadFull(r, head); errors.Is(err, io.EOF) && !first {
			return sealed, nil
		} else if err != nil {
			return "", fmt.Errorf("%w: %s at %d: %w", errPack, name, offset, err)
		}
		d := federation.Digest(head[:len(federation.Digest{})])
		size := int(binary.BigEndian.Uint32(head[len(d):]))
		offset += int64(entryHeader)
		if size > maxEntryBytes {
			return "", fmt.Errorf("%w: %s at %d: %d bytes", errPack, name, offset, size)
		}
		content := make([]byte, size)
		if _, err := io.ReadFull(r, content); err != nil || federation.Sum(content) != d {
			return "", fmt.Errorf("%w: %s at %d: digest", errPack, name, offset)
		}
		if first {
			sealed = string(content)
		} else {
			into[d] = location{pack: name, offset: offset, size: size}
		}
		offset += int64(size)
	}
}
