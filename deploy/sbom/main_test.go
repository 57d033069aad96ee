package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// TestBill: a replaced module is listed as what replaces it, and the hash is
// that of the file.
func TestBill(t *testing.T) {
	file := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(file, []byte("abc"), 0o600); err != nil {
		t.Fatal(err)
	}
	info := &debug.BuildInfo{
		GoVersion: "go1.26.8", Path: "example.com/m/program",
		Deps: []*debug.Module{
			{Path: "example.com/a", Version: "v1.2.3", Sum: "h1:x="},
			{Path: "example.com/b", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/fork", Version: "v1.0.1"}},
		},
		Settings: []debug.BuildSetting{{Key: "GOARCH", Value: "arm64"}, {Key: "CGO_ENABLED", Value: "0"}},
	}
	var text bytes.Buffer
	if err := cyclonedx(t.Context(), &text, file, info); err != nil {
		t.Fatal(err)
	}
	var got bom
	if err := json.Unmarshal(text.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	var purls []string
	for _, c := range got.Components {
		purls = append(purls, c.PURL)
	}
	if want := []string{"pkg:golang/std@1.26.8", "pkg:golang/example.com/a@v1.2.3", "pkg:golang/example.com/fork@v1.0.1"}; !slices.Equal(purls, want) {
		t.Errorf("components %v, want %v", purls, want)
	}
	const sha256OfABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, B.1
	program := got.Metadata.Component
	if program.Name != "program" || program.Hashes[0].Content != sha256OfABC || !slices.Equal(program.Properties, []property{{"go:GOARCH", "arm64"}}) {
		t.Errorf("the program is %+v", program)
	}
}

// TestTexts: notices go along, source files do not, and a module without a
// licence is an error.
func TestTexts(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{"LICENSE-MIT": "may use", "NOTICE": "made by", "license.go": "package license", "README": "reads"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := texts(&out, "example.com/a v1.2.3", folder); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"example.com/a v1.2.3: LICENSE-MIT\n\nmay use": true, "made by": true, "package license": false, "reads": false} {
		if strings.Contains(out.String(), text) != want {
			t.Errorf("%q is there: %v, want %v\n%s", text, !want, want, &out)
		}
	}
	if err := texts(&out, "example.com/b v1.0.0", t.TempDir()); err == nil || !strings.Contains(err.Error(), "example.com/b v1.0.0 has no licence") {
		t.Errorf("a module without a licence gives %v", err)
	}
}

func TestWrongCommands(t *testing.T) {
	for _, args := range [][]string{{}, {"--format", "spdx", "program"}, {"--nosuch", "program"}} {
		if status := run(t.Context(), args, t.Output(), t.Output()); status != 2 {
			t.Errorf("%v: status %d, want 2", args, status)
		}
	}
	if status := run(t.Context(), []string{filepath.Join(t.TempDir(), "program")}, t.Output(), t.Output()); status != 1 {
		t.Errorf("no such program: status %d, want 1", status)
	}
}
