package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// configFile is a configuration file that tests rewrite.
type configFile struct{ path string }

func newConfigFile(t *testing.T, targets ...string) configFile {
	t.Helper()
	c := configFile{filepath.Join(t.TempDir(), "exporter.yml")}
	c.write(t, targets...)
	return c
}

// write makes the file hold these targets.
func (c configFile) write(t *testing.T, targets ...string) {
	t.Helper()
	writeFile(t, c.path, "targets:\n"+strings.Join(targets, ""))
}

// yamlTarget describes the server's exporter account as a target.
func yamlTarget(t *testing.T, name string, server *mysqltest.Server, more string) string {
	t.Helper()
	password := filepath.Join(t.TempDir(), "password")
	writeFile(t, password, canary+"\n")
	return fmt.Sprintf("  %s:\n    mysqld: {address: %q, username: exporter, password_file: %q}\n%s", name, server.Addr, password, more)
}

// without is what a healthy target shows with one collector switched off.
func without(name string) map[string]bool {
	success := all(true)
	delete(success, name)
	return success
}

// reload asks for a reload and returns the answer.
func (r *running) reload(t *testing.T) (status int, body string) {
	t.Helper()
	return r.do(t, http.MethodPost, "/-/reload", nil)
}

func TestProbe(t *testing.T) {
	server, db := database(t, mysqltest.Config{SQLOnly: true})
	t.Setenv(passwordVariable, "of the flags' target only")
	config := newConfigFile(t, yamlTarget(t, "prod-eu", server, ""), yamlTarget(t, "staging", server, "    collectors: {tokens: {enabled: false}}\n"))
	r := start(t, "--config.file="+config.path)
	insert(t, db, 1)
	p := r.probe(t, "prod-eu")
	if diff := cmp.Diff(all(true), p.success()); diff != "" {
		t.Errorf("%s\n%s", diff, r.logs)
	}
	if diff := cmp.Diff(without("tokens"), r.probe(t, "staging").success()); diff != "" {
		t.Error(diff)
	}
	if _, ours := p.value("token_persistence_exporter_build_info"); ours {
		t.Error("a probe shows the process's own metrics")
	}
	if p := r.scrape(t); len(p.success()) != 0 {
		t.Errorf("without a target of the flags /metrics shows %v", p.success())
	} else if v, _ := p.value("token_persistence_exporter_config_last_reload_successful"); v != 1 {
		t.Errorf("after the start: %v", v)
	}
	for path, want := range map[string]struct {
		status int
		body   string
	}{
		"/probe":                                    {400, "which target? /probe?target=NAME with one of prod-eu, staging"},
		"/probe?target=":                            {400, "which target?"},
		"/probe?target=prod-eu&target=x":            {400, "which target?"},
		"/probe?target=prod-us":                     {404, `--config.file has no target "prod-us": did you mean prod-eu?`},
		"/probe?target=" + server.Addr:              {404, "valid are prod-eu, staging"},
		"/probe?target=" + strings.Repeat("x", 999): {404, "xxx\": valid are prod-eu, staging"},
		"/": {200, `probe?target=prod-eu`},
	} {
		if status, body := r.get(t, path, ""); status != want.status || !strings.Contains(body, want.body) || len(body) > 1000 && status != 200 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	without := start(t, append(databaseFlags(server), "--no-collector.tokens")...)
	if status, body := without.get(t, "/probe?target=a", ""); status != 404 || !strings.Contains(body, "give --config.file") {
		t.Errorf("without a file: %d %s", status, body)
	}
}

func TestReload(t *testing.T) {
	server, db := database(t, mysqltest.Config{SQLOnly: true})
	stays := yamlTarget(t, "stays", server, "    collectors: {tokens: {lateness: 1s}}\n")
	changes := yamlTarget(t, "changes", server, "")
	config := newConfigFile(t, stays, changes, yamlTarget(t, "goes", server, ""))
	r := start(t, "--config.file="+config.path)
	for _, name := range []string{"stays", "changes", "goes"} {
		r.probe(t, name)
	}
	insert(t, db, 5)
	rows := func(name string) error {
		if n, _ := r.probe(t, name).value("wso2_token_rows_observed_total", "grant_type", "password"); n != 5 {
			return fmt.Errorf("%v rows", n)
		}
		return nil
	}
	eventually(t, "5 rows", func() error { return rows("stays") })
	r.gauges(t, 1)

	config.write(t, stays, "  broken:\n    mysqld: {user_name: x}\n")
	if status, body := r.reload(t); status != 500 || !strings.Contains(body, config.path+`:6: unknown key "user_name" in mysqld: did you mean username?`) {
		t.Errorf("a broken file: %d %s", status, body)
	}
	before := r.gauges(t, 0)
	config.write(t, stays, strings.Replace(changes, server.Addr, "nonsense", 1))
	if status, body := r.reload(t); status != 500 || !strings.Contains(body, config.path+":5: target changes: mysqld.address: want HOST:PORT") {
		t.Errorf("a wrong address: %d %s", status, body)
	}
	for _, name := range []string{"stays", "changes", "goes"} {
		if diff := cmp.Diff(all(true), r.probe(t, name).success()); diff != "" {
			t.Errorf("%s after a reload that failed: %s", name, diff)
		}
	}
	if after := r.gauges(t, 0); after != before {
		t.Error("a failed reload counts as the last success")
	}

	config.write(t, stays, changes+"    collectors: {tableio: {enabled: false}}\n", yamlTarget(t, "comes", server, ""))
	if status, body := r.reload(t); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if after := r.gauges(t, 1); after <= before {
		t.Errorf("last success %v, before %v", after, before)
	}
	if err := rows("stays"); err != nil {
		t.Errorf("an unchanged target lost its counters: %v", err)
	}
	if diff := cmp.Diff(map[string]bool{"mysql": true, "tablesize": true, "tokens": true}, r.probe(t, "changes").success()); diff != "" {
		t.Errorf("the changed target: %s", diff)
	}
	r.probe(t, "comes")
	if status, _ := r.get(t, "/probe?target=goes", ""); status != 404 {
		t.Errorf("the removed target: %d", status)
	}
	if n := connections(t, server); n != 6 {
		t.Errorf("%d connections, want 2 of each of 3 targets", n)
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodHead} {
		if status, _ := r.do(t, method, "/-/reload", nil); status != 405 {
			t.Errorf("%s /-/reload: %d", method, status)
		}
	}
}

func TestReloadOnSignal(t *testing.T) {
	server, _ := database(t, mysqltest.Config{SQLOnly: true})
	config := newConfigFile(t, yamlTarget(t, "one", server, ""))
	r := start(t, append(databaseFlags(server), "--config.file="+config.path)...)
	config.write(t, yamlTarget(t, "two", server, ""))
	hangup := func() {
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil { // the exporter runs in this process
			t.Fatal(err)
		}
	}
	hangup()
	eventually(t, "the file was read again", func() error {
		if status, body := r.get(t, "/probe?target=two", ""); status != 200 {
			return errors.New(body)
		}
		return nil
	})
	writeFile(t, config.path, "targets: 5")
	hangup()
	eventually(t, "the log says what is wrong", func() error {
		if !strings.Contains(r.logs.String(), ":1: targets: want a group of keys") {
			return errors.New(r.logs.String())
		}
		return nil
	})
	r.gauges(t, 0)
	if diff := cmp.Diff(all(true), r.scrape(t).success()); diff != "" {
		t.Errorf("the target of the flags: %s", diff)
	}
}

// TestScrapesDuringReload: the scrape in flight when its target is replaced
// ends as if nothing had happened, and one that comes meanwhile is answered by
// the next set.
func TestScrapesDuringReload(t *testing.T) {
	server, db := database(t, mysqltest.Config{SQLOnly: true})
	target := yamlTarget(t, "one", server, "")
	config := newConfigFile(t, target)
	r := start(t, "--config.file="+config.path)
	r.probe(t, "one")
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.ExecContext(t.Context(), "LOCK TABLES IDN_OAUTH2_ACCESS_TOKEN WRITE"); err != nil {
		t.Fatal(err)
	}
	var scrapes sync.WaitGroup
	scrapes.Go(func() {
		if got := r.probe(t, "one").success(); !got["mysql"] || !got["tableio"] {
			t.Errorf("the scrape in flight: %v", got)
		}
	})
	eventually(t, "the scrape waits for the table", func() error {
		var n int
		err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for table%' AND INFO LIKE '%token-persistence-exporter%'").Scan(&n)
		if err == nil && n == 0 {
			err = errors.New("nobody waits")
		}
		return err
	})
	config.write(t, target+"    collectors: {tableio: {enabled: false}}\n")
	scrapes.Go(func() {
		if status, body := r.reload(t); status != 200 {
			t.Errorf("%d %s", status, body)
		}
	})
	for range 5 {
		scrapes.Go(func() {
			if got := r.probe(t, "one").success(); !got["mysql"] {
				t.Errorf("a scrape beside the reload: %v", got)
			}
		})
	}
	time.Sleep(100 * time.Millisecond) // let some of them arrive before the table is free
	if _, err := conn.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	scrapes.Wait()
	want := map[string]bool{"mysql": true, "tablesize": true, "tokens": true}
	eventually(t, "the next set is healthy", func() error {
		if diff := cmp.Diff(want, r.probe(t, "one").success()); diff != "" {
			return errors.New(diff)
		}
		return nil
	})
	if n := connections(t, server); n != 2 {
		t.Errorf("%d connections after the reload, want 2", n)
	}
}

// TestReloadsUnderScrapes changes a target over and over while it is scraped.
// The account may have as many connections as the README gives it.
func TestReloadsUnderScrapes(t *testing.T) {
	server, db := database(t, mysqltest.Config{SQLOnly: true})
	execute(t, db, "ALTER USER "+server.Named("exporter")+" WITH MAX_USER_CONNECTIONS 3")
	target := yamlTarget(t, "one", server, "")
	versions := []string{target, target + "    collectors: {tablesize: {enabled: false}}\n"}
	config := newConfigFile(t, target)
	r := start(t, "--config.file="+config.path)
	stop := make(chan struct{})
	var scrapers sync.WaitGroup
	answers := make([]int, 4)
	for i := range answers {
		scrapers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := r.probe(t, "one").success(); !got["mysql"] || !got["tokens"] {
					t.Errorf("during a reload: %v", got)
				}
				answers[i]++
			}
		})
	}
	for i := range 15 {
		config.write(t, versions[(i+1)%2])
		if status, body := r.reload(t); status != 200 {
			t.Errorf("%d %s", status, body)
		}
	}
	close(stop)
	scrapers.Wait()
	if slices.Contains(answers, 0) {
		t.Errorf("scrapes answered: %v", answers)
	}
	if strings.Contains(r.logs.String(), "collector fails") {
		t.Errorf("a collector failed:\n%s", r.logs)
	}
}

// gauges checks whether the last reload succeeded and returns when one did.
func (r *running) gauges(t *testing.T, want float64) (last float64) {
	t.Helper()
	p := r.scrape(t)
	if got, ok := p.value("token_persistence_exporter_config_last_reload_successful"); got != want || !ok {
		t.Errorf("last reload successful: %v, want %v", got, want)
	}
	last, _ = p.value("token_persistence_exporter_config_last_reload_success_timestamp_seconds")
	return last
}

// connections counts those of exporters.
func connections(t *testing.T, server *mysqltest.Server) (n int) {
	t.Helper()
	if err := server.Open(t, "").QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'exporter'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
