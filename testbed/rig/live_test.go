package rig

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/tokenpersistence/toolkit/internal/testwindow"
)

// TestWindowIsShownWhileItLasts follows one window from its plan to its end, and
// one that breaks off.
func TestWindowIsShownWhileItLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLiveWindow()
		shows := func(when string, want int) {
			t.Helper()
			if got := testutil.CollectAndCount(l); got != want {
				t.Errorf("%s: %d series, want %d", when, got, want)
			}
		}
		shows("without a window", 0)
		start := time.Now().Add(2 * time.Second)
		w := testwindow.Window{Grant: "password", Persistence: on, Block: 3, Start: start, End: start.Add(4 * time.Second)}
		over := l.plan(w)
		shows("in the warm-up", 0)
		time.Sleep(2 * time.Second)
		shows("from its start", 2)
		const want = `# HELP token_persistence_test_window_end_timestamp_seconds End of the test window that lasts, Unix time.
# TYPE token_persistence_test_window_end_timestamp_seconds gauge
token_persistence_test_window_end_timestamp_seconds{grant="password",persistence="on",window="password on 3"} 946684806
# HELP token_persistence_test_window_start_timestamp_seconds Start of the test window that lasts, after its warm-up, Unix time.
# TYPE token_persistence_test_window_start_timestamp_seconds gauge
token_persistence_test_window_start_timestamp_seconds{grant="password",persistence="on",window="password on 3"} 946684802
`
		if err := testutil.CollectAndCompare(l, strings.NewReader(want)); err != nil {
			t.Error(err)
		}
		if problems, err := testutil.CollectAndLint(l); err != nil || len(problems) > 0 {
			t.Errorf("the metrics' form: %v, %v", problems, err)
		}
		time.Sleep(4*time.Second - time.Nanosecond)
		shows("in its last moment", 2)
		time.Sleep(time.Nanosecond)
		shows("while its last requests end", 0)
		over()
		shows("afterwards", 0)
		w.End = time.Now().Add(time.Minute)
		broken := l.plan(w)
		shows("in another", 2)
		broken()
		shows("after another broke off", 0)
	})
}

func TestWindowsAreServed(t *testing.T) {
	var out strings.Builder
	s := &stand{out: &out}
	var end closers
	if err := s.exposeWindows(t.Context(), &end); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	defer s.window.plan(testwindow.Window{Grant: "password", Persistence: off, Start: now, End: now.Add(time.Hour)})()
	res, err := http.Get(s.windowsURL())
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil || !strings.Contains(string(text), testwindow.End+`{grant="password",persistence="off",window="password off"} `) {
		t.Errorf("%v, served\n%s", err, text)
	}
	if !strings.Contains(out.String(), s.windowsURL()) {
		t.Errorf("%s is not in %q", s.windowsURL(), out.String())
	}
	s.options.WindowsListen = s.windowsAddr
	if err := s.exposeWindows(t.Context(), &end); err == nil || !strings.Contains(err.Error(), "--windows-listen") {
		t.Errorf("a second one at the same address: %v", err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	if err := end.close(); err != nil {
		t.Error(err)
	}
}
