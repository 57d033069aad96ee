// The sbom program says what a Go program of ours is linked with: as a
// CycloneDX bill of materials, or as the licences of its modules. It reads what
// the linker wrote into the program, so that the bill is of what is shipped and
// not of what go.mod allows. The same program gives the same bytes.
//
//	go run ./deploy/sbom bin/exporter > exporter.cdx.json
//	go run ./deploy/sbom --format licenses bin/exporter > exporter.licenses.txt
package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit status: 0 when done, 1 when the work failed, 2 when the
// command was wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("sbom", flag.ContinueOnError)
	flags.SetOutput(stderr)
	format := flags.String("format", "cyclonedx", "cyclonedx (JSON) or licenses (text; from the module cache)")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	write, known := map[string]func(context.Context, io.Writer, string, *debug.BuildInfo) error{
		"cyclonedx": cyclonedx, "licenses": licenses,
	}[*format]
	if flags.NArg() != 1 || !known {
		fmt.Fprintln(stderr, "usage: sbom [--format cyclonedx|licenses] PROGRAM")
		return 2
	}
	info, err := buildinfo.ReadFile(flags.Arg(0))
	if err == nil {
		err = write(ctx, stdout, flags.Arg(0), info)
	}
	if err != nil {
		fmt.Fprintln(stderr, "sbom:", err)
		return 1
	}
	return 0
}

// modules are those that the program is linked with, what replaces them in
// their place.
func modules(info *debug.BuildInfo) []*debug.Module {
	var out []*debug.Module
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		out = append(out, m)
	}
	return out
}
