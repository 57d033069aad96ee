package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/wlog"
)

// readTSDB answers the profile's queries from a Prometheus data directory
// without touching it.
func readTSDB(ctx context.Context, spec Spec, d Dataset) (_ Dataset, err error) {
	db, err := openTSDB(spec.path(spec.TSDB))
	if err != nil {
		return d, fmt.Errorf("open the TSDB directory %s: %w", spec.TSDB, err)
	}
	defer func() { err = errors.Join(err, db.close()) }()
	return readSeries(ctx, spec, d, db)
}

// offline is a TSDB directory opened for reading.
type offline struct {
	readOnly *tsdb.DBReadOnly
	head     *tsdb.Head
	blocks   []tsdb.BlockReader
	scratch  string
}

// openTSDB opens the blocks and replays the write-ahead log into memory.
// tsdb.DBReadOnly.Querier would do both, but it hard-links the head's chunk
// files, which fails when the temporary directory is on another file system.
// They are not needed: the log holds every sample that is not in a block.
func openTSDB(dir string) (_ *offline, err error) {
	if err := looksLikeTSDB(dir); err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "analyze-tsdb-")
	if err != nil {
		return nil, err
	}
	db := &offline{scratch: scratch}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.close())
		}
	}()
	quiet := slog.New(slog.DiscardHandler)
	if db.readOnly, err = tsdb.OpenDBReadOnly(dir, scratch, quiet); err != nil {
		return nil, err
	}
	if db.blocks, err = db.readOnly.Blocks(); err != nil {
		return nil, err
	}
	from := int64(math.MinInt64)
	for _, b := range db.blocks {
		from = max(from, b.Meta().MaxTime)
	}
	return db, db.replay(dir, from, quiet)
}

// replay loads the samples of the logs that are not in a block yet.
func (db *offline) replay(dir string, from int64, quiet *slog.Logger) error {
	wal, err := openLog(filepath.Join(dir, "wal"), quiet)
	if err != nil || wal == nil {
		return err
	}
	outOfOrder, err := openLog(filepath.Join(dir, wlog.WblDirName), quiet)
	if err != nil {
		return err
	}
	opts := tsdb.DefaultHeadOptions()
	opts.ChunkDirRoot = db.scratch
	if db.head, err = tsdb.NewHead(nil, quiet, wal, outOfOrder, opts, tsdb.NewHeadStats()); err != nil {
		return err
	}
	if err := db.head.Init(from); err != nil {
		return fmt.Errorf("replay the write-ahead log: %w", err)
	}
	return nil
}

func openLog(dir string, quiet *slog.Logger) (*wlog.WL, error) {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return wlog.Open(quiet, dir)
}

// looksLikeTSDB refuses a folder that holds neither blocks nor a log: an empty
// answer from a wrong path would read like an idle system.
func looksLikeTSDB(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "wal")); err == nil {
		return nil
	}
	if _, err := os.Stat(dir); err != nil {
		return err
	}
	blocks, err := filepath.Glob(filepath.Join(dir, "*", "meta.json"))
	if err != nil {
		return err
	}
	if len(blocks) == 0 {
		return &SpecError{"no wal folder and no blocks in it: give the folder that Prometheus was started with as --storage.tsdb.path"}
	}
	return nil
}

func (db *offline) close() error {
	var errs []error
	if db.head != nil {
		errs = append(errs, db.head.Close())
	}
	if db.readOnly != nil {
		errs = append(errs, db.readOnly.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(db.scratch))...)
}

// fetch selects raw samples. Blocks and head never overlap: the replay starts
// where the last block ends.
func (db *offline) fetch(ctx context.Context, query string, from, to time.Time) ([]rawSeries, []string, error) {
	matchers, err := parser.NewParser(parser.Options{}).ParseMetricSelector(query)
	if err != nil {
		return nil, nil, fmt.Errorf("read the query %s: %w", query, err)
	}
	mint, maxt := from.UnixMilli(), to.UnixMilli()
	queriers, err := db.queriers(mint, maxt)
	if err != nil {
		return nil, nil, err
	}
	q := storage.NewMergeQuerier(queriers, nil, storage.ChainedSeriesMerge)
	series, notes, err := collect(ctx, q, mint, maxt, matchers)
	if err = errors.Join(err, q.Close()); err != nil {
		return nil, nil, fmt.Errorf("query %s: %w", query, err)
	}
	return series, notes, nil
}

func (db *offline) queriers(mint, maxt int64) ([]storage.Querier, error) {
	var out []storage.Querier
	for _, b := range db.blocks {
		if b.Meta().MinTime > maxt || b.Meta().MaxTime <= mint {
			continue
		}
		q, err := tsdb.NewBlockQuerier(b, mint, maxt)
		if err != nil {
			return nil, err
		}
		out = append(out, q)
	}
	if db.head != nil && db.head.MinTime() <= maxt && db.head.MaxTime() >= mint {
		q, err := tsdb.NewBlockQuerier(tsdb.NewRangeHead(db.head, mint, maxt), mint, maxt)
		if err != nil {
			return nil, err
		}
		out = append(out, q)
	}
	return out, nil
}

func collect(ctx context.Context, q storage.Querier, mint, maxt int64, matchers []*labels.Matcher) ([]rawSeries, []string, error) {
	var out []rawSeries
	set := q.Select(ctx, true, nil, matchers...)
	for set.Next() {
		s := rawSeries{labels: set.At().Labels().Map()}
		it := set.At().Iterator(nil)
		for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
			if kind != chunkenc.ValFloat {
				continue // native histograms: none of our families has one
			}
			if t, v := it.At(); t >= mint && t <= maxt {
				s.samples = append(s.samples, sample{t, v})
			}
		}
		if err := it.Err(); err != nil {
			return nil, nil, err
		}
		if s.samples = usable(s.samples); len(s.samples) > 0 {
			out = append(out, s)
		}
	}
	var notes []string
	for _, w := range set.Warnings() {
		notes = append(notes, w.Error())
	}
	return out, notes, set.Err()
}
