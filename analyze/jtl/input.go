package jtl

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Stdin is the name of a result file that comes from standard input.
const Stdin = "-"

// maxZstdWindow bounds the memory that a compressed file can ask for.
const maxZstdWindow = 64 << 20

// Input is one file being read: its text without the compression, and the hash
// of its bytes as they lie there.
type Input struct {
	name  string
	file  *os.File
	raw   io.Reader // the file's bytes, hashed on their way
	rows  io.Reader // raw, decompressed
	sum   hash.Hash
	again bool // it can be opened and read once more
	plain bool
	zip   bool
	end   func() // gives back what the decompression holds
}

// Open opens a file, or standard input for [Stdin], and looks at its first bytes for what compressed it.
// read, unless nil, gets the file's bytes as they are read.
func Open(name, path string, read io.Writer) (*Input, error) {
	file := os.Stdin
	if path != Stdin {
		var err error
		if file, err = os.Open(path); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read %s: %w", name, err), file.Close())
	}
	in := &Input{name: name, file: file, sum: sha256.New(), again: info.Mode().IsRegular() && path != Stdin, end: func() {}}
	in.raw = io.TeeReader(file, in.sum)
	if read != nil {
		in.raw = io.TeeReader(in.raw, read)
	}
	if err := in.decompress(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return in, nil
}

func (in *Input) decompress() error {
	first := make([]byte, 4)
	n, err := fill(in.raw, first)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", in.name, err)
	}
	bytesOf := io.MultiReader(bytes.NewReader(first[:n]), in.raw)
	switch kind := compression(first[:n]); kind {
	case "gzip":
		z, err := gzip.NewReader(bytesOf)
		if err != nil {
			return in.wrap(err)
		}
		in.rows = z
	case "zstd":
		// One goroutine: the cores are for the rows.
		z, err := zstd.NewReader(bytesOf, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return in.wrap(err)
		}
		in.rows, in.end = z, z.Close
	case "zip":
		in.zip = true
		z, err := openArchive(in.file)
		if err != nil {
			return in.wrap(err)
		}
		in.rows, in.end = z, func() { _ = z.close() } // read only: nothing to lose
	default:
		in.rows, in.plain = bytesOf, true
	}
	return nil
}

// compression names what a file with these first bytes was compressed with, ""
// for nothing that we know.
func compression(first []byte) string {
	switch {
	case bytes.HasPrefix(first, []byte{0x1f, 0x8b}):
		return "gzip"
	case bytes.HasPrefix(first, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "zstd"
	case bytes.HasPrefix(first, []byte("PK\x03\x04")), bytes.HasPrefix(first, []byte("PK\x05\x06")):
		return "zip"
	}
	return ""
}

// Read reads rows; its errors name the file.
func (in *Input) Read(p []byte) (int, error) {
	n, err := in.rows.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = in.wrap(err)
	}
	return n, err
}

func (in *Input) wrap(err error) error {
	if in.plain || in.zip && !errors.Is(err, zip.ErrFormat) && !errors.Is(err, zip.ErrChecksum) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("read %s: %w", in.name, err)
	}
	return fmt.Errorf("read %s: its compressed data is cut off or damaged: %w", in.name, err)
}

// Hash reads the file to its end and returns the SHA-256 of its bytes.
func (in *Input) Hash() (string, error) {
	if _, err := io.Copy(io.Discard, in.raw); err != nil {
		return "", fmt.Errorf("read %s: %w", in.name, err)
	}
	return hex.EncodeToString(in.sum.Sum(nil)), nil
}

// finish puts together what a result file showed.
func (in *Input) finish(p stretch) (File, error) {
	sum, err := in.Hash()
	if err != nil {
		return File{}, err
	}
	file := File{SHA256: sum, Rows: p.rows, Bad: p.bad, Locals: p.locals}
	for _, b := range p.worst {
		file.BadLines = append(file.BadLines, b.quote(in.name))
	}
	if p.local != nil {
		file.Local = p.local.quote(in.name)
	}
	return file, nil
}

// Close closes the file.
func (in *Input) Close() error {
	in.end()
	return in.file.Close()
}
