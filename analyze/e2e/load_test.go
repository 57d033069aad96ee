package e2e

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/tokenpersistence/toolkit/analyze/source/sourcetest"
)

// study is the folder of the recorded study.
var study = filepath.Join("..", "..", "docs", "case-study")

// sliceMS is the time that one remote write holds: 40,000 samples or so.
const sliceMS = 60_000

// recorded reads every sample of the study.
func recorded(t *testing.T) []sourcetest.Series {
	t.Helper()
	db, err := tsdb.OpenDBReadOnly(filepath.Join(study, "data", "tsdb"), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	blocks, err := db.Blocks()
	if err != nil || len(blocks) != 1 {
		t.Fatalf("%d blocks, want 1: %v", len(blocks), err)
	}
	meta := blocks[0].Meta()
	q, err := db.Querier(meta.MinTime, meta.MaxTime-1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	}()
	set := q.Select(t.Context(), true, nil, labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".+"))
	var all []sourcetest.Series
	var it chunkenc.Iterator
	read := uint64(0)
	for set.Next() {
		s := sourcetest.Series{Labels: set.At().Labels()}
		it = set.At().Iterator(it)
		for it.Next() == chunkenc.ValFloat {
			at, v := it.At()
			s.Samples = append(s.Samples, sourcetest.Sample{T: at, V: v})
		}
		if err := it.Err(); err != nil {
			t.Fatal(err)
		}
		read += uint64(len(s.Samples))
		all = append(all, s)
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	if read != meta.Stats.NumSamples {
		t.Fatalf("%d samples read, the block has %d", read, meta.Stats.NumSamples)
	}
	return all
}

// push sends every sample of the study to a store by remote write, in the order
// of their times, as a Prometheus would have. header is sent along.
func push(t *testing.T, address string, header http.Header) {
	t.Helper()
	all := recorded(t)
	first := int64(math.MaxInt64)
	for _, s := range all {
		first = min(first, s.Samples[0].T)
	}
	for to, left := first+sliceMS, true; left; to += sliceMS {
		left = false
		request := &prompb.WriteRequest{}
		for i, s := range all {
			n, _ := slices.BinarySearchFunc(s.Samples, to, func(p sourcetest.Sample, to int64) int { return cmp.Compare(p.T, to) })
			one := prompb.TimeSeries{}
			s.Labels.Range(func(l labels.Label) { one.Labels = append(one.Labels, prompb.Label{Name: l.Name, Value: l.Value}) })
			for _, p := range s.Samples[:n] {
				one.Samples = append(one.Samples, prompb.Sample{Timestamp: p.T, Value: p.V})
			}
			if n > 0 {
				request.Timeseries = append(request.Timeseries, one)
			}
			all[i].Samples = s.Samples[n:]
			left = left || n < len(s.Samples)
		}
		if err := write(t, address, header, request); err != nil {
			t.Fatal(err)
		}
	}
}

// write is one remote write.
func write(t *testing.T, address string, header http.Header, request *prompb.WriteRequest) error {
	t.Helper()
	text, err := request.Marshal()
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, bytes.NewReader(snappy.Encode(nil, text)))
	if err != nil {
		return err
	}
	if header != nil {
		r.Header = header.Clone()
	}
	r.Header.Set("Content-Encoding", "snappy")
	r.Header.Set("Content-Type", "application/x-protobuf")
	r.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("remote write to %s: %s: %s", address, answer.Status, said)
	}
	return err
}
