package rig

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/prometheus/prometheus/tsdb"
	"go.yaml.in/yaml/v3"
)

// packedColumns are those columns of a result file that decide what analyze
// compare says. The others (names of threads, messages, addresses) make nine
// tenths of its size.
var packedColumns = []string{"timeStamp", "elapsed", "label", "success"}

// Packed says what Pack wrote.
type Packed struct {
	Windows int   // of the experiment
	Results int   // rows of result files
	Bytes   int64 // of all files written
}

// Pack copies the run kept in folder from into the new folder to, so small that
// it can be published, and so complete that analyze compare finds the same
// there: result files with only the columns it reads, compressed with zstd, and
// the recorded series as one block. The run must hold its own series (tsdb).
func Pack(from, to string) (Packed, error) {
	e, err := readExperiment(filepath.Join(from, "experiment.yaml"))
	if err != nil {
		return Packed{}, err
	}
	if e.Source.TSDB == "" {
		return Packed{}, fmt.Errorf("%s: the series of this run are in somebody's Prometheus: record them without --prometheus-url", from)
	}
	if err := os.Mkdir(to, 0o755); err != nil {
		return Packed{}, fmt.Errorf("the copy needs a new folder: %w", err)
	}
	if err := os.Mkdir(filepath.Join(to, "jtl"), 0o755); err != nil {
		return Packed{}, err
	}
	packed := Packed{Windows: len(e.Windows)}
	for i, w := range e.Windows {
		for j, name := range w.JTL {
			short := "jtl/" + filepath.Base(name) + ".zst"
			rows, err := packResults(filepath.Join(from, filepath.FromSlash(name)), filepath.Join(to, filepath.FromSlash(short)))
			if err != nil {
				return packed, err
			}
			packed.Results += rows
			e.Windows[i].JTL[j] = short
		}
	}
	if err := packSeries(filepath.Join(from, e.Source.TSDB), filepath.Join(to, e.Source.TSDB)); err != nil {
		return packed, err
	}
	if err := e.write(filepath.Join(to, "experiment.yaml")); err != nil {
		return packed, err
	}
	counts, err := os.ReadFile(filepath.Join(from, "rig.json"))
	if err != nil {
		return packed, err
	}
	if err := os.WriteFile(filepath.Join(to, "rig.json"), counts, 0o644); err != nil {
		return packed, err
	}
	packed.Bytes, err = folderBytes(to)
	return packed, err
}

// readExperiment reads the file that writeExperiment wrote.
func readExperiment(path string) (experiment, error) {
	var e experiment
	text, err := os.ReadFile(path)
	if err != nil {
		return e, fmt.Errorf("this folder holds no run: %w", err)
	}
	in := yaml.NewDecoder(bytes.NewReader(text))
	in.KnownFields(true)
	if err := in.Decode(&e); err != nil {
		return e, fmt.Errorf("%s is not what the testbed writes: %w", path, err)
	}
	return e, nil
}

// packResults copies the needed columns of a result file and returns its rows.
func packResults(from, to string) (rows int, err error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	squeeze, err := zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, squeeze.Close()) }()
	if rows, err = cutColumns(bufio.NewReaderSize(in, 1<<16), squeeze); err != nil {
		return rows, fmt.Errorf("%s: %w", from, err)
	}
	return rows, nil
}

// cutColumns copies packedColumns from a result file with a header.
func cutColumns(from io.Reader, to io.Writer) (rows int, err error) {
	in, out := csv.NewReader(from), csv.NewWriter(to)
	in.ReuseRecord = true
	var columns []int
	fields := make([]string, len(packedColumns))
	for ; ; rows++ {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return rows, err
		}
		if columns == nil {
			if columns, err = positions(record); err != nil {
				return 0, err
			}
		}
		for i, column := range columns {
			fields[i] = record[column]
		}
		if err := out.Write(fields); err != nil {
			return rows, err
		}
	}
	out.Flush()
	return max(rows-1, 0), out.Error() // the header is no result
}

// positions finds packedColumns in a header.
func positions(header []string) ([]int, error) {
	at := make([]int, len(packedColumns))
	for i, name := range packedColumns {
		if at[i] = slices.Index(header, name); at[i] < 0 {
			return nil, fmt.Errorf("no column %s in the first row (%s)", name, strings.Join(header, ","))
		}
	}
	return at, nil
}

// packSeries writes the samples of a write-ahead log as a block.
func packSeries(from, to string) (err error) {
	scratch, err := os.MkdirTemp("", "pack-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	db, err := tsdb.OpenDBReadOnly(from, scratch, slog.New(slog.DiscardHandler))
	if err != nil {
		return fmt.Errorf("open the recorded series: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	if err := db.FlushWAL(to); err != nil {
		return fmt.Errorf("write the recorded series: %w", err)
	}
	return nil
}

// folderBytes adds the sizes of all files in a folder.
func folderBytes(folder string) (size int64, err error) {
	err = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}
