package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// study is the folder of the recorded study.
var study = filepath.Join("..", "..", "docs", "case-study")

// sliceMS is the time that one remote write holds: 40,000 samples or so.
const sliceMS = 60_000

// push sends every sample of the study to a store by remote write, in the order
// of their times, as a Prometheus would have. header is sent along.
func push(t *testing.T, address string, header http.Header) {
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
	sent := uint64(0)
	for from := meta.MinTime; from < meta.MaxTime; from += sliceMS {
		request := &prompb.WriteRequest{}
		q, err := db.Querier(from, min(from+sliceMS, meta.MaxTime)-1)
		if err != nil {
			t.Fatal(err)
		}
		set := q.Select(t.Context(), true, nil, labels.MustNewMatcher(labels.MatchRegexp, "__name__", ".+"))
		var it chunkenc.Iterator
		for set.Next() {
			one := prompb.TimeSeries{}
			set.At().Labels().Range(func(l labels.Label) { one.Labels = append(one.Labels, prompb.Label{Name: l.Name, Value: l.Value}) })
			it = set.At().Iterator(it)
			for it.Next() == chunkenc.ValFloat {
				at, v := it.At()
				one.Samples = append(one.Samples, prompb.Sample{Timestamp: at, Value: v})
			}
			if err := it.Err(); err != nil {
				t.Fatal(err)
			}
			sent += uint64(len(one.Samples))
			request.Timeseries = append(request.Timeseries, one)
		}
		if err := set.Err(); err != nil {
			t.Fatal(err)
		}
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		if err := write(t, address, header, request); err != nil {
			t.Fatal(err)
		}
	}
	if sent != meta.Stats.NumSamples {
		t.Fatalf("%d samples sent, the block has %d", sent, meta.Stats.NumSamples)
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
