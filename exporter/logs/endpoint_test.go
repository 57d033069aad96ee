package logs

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokenpersistence/toolkit/exporter/collector"
	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
)

// accessLog is a log that a test writes as a server would.
type accessLog struct {
	t    *testing.T
	path string
	file *os.File
}

func newAccessLog(t *testing.T, path string) *accessLog {
	t.Helper()
	l := &accessLog{t: t, path: path}
	l.open()
	t.Cleanup(func() { _ = l.file.Close() })
	return l
}

func (l *accessLog) open() {
	l.t.Helper()
	if l.file != nil {
		_ = l.file.Close()
	}
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		l.t.Fatal(err)
	}
	l.file = f
}

func (l *accessLog) write(text string) {
	l.t.Helper()
	if _, err := io.WriteString(l.file, text); err != nil {
		l.t.Fatal(err)
	}
}

// token writes n successful token requests that differ from each other.
func (l *accessLog) token(n int) {
	l.t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "10.0.0.1 - - [01/Jul/2026:10:00:00 +0000] \"POST /oauth2/token HTTP/1.1\" 200 15 %d\n", i)
	}
	l.write(b.String())
}

// rename does what logrotate does before it tells the server.
func (l *accessLog) rename(to string) {
	l.t.Helper()
	if err := os.Rename(l.path, to); err != nil {
		l.t.Fatal(err)
	}
}

const timedPattern = `%h %l %u %t "%r" %s %b %D`

func newEndpoint(t *testing.T, logs ...string) *Endpoint {
	t.Helper()
	c, err := NewEndpoint(EndpointConfig{AccessLogs: logs, LogPattern: timedPattern})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.tail.close)
	return c
}

// tally is what a scrape shows.
type tally struct{ Tokens, Lines, Unparsed, Truncations, Files float64 }

func scrape(t *testing.T, c *Endpoint) tally {
	t.Helper()
	metrics, err := c.Collect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tallyOf(t, metrics)
}

func tallyOf(t *testing.T, metrics []prometheus.Metric) tally {
	t.Helper()
	v := collectortest.Values(t, metrics)
	return tally{
		v["wso2_token_endpoint_requests_total{2xx,token,POST}"],
		v["wso2_token_endpoint_log_lines_total"],
		v["wso2_token_endpoint_log_lines_unparsed_total"],
		v["wso2_token_endpoint_log_truncations_total"],
		v["wso2_token_endpoint_log_files"],
	}
}

// TestTail tells stories of a log and says after each step what a scrape shows.
func TestTail(t *testing.T) {
	type world struct {
		*accessLog
		dir string
		now *time.Time
	}
	type step struct {
		do   func(w *world)
		want tally
	}
	write := func(n int) func(*world) { return func(w *world) { w.token(n) } }
	for name, steps := range map[string][]step{
		"from the end of what is there, then every line": {
			{func(*world) {}, tally{0, 0, 0, 0, 1}},
			{write(3), tally{3, 3, 0, 0, 1}},
			{write(2), tally{5, 5, 0, 0, 1}},
		},
		"a line counts when it is complete": {
			{func(*world) {}, tally{0, 0, 0, 0, 1}},
			{func(w *world) { w.write(`10.0.0.1 - - [01/Jul/2026:10:00:00 +0000] "POST /oauth2/to`) }, tally{0, 0, 0, 0, 1}},
			{func(w *world) { w.write(`ken HTTP/1.1" 200 1 5`) }, tally{0, 0, 0, 0, 1}},
			{func(w *world) { w.write("\r\n") }, tally{1, 1, 0, 0, 1}},
		},
		"renamed, then a new file of the name": {
			{write(1), tally{0, 0, 0, 0, 1}},
			{func(w *world) { w.token(2); w.rename(w.path + ".1"); w.token(3); w.open(); w.token(4) }, tally{9, 9, 0, 0, 2}},
			{write(1), tally{10, 10, 0, 0, 2}},
		},
		"renamed out of sight while its writer goes on": {
			{func(*world) {}, tally{0, 0, 0, 0, 1}},
			{func(w *world) { w.rename(filepath.Join(w.dir, "old")); w.token(2) }, tally{2, 2, 0, 0, 0}},
			{func(w *world) { *w.now = w.now.Add(linger - time.Second); w.token(3) }, tally{5, 5, 0, 0, 0}},
			{func(w *world) {
				w.write("no end")
				old := w.file
				w.file = nil
				w.open()
				w.token(1)
				old.Close()
			}, tally{6, 6, 0, 0, 1}},
			{func(w *world) { *w.now = w.now.Add(linger) }, tally{6, 7, 1, 0, 1}},
		},
		"renamed while idle for hours, written once more": {
			{func(*world) {}, tally{0, 0, 0, 0, 1}},
			{func(w *world) { *w.now = w.now.Add(5 * time.Hour) }, tally{0, 0, 0, 0, 1}},
			{func(w *world) { w.rename(filepath.Join(w.dir, "old")) }, tally{0, 0, 0, 0, 0}},
			{func(w *world) { w.token(1); w.file = nil; w.open(); w.token(1) }, tally{2, 2, 0, 0, 1}},
		},
		"removed and made again": {
			{func(*world) {}, tally{0, 0, 0, 0, 1}},
			{func(w *world) { w.token(1); _ = os.Remove(w.path); w.open(); w.token(2) }, tally{3, 3, 0, 0, 1}},
		},
		"emptied under its name": {
			{write(5), tally{0, 0, 0, 0, 1}},
			{write(5), tally{5, 5, 0, 0, 1}},
			{func(w *world) { w.truncate(); w.token(1) }, tally{6, 6, 0, 1, 1}},
		},
		"emptied and longer than before at the next look": {
			{write(1), tally{0, 0, 0, 0, 1}},
			{func(w *world) { w.truncate(); w.write("x\n"); w.token(9) }, tally{9, 10, 1, 1, 1}},
		},
		"garbage is counted": {
			{func(*world) {}, tally{0, 0, 0, 0, 1}},
			{func(w *world) { w.write("\x00\xff\n\n"); w.token(1) }, tally{1, 3, 2, 0, 1}},
		},
		"a long line is counted and not kept": {
			{func(*world) {}, tally{0, 0, 0, 0, 1}},
			{func(w *world) { w.write(strings.Repeat("x", maxLine)) }, tally{0, 0, 0, 0, 1}},
			{func(w *world) { w.write(strings.Repeat("x", 3*maxLine) + "\n"); w.token(1) }, tally{1, 2, 1, 0, 1}},
		},
		"new files of the glob are read whole": {
			{write(1), tally{0, 0, 0, 0, 1}},
			{func(w *world) { newAccessLog(w.t, w.path+".2026-07-02").token(2) }, tally{2, 2, 0, 0, 2}},
		},
		"compressed and foreign files are left alone": {
			{func(*world) {}, tally{0, 0, 0, 0, 1}},
			{func(w *world) {
				newAccessLog(w.t, w.path+".1.gz").token(2)
				newAccessLog(w.t, filepath.Join(w.dir, "other.log")).token(2)
				if err := os.Mkdir(w.path+".d", 0o700); err != nil {
					w.t.Fatal(err)
				}
			}, tally{0, 0, 0, 0, 1}},
		},
		"two names of one file are one file": {
			{func(*world) {}, tally{0, 0, 0, 0, 1}},
			{func(w *world) {
				if err := os.Symlink(w.path, w.path+".current"); err != nil {
					w.t.Fatal(err)
				}
				w.token(2)
			}, tally{2, 2, 0, 0, 1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			log := newAccessLog(t, filepath.Join(dir, "http_access.log"))
			log.token(7) // history
			now := time.Now()
			w := &world{log, dir, &now}
			c := newEndpoint(t, log.path+"*")
			c.tail.now = func() time.Time { return now }
			for i, s := range steps {
				s.do(w)
				metrics, err := c.Collect(t.Context())
				if err != nil && s.want.Files > 0 {
					t.Fatal(err)
				}
				have := tallyOf(t, metrics)
				if diff := cmp.Diff(s.want, have); diff != "" {
					t.Errorf("after step %d: %s", i, diff)
				}
			}
		})
	}
}

// truncate empties the log as copytruncate does.
func (l *accessLog) truncate() {
	l.t.Helper()
	if err := os.Truncate(l.path, 0); err != nil {
		l.t.Fatal(err)
	}
}

func TestLineUnderWayAtTheStartIsNotCounted(t *testing.T) {
	log := newAccessLog(t, filepath.Join(t.TempDir(), "a.log"))
	log.token(1)
	log.write(`10.0.0.1 - - [01/Jul/2026:`)
	c := newEndpoint(t, log.path)
	if got := scrape(t, c); got != (tally{Files: 1}) {
		t.Errorf("at the start %+v", got)
	}
	log.write("10:00:00 +0000] \"POST /oauth2/token HTTP/1.1\" 200 1 5\n")
	log.token(1)
	if got, want := scrape(t, c), (tally{1, 1, 0, 0, 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestLogThatAppearsLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logs", "a.log")
	c := newEndpoint(t, path)
	metrics, err := c.Collect(t.Context())
	if err == nil || !strings.Contains(err.Error(), "--collector.endpoint.access-log") || !strings.Contains(err.Error(), path) {
		t.Errorf("without a log: %v", err)
	}
	if v, ok := collectortest.Values(t, metrics)["wso2_token_endpoint_requests_total{2xx,token,POST}"]; !ok || v != 0 {
		t.Errorf("without a log the counter is %v, there: %t", v, ok)
	}
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	newAccessLog(t, path).token(3)
	if got, want := scrape(t, c), (tally{3, 3, 0, 0, 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestUnreadableLog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	if err := os.Symlink(path, path); err != nil { // leads to itself, for root as well
		t.Fatal(err)
	}
	good := newAccessLog(t, filepath.Join(dir, "b.log"))
	c := newEndpoint(t, path, good.path)
	good.token(2) // before the first look: history
	if _, err := c.Collect(t.Context()); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not name the file", err)
	}
	good.token(3)
	metrics, err := c.Collect(t.Context())
	if got, want := tallyOf(t, metrics), (tally{3, 3, 0, 0, 1}); err == nil || got != want {
		t.Errorf("beside the error %v: %+v, want %+v", err, got, want)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	newAccessLog(t, path).token(1)
	if got, want := scrape(t, c), (tally{4, 4, 0, 0, 2}); got != want {
		t.Errorf("once readable %+v, want %+v", got, want)
	}
}

func TestLogErrorClass(t *testing.T) {
	denied := &fs.PathError{Op: "open", Path: "/logs/a.log", Err: fs.ErrPermission}
	c := newEndpoint(t, "x")
	if err := c.tail.fileError(denied); collector.ClassOf(err) != collector.Permission || !strings.Contains(err.Error(), "/logs/a.log") {
		t.Errorf("class %s of %v", collector.ClassOf(err), err)
	}
	broken := &fs.PathError{Op: "read", Path: "/logs/a.log", Err: io.ErrNoProgress}
	if err := c.tail.fileError(broken); collector.ClassOf(err) != collector.Other {
		t.Errorf("class %s of %v", collector.ClassOf(err), err)
	}
}
