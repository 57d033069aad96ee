package testwindow

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 123_456_789, time.UTC)

func TestWindow(t *testing.T) {
	w := Window{Grant: "password", Persistence: "on", Block: 3, Start: noon, End: noon.Add(time.Minute)}
	if diff := cmp.Diff([]string{"password", "on", "password on 3"}, w.LabelValues()); diff != "" {
		t.Error(diff)
	}
	if len(w.LabelValues()) != len(LabelNames()) {
		t.Errorf("%d values for %d labels", len(w.LabelValues()), len(LabelNames()))
	}
	if w.Block = 0; w.Name() != "password on" {
		t.Errorf("the only window is called %q", w.Name())
	}
	for at, want := range map[time.Time]bool{
		noon.Add(-1): false, noon: true, noon.Add(time.Minute - 1): true, noon.Add(time.Minute): false,
	} {
		if w.Lasts(at) != want {
			t.Errorf("%s: lasts %t, want %t", at, !want, want)
		}
	}
	got := map[string]float64{}
	for _, f := range Families() {
		got[f.Name] = Seconds(f.Value(w))
	}
	if diff := cmp.Diff(map[string]float64{Start: 1782907200.123, End: 1782907260.123}, got); diff != "" {
		t.Error(diff)
	}
}
