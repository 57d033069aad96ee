package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path"
	"runtime/debug"
	"strings"
)

// The part of CycloneDX 1.5 that is written, in the order of its keys.
type (
	bom struct {
		Format     string      `json:"bomFormat"`
		Spec       string      `json:"specVersion"`
		Version    int         `json:"version"`
		Metadata   metadata    `json:"metadata"`
		Components []component `json:"components"`
	}
	metadata struct {
		Component component `json:"component"`
	}
	component struct {
		Ref        string     `json:"bom-ref"`
		Type       string     `json:"type"`
		Name       string     `json:"name"`
		Version    string     `json:"version,omitempty"`
		Scope      string     `json:"scope,omitempty"`
		Hashes     []hash     `json:"hashes,omitempty"`
		PURL       string     `json:"purl,omitempty"`
		Properties []property `json:"properties,omitempty"`
	}
	hash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// cyclonedx writes the bill: the program with the hash of its file, Go's
// standard library and every module with the sum that go.sum holds. A module's
// sum is over a list of files, not over an archive, and so no CycloneDX hash.
func cyclonedx(_ context.Context, w io.Writer, file string, info *debug.BuildInfo) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	program := component{
		Ref: info.Path, Type: "application", Name: path.Base(info.Path), PURL: "pkg:golang/" + info.Path,
		Hashes: []hash{{"SHA-256", hex.EncodeToString(sum[:])}},
	}
	for _, s := range info.Settings {
		if s.Key == "GOOS" || s.Key == "GOARCH" {
			program.Properties = append(program.Properties, property{"go:" + s.Key, s.Value})
		}
	}
	out := bom{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: metadata{program}}
	out.add("std", strings.TrimPrefix(info.GoVersion, "go"), "")
	for _, m := range modules(info) {
		out.add(m.Path, m.Version, m.Sum)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(out)
}

func (b *bom) add(name, version, sum string) {
	c := component{Type: "library", Name: name, Version: version, Scope: "required", PURL: "pkg:golang/" + name + "@" + version}
	c.Ref = c.PURL
	if sum != "" {
		c.Properties = []property{{"go:sum", sum}}
	}
	b.Components = append(b.Components, c)
}
