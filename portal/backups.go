package portal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"rathausnetz/config"
	"rathausnetz/federation/store"
	"rathausnetz/portal/backup"
	"rathausnetz/portal/control"
)

// Where the parts of a node stand in a backup: its data folder, what lies
// beside its configuration, and files elsewhere by their absolute path.
const (
	backupData    = "data"
	backupConfig  = "config"
	backupOutside = "outside"
)

// storeName is the embedded store in a data folder, and snapshotName the copy
// of it that is made for a backup.
const (
	storeName    = "store.db"
	snapshotName = "backup-snapshot.db"
)

// BackupFiles lists what a backup of a node consists of. store is a copy of
// the embedded store, "" if there is none.
func BackupFiles(configPath string, cfg config.Config, storeCopy string) ([]backup.File, error) {
	dir, err := filepath.Abs(filepath.Dir(configPath))
	if err != nil {
		return nil, err
	}
	files := []backup.File{{Name: backupConfig + "/" + filepath.Base(configPath), Path: configPath}}
	if storeCopy != "" {
		files = append(files, backup.File{Name: backupData + "/" + storeName, Path: storeCopy, Secret: "accounts and sessions; at a hub members and the audit trail"})
	}
	below, err := backup.Below(cfg.Data, backupData, func(rel string) bool {
		base := filepath.Base(rel)
		return rel == storeName || rel == snapshotName || strings.HasPrefix(base, ".") || strings.HasSuffix(base, ".lock")
	})
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	for _, f := range below {
		f.Secret = secretIn(strings.TrimPrefix(f.Name, backupData+"/"))
		f.May = f.Secret == ""
		files = append(files, f)
	}
	named, err := namedFiles(cfg)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{configPath: true}
	for _, f := range named {
		if seen[f.Path] || inside(cfg.Data, f.Path) {
			continue
		}
		seen[f.Path] = true
		b := backup.File{Path: f.Path, Name: backupOutside + filepath.ToSlash(f.Path)}
		if rel, err := filepath.Rel(dir, f.Path); err == nil && inside(dir, f.Path) {
			b.Name = backupConfig + "/" + filepath.ToSlash(rel)
		}
		if f.Secret {
			b.Secret = f.Key
		}
		files = append(files, b)
	}
	return files, nil
}

// secretIn says what a file of the data folder gives away.
func secretIn(rel string) string {
	switch {
	case strings.HasPrefix(rel, "keys/"):
		return "private keys: without them the node is not itself any more"
	case rel == "membership.json":
		return "membership and gossip keys"
	case strings.HasPrefix(rel, "acme/"):
		return "keys of certificates"
	}
	return ""
}

// namedFiles are the files of the configuration and the pictures of its portal
// file.
func namedFiles(cfg config.Config) ([]config.File, error) {
	files := cfg.Files()
	if cfg.Portal.File == "" {
		return files, nil
	}
	b, err := os.ReadFile(cfg.Portal.File)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPortalFile, err)
	}
	var p Portal
	if err := yaml.Unmarshal(b, &p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPortalFile, err)
	}
	for _, pic := range []Picture{p.Wappen, p.TitleImage} {
		if pic.File != "" {
			files = append(files, config.File{Key: "portal.file", Path: filepath.Join(filepath.Dir(cfg.Portal.File), filepath.FromSlash(pic.File))})
		}
	}
	return files, nil
}

func inside(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// BackupPlace says where each part of a backup is put back: beside the
// configuration at configPath, and into the data folder that it names.
func BackupPlace(configPath, data string) backup.Place {
	dir := filepath.Dir(configPath)
	return func(name string) (string, bool) {
		part, rel, ok := strings.Cut(name, "/")
		rel = filepath.FromSlash(rel)
		switch {
		case !ok:
			return "", false
		case part == backupData:
			return filepath.Join(data, rel), true
		case part == backupConfig:
			return filepath.Join(dir, rel), true
		case part == backupOutside:
			return string(filepath.Separator) + rel, true
		}
		return "", false
	}
}

// Snapshot is a copy of the store, made for a backup.
type Snapshot struct {
	Path string `json:"path"` // "": the node keeps its state in Redis
}

func (n *Node) backupVerbs(v map[string]control.Verb) {
	v["snapshot"] = control.Handle(n.snapshotStore)
}

// snapshotStore writes a copy of the store beside it. Whoever asked removes it.
func (n *Node) snapshotStore(ctx context.Context, _ struct{}) (Snapshot, error) {
	b, ok := n.kept.(*store.Bolt)
	if !ok {
		return Snapshot{}, nil
	}
	path := n.path(snapshotName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // of a backup that was cut off
		return Snapshot{}, err
	}
	return Snapshot{Path: path}, b.Snapshot(ctx, path)
}

// SnapshotStopped is the same for a node that does not run.
func SnapshotStopped(ctx context.Context, cfg config.Config) (s Snapshot, err error) {
	if len(cfg.Store.Redis.Addrs) > 0 {
		return s, nil
	}
	if _, err := os.Stat(filepath.Join(cfg.Data, storeName)); errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	b, err := store.OpenBolt(filepath.Join(cfg.Data, storeName), nil)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	s.Path = filepath.Join(cfg.Data, snapshotName)
	if err := os.Remove(s.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	return s, b.Snapshot(ctx, s.Path)
}
