package portal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"rathausnetz/federation"
	"rathausnetz/federation/catalog"
	"rathausnetz/federation/catalog/sheet"
	"rathausnetz/federation/leika"
	"rathausnetz/federation/xzufi"
)

// stockName is the catalogue that a node without catalog.source keeps itself,
// as an XZuFi archive in the data folder. One file is replaced as a whole.
const stockName = "catalog.zip"

// leikaName is an imported LeiKa register, below registerDir.
const leikaName = "leika.csv"

// ReadSource reads a catalogue from disk: XZuFi as a file, folder or .zip, or
// a hand-written .yaml file whose member is the given one.
func ReadSource(path string, member federation.EntityID, opt xzufi.Options) (*xzufi.Batch, error) {
	if ext := strings.ToLower(filepath.Ext(path)); ext != ".yaml" && ext != ".yml" {
		return xzufi.ReadPath(path, opt)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	defer f.Close()
	c, err := sheet.ReadYAML(f, path, member)
	if err != nil {
		return nil, err
	}
	return xzufi.BatchOf(c, path), nil
}

// source is where the own catalogue comes from: what the configuration names,
// else what the node keeps itself, else nothing.
func (n *Node) source() (string, error) {
	if n.current().cfg.Catalog.Source != "" {
		return n.current().cfg.Catalog.Source, nil
	}
	if _, err := os.Stat(n.path(stockName)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", ErrNoSource
		}
		return "", fmt.Errorf("data folder: %w", err)
	}
	return n.path(stockName), nil
}

// ownsCatalogue says why an edit would not last, if it would not.
func (n *Node) ownsCatalogue() error {
	if n.current().cfg.Catalog.Source == "" {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrReadOnly, n.current().cfg.Catalog.Source)
}

// keep makes a catalogue the one the node keeps itself.
func (n *Node) keep(c *catalog.Catalogue) error {
	var b bytes.Buffer
	if err := xzufi.WriteZip(&b, c); err != nil {
		return err
	}
	if err := renameio.WriteFile(n.path(stockName), b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	return nil
}

// read reads a source from disk or by https. fresh says that the published
// catalogue still holds for long: then a server that says "not modified" is
// believed.
func (p *publisher) read(ctx context.Context, source string, fresh bool) (*xzufi.Batch, error) {
	n := p.node
	opt := xzufi.Options{Loopback: n.cfg.LoopbackHTTP}
	if !strings.Contains(source, "://") {
		return ReadSource(source, n.cfg.Entity, opt)
	}
	f := &xzufi.Fetcher{HTTP: n.outbound(forImport), Options: opt}
	if source != n.current().cfg.Catalog.Source {
		batch, _, err := f.Fetch(ctx, source, nil)
		return batch, err
	}
	before := p.validators
	if !fresh || p.fetched != source {
		before = nil
	}
	batch, after, err := f.Fetch(ctx, source, before)
	if err == nil {
		p.validators, p.fetched = after, source
	}
	return batch, err
}

// ImportLeika checks a register of LeiKa keys and keeps it in the data folder.
func ImportLeika(dataDir, path string) (*leika.Register, error) {
	r, err := OpenLeika(dataDir, path)
	if err != nil || r == nil {
		return nil, err
	}
	b, err := readLimited(path)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(dataDir, registerDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(dir, leikaName), b, 0o600); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return r, nil
}

// OpenLeika reads the register of LeiKa keys that is named, else the one
// imported into the data folder; nil if there is neither.
func OpenLeika(dataDir, path string) (*leika.Register, error) {
	imported := path == ""
	if imported {
		path = filepath.Join(dataDir, registerDir, leikaName)
	}
	f, err := os.Open(path)
	if err != nil {
		if imported && errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, fmt.Errorf("LeiKa register: %w", err)
	}
	defer f.Close()
	r, err := leika.ReadRegister(f)
	if err != nil {
		return nil, fmt.Errorf("LeiKa register %s: %w", path, err)
	}
	return r, nil
}

// gates is what a publication of this node is judged by.
func (n *Node) gates() (*catalog.GateInput, error) {
	chain, err := (members{n}).Chain(n.cfg.Entity)
	if err != nil {
		return nil, err
	}
	self, err := chain.Member()
	if err != nil {
		return nil, err
	}
	in := &catalog.GateInput{Scope: self.Scope, Next: self.Next, Delegated: n.showing.given.To(n.cfg.Entity), Loopback: n.cfg.LoopbackHTTP, Now: n.now()}
	if r := n.current().leika; r != nil {
		in.Register = r.Has
	}
	return in, nil
}
