package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
)

// licenseFile matches what licences and notices to be passed on are called.
var licenseFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// licenses writes the texts that have to go with the program: those of Go and
// of every module, from the module cache. A module without one is an error,
// since nobody may pass it on.
func licenses(ctx context.Context, w io.Writer, _ string, info *debug.BuildInfo) error {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	if err := texts(w, "Go "+info.GoVersion, strings.TrimSpace(string(root))); err != nil {
		return err
	}
	for _, m := range modules(info) {
		folder, err := folder(ctx, m)
		if err != nil {
			return err
		}
		if err := texts(w, m.Path+" "+m.Version, folder); err != nil {
			return err
		}
	}
	return nil
}

// folder fetches the module where the cache does not hold it.
func folder(ctx context.Context, m *debug.Module) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", m.Path+"@"+m.Version).Output()
	var found struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(out, &found); err == nil {
		err = jsonErr
	}
	if found.Error != "" {
		err = errors.New(found.Error)
	}
	if err != nil {
		return "", fmt.Errorf("fetch %s %s: %w", m.Path, m.Version, err)
	}
	return found.Dir, nil
}

func texts(w io.Writer, name, folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("licence of %s: %w", name, err)
	}
	found := false
	for _, entry := range entries {
		if entry.IsDir() || filepath.Ext(entry.Name()) == ".go" || !licenseFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return fmt.Errorf("licence of %s: %w", name, err)
		}
		found = true
		if _, err := fmt.Fprintf(w, "%s\n%s: %s\n\n%s\n\n", strings.Repeat("=", 78), name, entry.Name(), strings.TrimSpace(string(text))); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("%s has no licence in %s: the program may not be passed on with it", name, folder)
	}
	return nil
}
