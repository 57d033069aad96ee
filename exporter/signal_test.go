package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/programtest"
)

// TestSignalDrainsTheScrapeInFlight ends a real process while a scrape waits
// for a locked table: the scrape is answered, then the process ends with 0.
func TestSignalDrainsTheScrapeInFlight(t *testing.T) {
	server, db := database(t, mysqltest.Config{SQLOnly: true})
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := conn.ExecContext(t.Context(), "LOCK TABLES IDN_OAUTH2_ACCESS_TOKEN WRITE"); err != nil {
		t.Fatal(err)
	}

	// The test's own binary is the exporter when it is called so.
	process := exec.CommandContext(t.Context(), "exporter", append(databaseFlags(server), "--web.listen-address=127.0.0.1:0")...)
	process.Env = append(os.Environ(), passwordVariable+"="+canary)
	r := &running{logs: &programtest.Output{}}
	process.Stdout, process.Stderr = r.logs, r.logs
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	r.awaitListening(t)
	scraped := make(chan page, 1)
	go func() { scraped <- r.scrapeWithin(t, "2") }()
	eventually(t, "the scrape waits for the table", func() error {
		var n int
		err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table%' AND INFO LIKE '%token-persistence-exporter%'").Scan(&n)
		if err == nil && n == 0 {
			err = errors.New("nobody waits")
		}
		return err
	})
	if err := process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p := <-scraped
	if got := p.success(); !got["mysql"] || got["tokens"] {
		t.Errorf("success %v", got)
	}
	if err := process.Wait(); err != nil {
		t.Errorf("%v\n%s", err, r.logs)
	}
	if strings.Contains(r.logs.String(), canary) {
		t.Errorf("the log holds the password:\n%s", r.logs)
	}
}

// TestFailingListenerEndsTheProgram: a port that is taken is an error, not a
// program that runs on without a door.
func TestFailingListenerEndsTheProgram(t *testing.T) {
	flags := []string{"--mysqld.address=127.0.0.1:1", "--mysqld.username=exporter"}
	first := start(t, flags...)
	var output programtest.Output
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	code := run(ctx, append(flags, "--web.listen-address="+strings.TrimPrefix(first.url, "http://")), &output, &output)
	if code != 1 || !strings.Contains(output.String(), "serve on --web.listen-address") {
		t.Errorf("exit status %d: %s", code, &output)
	}
}

// TestBudget: whatever the header says, the scrape is bounded.
func TestBudget(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"":       9750 * time.Millisecond,
		"abc":    9750 * time.Millisecond,
		"-1":     9750 * time.Millisecond,
		"0":      9750 * time.Millisecond,
		"NaN":    9750 * time.Millisecond,
		"+Inf":   2*time.Minute - 250*time.Millisecond,
		"1e300":  2*time.Minute - 250*time.Millisecond,
		"1e-300": 0,
		"5":      4750 * time.Millisecond,
		"0.4":    300 * time.Millisecond,
	} {
		if got := budget(http.Header{timeoutHeader: {header}}); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}
