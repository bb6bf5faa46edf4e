package portal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"rathausnetz/federation/region"
)

// registerDir is where imported editions of the register lie in a data folder.
const registerDir = "register"

// maxRegisterFile bounds a register file, in bytes; the official one has 3.5 MB.
const maxRegisterFile = 64 << 20

// ImportRegister checks an edition of the official register and keeps it in
// the data folder, named after its date. Editions lie beside each other, so
// that outdated keys lead to their successors.
func ImportRegister(dataDir, path string) (*region.Edition, error) {
	b, err := readLimited(path)
	if err != nil {
		return nil, err
	}
	e, err := readEdition(path)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(dataDir, registerDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	name := filepath.Join(dir, "GV100AD_"+e.Date.Format("2006-01-02")+".txt")
	if err := renameio.WriteFile(name, b, 0o600); err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	return e, nil
}

// OpenRegister reads the editions named and those imported into the data
// folder; without any it is the built-in Kreis.
func OpenRegister(dataDir string, files []string) (*region.Register, error) {
	imported, err := filepath.Glob(filepath.Join(dataDir, registerDir, "GV100AD_*.txt"))
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	slices.Sort(imported) // by date: the oldest edition first
	all := append(imported, files...)
	if len(all) == 0 {
		return region.Demo(), nil
	}
	editions := make([]*region.Edition, 0, len(all))
	for _, path := range all {
		e, err := readEdition(path)
		if err != nil {
			return nil, err
		}
		editions = append(editions, e)
	}
	return region.NewRegister(editions...), nil
}

func readEdition(path string) (*region.Edition, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, registerError(path, err)
	}
	defer f.Close()
	e, err := region.ReadGV100AD(io.LimitReader(f, maxRegisterFile))
	if err != nil {
		return nil, fmt.Errorf("register %s: %w", path, err)
	}
	return e, nil
}

func readLimited(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, registerError(path, err)
	}
	if info.Size() > maxRegisterFile {
		return nil, fmt.Errorf("register: %s has %d bytes, at most %d are read", path, info.Size(), int64(maxRegisterFile))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, registerError(path, err)
	}
	return b, nil
}

func registerError(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("register: %s does not exist; it is the GV100AD file of the Statistisches Bundesamt", path)
	}
	return fmt.Errorf("register: %w", err)
}

func (n *Node) openRegister() error {
	if n.opt.Register != nil {
		n.register = n.opt.Register
		return nil
	}
	var err error
	if n.register, err = OpenRegister(n.cfg.Data, n.cfg.Register.GV100AD); err != nil || n.cfg.Register.PLZ == "" {
		return err
	}
	f, err := os.Open(n.cfg.Register.PLZ)
	if err != nil {
		return fmt.Errorf("register.plz: %w", err)
	}
	defer f.Close()
	unknown, err := n.register.AddPLZ(f)
	if unknown > 0 {
		n.log.Warn("postal codes of unknown municipalities were left out", "count", unknown)
	}
	return err
}
