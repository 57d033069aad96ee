package rig

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tokenpersistence/toolkit/internal/child"
)

// module is the path in the go.mod of the toolkit's own checkout.
const module = "github.com/tokenpersistence/toolkit"

// programs are the two programs the demo runs.
type programs struct{ exporter, analyze string }

// findPrograms returns the programs the options name, else those beside our
// own, else builds them when run inside the checkout.
func findPrograms(ctx context.Context, o Options, end *closers) (programs, error) {
	p := programs{exporter: o.Exporter, analyze: o.Analyze}
	var missing []string
	for _, need := range []struct {
		name string
		path *string
	}{{"exporter", &p.exporter}, {"analyze", &p.analyze}} {
		if *need.path != "" {
			found, err := exec.LookPath(*need.path)
			if err != nil {
				return p, fmt.Errorf("--%s: %w", need.name, err)
			}
			if *need.path, err = filepath.Abs(found); err != nil {
				return p, err
			}
			continue
		}
		if own, err := os.Executable(); err == nil {
			beside := filepath.Join(filepath.Dir(own), need.name)
			if _, err := exec.LookPath(beside); err == nil {
				*need.path = beside
				continue
			}
		}
		missing = append(missing, need.name)
	}
	if len(missing) == 0 {
		return p, nil
	}
	root, err := checkout()
	if err != nil {
		return p, fmt.Errorf("no program %s beside the testbed: build it and name it with --%s (%w)", missing[0], missing[0], err)
	}
	folder, err := os.MkdirTemp("", "token-persistence-bin-")
	if err != nil {
		return p, err
	}
	end.add(func() error { return os.RemoveAll(folder) })
	args := []string{"build", "-o", folder + string(filepath.Separator)}
	for _, name := range missing {
		args = append(args, "./"+name)
	}
	if err := compile(ctx, root, args); err != nil {
		return p, err
	}
	if p.exporter == "" {
		p.exporter = filepath.Join(folder, "exporter")
	}
	if p.analyze == "" {
		p.analyze = filepath.Join(folder, "analyze")
	}
	return p, nil
}

// checkout finds the root of the toolkit's source from the working directory
// upwards.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module "+module+"\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the working directory is not inside the toolkit's source")
		}
		dir = parent
	}
}

// compile runs the go command in root.
func compile(ctx context.Context, root string, args []string) error {
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := runChild(ctx, cmd); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out.String())
	}
	return nil
}

// runChild runs a program to its end, or to the end of ctx.
func runChild(ctx context.Context, cmd *exec.Cmd) error {
	p, err := child.Start(cmd, nil)
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
		return p.Err()
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.Stop(stopGrace))
	}
}
