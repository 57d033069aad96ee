package mysqltest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// TemplatesVariable names the environment variable that points to a folder in
// which fresh data directories are kept, one for each program and its settings:
// making the system tables costs 2 s of processor time with MySQL and 1 s with
// MariaDB, copying them a tenth. Empty keeps none.
const TemplatesVariable = "TOKEN_PERSISTENCE_TEMPLATES"

// systemTables fills the data directory: with a copy of one that was kept, or
// with a new one, of which a copy is then kept.
func (s *Server) systemTables(ctx context.Context) error {
	folder := os.Getenv(TemplatesVariable)
	if folder == "" {
		return s.initialise(ctx)
	}
	template := filepath.Join(folder, fmt.Sprintf("%s-%x", s.Flavor, sha256.Sum256(fmt.Append(nil, s.build, s.config.LowerCaseNames))))
	err := os.CopyFS(s.data(), os.DirFS(template))
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("copy the system tables: %w", err)
	}
	if err := s.initialise(ctx); err != nil {
		return err
	}
	if err := s.keep(template); err != nil {
		return fmt.Errorf("keep the system tables in the folder of %s: %w", TemplatesVariable, err)
	}
	return nil
}

// keep copies the data directory, all of it or nothing: other processes may read
// the template, or be about to make the same one.
func (s *Server) keep(template string) error {
	if err := os.MkdirAll(filepath.Dir(template), 0o700); err != nil {
		return err
	}
	half, err := os.MkdirTemp(filepath.Dir(template), "half-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(half) //nolint:errcheck // gone when it was renamed
	if err := os.CopyFS(half, os.DirFS(s.data())); err != nil {
		return err
	}
	// The server's identity, which it makes anew.
	if err := os.Remove(filepath.Join(half, "auto.cnf")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(half, template); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
