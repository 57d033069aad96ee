package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/programtest"
)

// prometheusDir names the directory with Debian's prometheus and promtool;
// `make test` fetches them.
func prometheusDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TOKEN_PERSISTENCE_PROMETHEUS")
	switch {
	case dir != "":
	case os.Getenv("CI") == "":
		t.Skip("TOKEN_PERSISTENCE_PROMETHEUS is not set: make test sets it")
	default:
		t.Fatal("TOKEN_PERSISTENCE_PROMETHEUS must name the directory of prometheus and promtool")
	}
	return dir
}

func TestPromtoolIsSilent(t *testing.T) {
	dir := prometheusDir(t)
	server, _ := database(t, mysqltest.Config{SQLOnly: true})
	r := start(t, append(databaseFlags(server), cloudWatchFlags(t)...)...)
	r.scrape(t)
	_, body := r.get(t, "/metrics", "")
	command := exec.CommandContext(t.Context(), filepath.Join(dir, "promtool"), "check", "metrics")
	command.Stdin = strings.NewReader(body)
	if output, err := command.CombinedOutput(); err != nil || len(output) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, output)
	}
}

func TestPrometheusScrapes(t *testing.T) {
	dir := prometheusDir(t)
	server, db := database(t, mysqltest.Config{SQLOnly: true})
	r := start(t, databaseFlags(server)...)
	r.wait(t, all(true))
	insert(t, db, 3)

	home := t.TempDir()
	config := filepath.Join(home, "prometheus.yml")
	writeFile(t, config, fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: token-persistence
  static_configs: [{targets: [%q]}]
`, strings.TrimPrefix(r.url, "http://")))
	prometheus, output := exec.CommandContext(t.Context(), filepath.Join(dir, "prometheus"), "--config.file="+config,
		"--storage.tsdb.path="+filepath.Join(home, "data"), "--web.listen-address=127.0.0.1:0"), &programtest.Output{}
	prometheus.Stdout, prometheus.Stderr = output, output
	if err := prometheus.Start(); err != nil {
		t.Fatal(err)
	}
	api := &running{logs: output}
	eventually(t, "prometheus listens", func() error {
		found := listening.FindStringSubmatch(output.String())
		if found == nil {
			return errors.New(output.String())
		}
		api.url = "http://" + found[1]
		return nil
	})
	eventually(t, "three rows are in prometheus", func() error {
		return api.holds(t, `wso2_token_rows_observed_total{job="token-persistence",grant_type="password"}`, "3")
	})
	for query, want := range map[string]string{
		`up`: "1",
		`min(token_persistence_exporter_collector_success)`: "1",
		`scrape_samples_scraped > bool 200`:                 "1",
	} {
		if err := api.holds(t, query, want); err != nil {
			t.Error(err)
		}
	}
	if err := prometheus.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := prometheus.Wait(); err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(output.String()) {
		if strings.Contains(line, "level=error") || strings.Contains(line, "level=warn") && !strings.Contains(line, "Received SIGTERM") {
			t.Errorf("prometheus complains: %s", line)
		}
	}
}

// holds asks prometheus for a value.
func (r *running) holds(t *testing.T, query, want string) error {
	t.Helper()
	_, body := r.get(t, "/api/v1/query?query="+url.QueryEscape(query), "")
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return err
	}
	if len(answer.Data.Result) != 1 || answer.Data.Result[0].Value[1] != want {
		return fmt.Errorf("%s is not %s: %s", query, want, body)
	}
	return nil
}
