package logs

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// want fails unless a scrape shows it.
func want(t *testing.T, c *Endpoint, when string, w tally) {
	t.Helper()
	if got := scrape(t, c); got != w {
		t.Errorf("%s: %+v, want %+v", when, got, w)
	}
}

func TestLogRotatedByRenameSeveralTimes(t *testing.T) {
	t.Run("all names match", func(t *testing.T) {
		log := newAccessLog(t, filepath.Join(t.TempDir(), "a.log"))
		c := newEndpoint(t, log.path+"*")
		want(t, c, "at the start", tally{Files: 1})
		for n := 5; n > 0; n-- { // as logrotate numbers them, between two looks
			log.token(10)
			log.rename(fmt.Sprintf("%s.%d", log.path, n))
			log.token(1) // by a writer that has not heard of it
			log.open()
		}
		log.token(3)
		want(t, c, "after five rotations", tally{58, 58, 0, 0, 6})
		want(t, c, "looked at again", tally{58, 58, 0, 0, 6})
	})
	t.Run("one name matches", func(t *testing.T) {
		log := newAccessLog(t, filepath.Join(t.TempDir(), "a.log"))
		c := newEndpoint(t, log.path)
		want(t, c, "at the start", tally{Files: 1})
		log.token(10)
		log.rename(log.path + ".2") // we hold it
		log.open()
		log.token(1000) // never seen under a name that we know: lost
		log.rename(log.path + ".1")
		log.open()
		log.token(3)
		want(t, c, "after two rotations", tally{13, 13, 0, 0, 1})
	})
	t.Run("names move up, the oldest is removed", func(t *testing.T) {
		log := newAccessLog(t, filepath.Join(t.TempDir(), "a.log"))
		c := newEndpoint(t, log.path+"*")
		want(t, c, "at the start", tally{Files: 1})
		for i := range 8 {
			for n := 2; n > 0; n-- {
				_ = os.Rename(fmt.Sprintf("%s.%d", log.path, n), fmt.Sprintf("%s.%d", log.path, n+1)) // not there yet
			}
			log.rename(log.path + ".1")
			log.open()
			log.token(10)
			want(t, c, fmt.Sprint("rotation ", i), tally{float64(10 * (i + 1)), float64(10 * (i + 1)), 0, 0, float64(min(i+2, 4))})
		}
	})
}

func TestLogTruncatedAndCopytruncated(t *testing.T) {
	dir := t.TempDir()
	log := newAccessLog(t, filepath.Join(dir, "a.log"))
	c := newEndpoint(t, log.path)
	want(t, c, "at the start", tally{Files: 1})
	total := 0
	for i := range 20 {
		log.token(50)
		total += 50
		want(t, c, "before", tally{float64(total), float64(total), 0, float64(i), 1})
		log.token(7) // after the last look: what a truncation may cost
		data, err := os.ReadFile(log.path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(log.path+".1", data, 0o600); err != nil {
			t.Fatal(err)
		}
		log.truncate()
		log.token(i * 10) // shorter and longer than what we know
		total += i * 10
		want(t, c, fmt.Sprint("after truncation ", i), tally{float64(total), float64(total), 0, float64(i + 1), 1})
	}
}

func TestLogBinaryGarbage(t *testing.T) {
	log := newAccessLog(t, filepath.Join(t.TempDir(), "a.log"))
	c := newEndpoint(t, log.path)
	want(t, c, "at the start", tally{Files: 1})
	random := rand.NewChaCha8([32]byte{1})
	garbage := make([]byte, 1<<20)
	_, _ = random.Read(garbage) // never fails
	log.write(string(garbage) + "\n")
	lines := float64(bytes.Count(garbage, []byte{'\n'}) + 1)
	log.token(5)
	want(t, c, "after a megabyte", tally{5, lines + 5, lines, 0, 1})
}

func TestLogMegabyteLine(t *testing.T) {
	log := newAccessLog(t, filepath.Join(t.TempDir(), "a.log"))
	c := newEndpoint(t, log.path)
	want(t, c, "at the start", tally{Files: 1})
	// A line of the limit is read, whatever its length; one byte more is not.
	const around = `h - - [01/Jul/2026:10:00:00 +0000] "POST /oauth2/token? HTTP/1.1" 200 1 5`
	query := strings.Repeat("q", maxLine-len(around))
	line := func(q string) string { return strings.Replace(around, "?", "?"+q, 1) + "\n" }
	log.write(line(query))
	want(t, c, "1 MiB", tally{1, 1, 0, 0, 1})
	log.write(line(query + "q"))
	want(t, c, "1 MiB and a byte", tally{1, 2, 1, 0, 1})
	if kept := cap(c.tail.files[0].line); kept > readSize {
		t.Errorf("%d bytes are kept after it", kept)
	}
	log.token(1)
	want(t, c, "the next line", tally{2, 3, 1, 0, 1})
}

func TestLogClockGoesBack(t *testing.T) {
	log := newAccessLog(t, filepath.Join(t.TempDir(), "a.log"))
	c := newEndpoint(t, log.path)
	now := time.Now()
	c.tail.now = func() time.Time { return now }
	want(t, c, "at the start", tally{Files: 1})
	for _, stamp := range []string{"01/Jul/2026:10:00:00", "01/Jul/2026:09:00:00", "01/Jan/1970:00:00:01", "25/Oct/2026:02:30:00"} {
		log.write(`h - - [` + stamp + ` +0200] "POST /oauth2/token HTTP/1.1" 200 1 5` + "\n")
		now = now.Add(-time.Hour) // the host's clock as well
		if _, err := c.Collect(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want(t, c, "after four lines", tally{4, 4, 0, 0, 1})
	if latest := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC).Unix(); c.counts.last != latest {
		t.Errorf("the newest request is of %d, want %d", c.counts.last, latest)
	}
}

// TestLogBurst writes a million lines, as fast as they are read: all are counted
// and what is kept does not grow with them.
func TestLogBurst(t *testing.T) {
	log := newAccessLog(t, filepath.Join(t.TempDir(), "a.log"))
	c := newEndpoint(t, log.path)
	want(t, c, "at the start", tally{Files: 1})
	const lines, chunk = 1_000_000, 10_000
	line := `10.0.0.1 - - [01/Jul/2026:10:00:00 +0000] "POST /oauth2/token HTTP/1.1" 200 15 12` + "\n"
	text := []byte(strings.Repeat(line, chunk))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	written := make(chan error, 1)
	go func() {
		for range lines / chunk {
			if _, err := log.file.Write(text); err != nil {
				written <- err
				return
			}
		}
		written <- nil
	}()
	ended := false
	for !ended {
		select {
		case err := <-written:
			if err != nil {
				t.Fatal(err)
			}
			ended = true
		default:
		}
		if err := c.tail.round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	want(t, c, "after the burst", tally{lines, lines, 0, 0, 1})
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("%.0f lines/s written and read, %d kB allocated", lines/took.Seconds(), allocated>>10)
	if allocated > 8<<20 {
		t.Errorf("%d bytes were allocated for a burst, want at most 8 MiB", allocated)
	}
}

func TestLogDeleted(t *testing.T) {
	log := newAccessLog(t, filepath.Join(t.TempDir(), "a.log"))
	c := newEndpoint(t, log.path)
	now := time.Now()
	c.tail.now = func() time.Time { return now }
	want(t, c, "at the start", tally{Files: 1})
	log.token(1)
	if err := os.Remove(log.path); err != nil {
		t.Fatal(err)
	}
	log.token(2) // its writer does not know
	metrics, err := c.Collect(t.Context())
	if got, w := tallyOf(t, metrics), (tally{3, 3, 0, 0, 0}); got != w || err == nil || !strings.Contains(err.Error(), "no file matches") {
		t.Errorf("deleted: %+v and %v, want %+v and an error", got, err, w)
	}
	now = now.Add(linger)
	if _, err := c.Collect(t.Context()); err == nil {
		t.Error("no error while there is no file")
	}
	if c.tail.files[0].file != nil {
		t.Error("a deleted file is held open, and its disk space with it")
	}
	log.open()
	log.token(4)
	want(t, c, "made again", tally{7, 7, 0, 0, 1})
}

// TestLogOutOfSight moves the folder away for longer than files are held open,
// as a disk or a right that is lost for a while.
func TestLogOutOfSight(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	log := newAccessLog(t, filepath.Join(dir, "a.log"))
	c := newEndpoint(t, filepath.Join(dir, "*.log"))
	now := time.Now()
	c.tail.now = func() time.Time { return now }
	log.token(3)
	want(t, c, "at the start", tally{Files: 1})
	for i := range 3 {
		log.token(2)
		if err := os.Rename(dir, dir+".away"); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := c.Collect(t.Context()); err == nil || !strings.Contains(err.Error(), "no file matches") {
				t.Errorf("out of sight: %v", err)
			}
			now = now.Add(linger)
		}
		log.token(i) // 0, 1, 2: without and with something new
		if err := os.Rename(dir+".away", dir); err != nil {
			t.Fatal(err)
		}
		n := []float64{2, 5, 9}[i]
		want(t, c, fmt.Sprint("back ", i), tally{n, n, 0, 0, 1})
	}
	c.tail.files[0].gone = true // the inode now belongs to another file
	log.truncate()
	log.token(1)
	want(t, c, "another file of the same inode", tally{10, 10, 0, 0, 1})
}

func TestLogGlobGrows(t *testing.T) {
	dir := t.TempDir()
	c := newEndpoint(t, filepath.Join(dir, "http_access_*.log"))
	if _, err := c.Collect(t.Context()); err == nil {
		t.Error("no error while there is no file")
	}
	total := 0.0
	for i := range 60 { // each is read whole, from its first line
		newAccessLog(t, filepath.Join(dir, fmt.Sprintf("http_access_%03d.log", i))).token(i)
		total += float64(i)
		want(t, c, fmt.Sprint("file ", i), tally{total, total, 0, 0, float64(i + 1)})
	}
}

// TestLogGlobOfTooManyFiles is a glob that nobody meant: bounded files,
// memory and work, a failure that says so, nothing counted that is history, and
// counting goes on once the glob is narrow again.
func TestLogGlobOfTooManyFiles(t *testing.T) {
	const files = 20_000 // 100,000 behave alike; to create them takes longer than all else
	dir := t.TempDir()
	for _, d := range []string{"many", "few"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for i := range files {
		f, err := os.Create(filepath.Join(dir, "many", fmt.Sprintf("%06d.log", i)))
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	old := newAccessLog(t, filepath.Join(dir, "few", "old.log"))
	old.token(7)
	hour := time.Now().Add(-time.Hour)
	if err := os.Chtimes(old.path, hour, hour); err != nil {
		t.Fatal(err)
	}
	log := newAccessLog(t, filepath.Join(dir, "few", "now.log"))
	log.token(5)
	soon := time.Now().Add(time.Second)
	if err := os.Chtimes(log.path, soon, soon); err != nil {
		t.Fatal(err)
	}
	c := newEndpoint(t, filepath.Join(dir, "*", "*.log"))
	now := time.Now()
	c.tail.now = func() time.Time { return now }
	crowded := func(tokens float64) {
		t.Helper()
		metrics, err := c.Collect(t.Context())
		if got, w := tallyOf(t, metrics), (tally{tokens, tokens, 0, 0, maxLogFiles}); got != w || collector.ClassOf(err) != collector.Guard || !strings.Contains(err.Error(), "--collector.endpoint.access-log") {
			t.Errorf("%+v, class %s of %v; want %+v and %s", got, collector.ClassOf(err), err, w, collector.Guard)
		}
	}
	began := time.Now()
	crowded(0)
	t.Logf("the first look took %s", time.Since(began))
	log.token(3)
	crowded(3)
	if n := len(c.tail.files); n > 2*maxLogFiles {
		t.Errorf("%d files are remembered", n)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	crowded(3) // within crowdedInterval: not expanded again
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
		t.Errorf("%d bytes were allocated for a look at files that are known", n)
	}
	if err := os.Rename(filepath.Join(dir, "many"), filepath.Join(t.TempDir(), "many")); err != nil {
		t.Fatal(err)
	}
	now = now.Add(crowdedInterval)
	log.token(1)
	// What the old file holds is history: it was there before, and not followed.
	want(t, c, "narrow again", tally{4, 4, 0, 0, 2})
	newAccessLog(t, filepath.Join(dir, "few", "new.log")).token(2)
	want(t, c, "a new file", tally{6, 6, 0, 0, 3})
}
