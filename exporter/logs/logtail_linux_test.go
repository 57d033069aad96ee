package logs

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// TestLogPermissionLostAndRegained takes the right to see the log away for
// longer than files are held open, and back.
func TestLogPermissionLostAndRegained(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, pattern := range map[string]string{"path": "a.log", "glob": "*.log"} {
		t.Run(name, func(t *testing.T) {
			log := newAccessLog(t, filepath.Join(dir, "a.log"))
			c := newEndpoint(t, filepath.Join(dir, pattern))
			now := time.Now()
			c.tail.now = func() time.Time { return now }
			want(t, c, "at the start", tally{Files: 1})
			log.token(2)
			want(t, c, "with the right", tally{2, 2, 0, 0, 1})
			log.token(3)
			asNobody(t, dir, func() {
				for range 3 {
					metrics, err := c.Collect(t.Context())
					if got, w := tallyOf(t, metrics), (tally{5, 5, 0, 0, 0}); got != w || collector.ClassOf(err) != collector.Permission || !strings.Contains(err.Error(), dir) {
						t.Errorf("without the right: %+v, class %s of %v; want %+v", got, collector.ClassOf(err), err, w)
					}
					now = now.Add(linger)
				}
			})
			log.token(4)
			want(t, c, "with the right again", tally{9, 9, 0, 0, 1})
		})
	}
}

// asNobody runs do without the right to enter dir; root, whom no mode stops,
// becomes another user for the time, on this thread and for files only.
func asNobody(t *testing.T, dir string, do func()) {
	t.Helper()
	if os.Getuid() == 0 {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := syscall.Setfsuid(0); err != nil {
				t.Error(err)
			}
		}()
	} else {
		if err := os.Chmod(dir, 0); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := os.Chmod(dir, 0o700); err != nil {
				t.Error(err)
			}
		}()
	}
	do()
}
