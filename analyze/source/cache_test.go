package source

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/config"
)

// TestResumed breaks off a reading, and goes on: no query that had its answer is
// asked again, and the data are those of a reading that nothing disturbed.
func TestResumed(t *testing.T) {
	f, spec := front(t, "thanos", "longest=17s")
	want, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	whole := f.Queries.Load()

	f, spec = front(t, "thanos", "longest=17s", "breaks=9")
	spec.Cache = filepath.Join(t.TempDir(), "kept")
	_, err = Read(t.Context(), spec)
	if err == nil || !strings.Contains(err.Error(), "what was read is kept in "+spec.Cache) {
		t.Fatalf("error %v", err)
	}
	answered := f.Queries.Load()
	f.Broken.Store(false)
	f.Breaks = 0
	got, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-undisturbed +resumed)\n%s", diff)
	}
	// Answers without a series are not kept, so some are asked for again.
	if again := f.Queries.Load() - answered; answered != 9 || again >= whole || again < whole-answered {
		t.Errorf("%d queries answered before and %d after, of %d", answered, again, whole)
	}

	before := f.Queries.Load()
	if got, err = Read(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadDir(spec.Cache)
	if err != nil {
		t.Fatal(err)
	}
	if empty := f.Queries.Load() - before; empty+int64(len(kept)) != whole {
		t.Errorf("%d queries asked and %d kept, want %d together", empty, len(kept), whole)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-undisturbed +from the folder)\n%s", diff)
	}
}

// TestDamagedCache asks again for what cannot be read whole, and never gives one
// tenant what another one was answered.
func TestDamagedCache(t *testing.T) {
	_, spec := front(t, "mimir")
	want, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	spec.Cache = t.TempDir()
	for _, damage := range []func([]byte) []byte{
		func(b []byte) []byte { return b },
		func(b []byte) []byte { return b[:len(b)-1] },
		func(b []byte) []byte { return b[:len(b)/2] },
		func([]byte) []byte { return nil },
		func(b []byte) []byte { b[len(b)/2] ^= 4; return b },
		func(b []byte) []byte { return append(b, b...) },
	} {
		got, err := Read(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
		files, err := filepath.Glob(filepath.Join(spec.Cache, "*"))
		if err != nil || len(files) == 0 {
			t.Fatal("nothing is kept", err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, damage(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	params := spec.queryParams("mimir")
	other := spec
	other.HTTP.HTTPHeaders = &config.Headers{Headers: map[string]config.Header{"X-Scope-OrgID": {Secrets: []config.Secret{"canary"}}}}
	if a, b := scope(spec, params), scope(other, params); a == b || strings.Contains(b, "canary") {
		t.Errorf("scopes %q and %q", a, b)
	}
}

// TestNotKept keeps nothing of the last hour, nothing partial and nothing empty;
// a folder that cannot be written is an error.
func TestNotKept(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	c := &cache{dir: t.TempDir(), now: func() time.Time { return now }}
	some := []rawSeries{{labels: map[string]string{"a": "b"}, samples: []sample{{1, 2}}}}
	old := question{query: "up", from: now.Add(-2 * time.Hour), to: now.Add(-time.Hour)}
	fresh := old
	fresh.to = now.Add(-time.Hour + time.Millisecond)
	for _, v := range []struct {
		name  string
		q     question
		found []rawSeries
		notes []string
		kept  bool
	}{
		{"fresh", fresh, some, nil, false}, {"empty", old, nil, nil, false},
		{"partial", old, some, []string{"store down"}, false}, {"with a remark", old, some, []string{"PromQL info: x"}, true},
	} {
		if err := c.put(v.q, v.found, v.notes); err != nil {
			t.Fatal(err)
		}
		_, notes, ok := c.get(v.q)
		if ok != v.kept || ok && len(notes) != 1 {
			t.Errorf("%s: kept %v with %q, want %v", v.name, ok, notes, v.kept)
		}
	}
	c.dir = filepath.Join(c.dir, "gone")
	if err := c.put(old, some, nil); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "--prometheus.cache") {
		t.Errorf("error %v", err)
	}
}
