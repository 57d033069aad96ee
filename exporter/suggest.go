package main

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/tokenpersistence/toolkit/internal/nearest"
)

// suggest returns a hint with the flag that is most like the first one on the
// command line that does not exist, or nothing.
func suggest(app *kingpin.ApplicationModel, args []string) string {
	known := map[string]bool{}
	var names []string
	for _, f := range app.Flags {
		known[f.Name] = true
		names = append(names, f.Name)
		if f.IsBoolFlag() {
			known["no-"+f.Name] = true
			names = append(names, "no-"+f.Name)
		}
	}
	for _, arg := range args {
		if arg == "--" {
			break
		}
		name, isFlag := strings.CutPrefix(arg, "--")
		name, _, _ = strings.Cut(name, "=")
		if !isFlag || known[name] {
			continue
		}
		if best, ok := nearest.Name(name, names); ok {
			return fmt.Sprintf("; did you mean --%s?", best)
		}
		break
	}
	return "; see exporter --help"
}
