package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tokenpersistence/toolkit/internal/programtest"
)

// programsIn returns the folder of Debian's programs that a variable names.
func programsIn(t *testing.T, variable string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		t.Skipf("%s is not set: make test-alerts, make test-migrating", variable)
	}
	return dir
}

var listening = regexp.MustCompile(`Listening on",?(?: address=|"address":")([^\s"]+)`)

// serving starts Prometheus or Alertmanager and waits until it is ready.
func serving(t *testing.T, cpus []int, cmd *exec.Cmd) (baseURL string) {
	t.Helper()
	_, out := programtest.Launch(t, cpus, cmd)
	programtest.Eventually(t, filepath.Base(cmd.Path)+" is ready", time.Minute, func() error {
		found := listening.FindStringSubmatch(out.String())
		if found == nil {
			return errors.New("it does not listen")
		}
		baseURL = "http://" + found[1]
		_, err := programtest.Get(baseURL + "/-/ready")
		return err
	})
	return baseURL
}

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// startAlertmanager has the shipped inhibition, and notifies hook of each alert
// by itself, and soon.
func startAlertmanager(t *testing.T, dir string, cpus []int, hook string) string {
	t.Helper()
	shipped, err := os.ReadFile(filepath.Join("..", "alertmanager.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := yaml.Unmarshal(shipped, &config); err != nil {
		t.Fatal(err)
	}
	config["route"] = map[string]any{
		"receiver": "test", "group_by": []string{"..."}, "group_wait": "1s", "group_interval": "1s", "repeat_interval": "1h",
	}
	config["receivers"] = []any{map[string]any{
		"name": "test", "webhook_configs": []any{map[string]any{"url": hook, "send_resolved": true}},
	}}
	text, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	file := writeFile(t, filepath.Join(home, "alertmanager.yml"), string(text))
	return serving(t, cpus, exec.Command(filepath.Join(dir, "prometheus-alertmanager"), "--config.file="+file,
		"--storage.path="+filepath.Join(home, "data"), "--web.listen-address=127.0.0.1:0", "--cluster.listen-address="))
}

// server is a Prometheus.
type server struct{ url string }

// startPrometheus scrapes target every second, evaluates the rules in a folder
// as often, and sends what fires to an Alertmanager.
func startPrometheus(t *testing.T, dir string, cpus []int, rules, target, alertmanager string) server {
	t.Helper()
	home := t.TempDir()
	config := writeFile(t, filepath.Join(home, "prometheus.yml"), fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [%q]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs:
- job_name: token-persistence
  static_configs: [{targets: [%q]}]
`, filepath.Join(rules, "*.yaml"), strings.TrimPrefix(alertmanager, "http://"), target))
	return server{serving(t, cpus, exec.Command(filepath.Join(dir, "prometheus"), "--config.file="+config,
		"--storage.tsdb.path="+filepath.Join(home, "data"), "--web.listen-address=127.0.0.1:0", "--rules.alert.resend-delay=5s"))}
}

// series is one time series as it was stored.
type series struct {
	Metric map[string]string
	Points []point
}

type point struct {
	at    time.Time
	value string
}

// UnmarshalJSON reads [seconds, "value"].
func (p *point) UnmarshalJSON(text []byte) error {
	var seconds float64
	if err := json.Unmarshal(text, &[2]any{&seconds, &p.value}); err != nil {
		return err
	}
	p.at = time.UnixMilli(int64(seconds * 1000))
	return nil
}

// stored returns the samples of a selector as they are, nothing filled in.
func (s server) stored(t *testing.T, selector string) []series {
	t.Helper()
	body, err := programtest.Get(s.url + "/api/v1/query?query=" + url.QueryEscape(selector+"[30m]"))
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Values []point
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatalf("%s: %v: %s", selector, err, body)
	}
	var out []series
	for _, r := range answer.Data.Result {
		out = append(out, series{r.Metric, r.Values})
	}
	return out
}

// notification is what Alertmanager says of one alert.
type notification struct {
	Status      string
	Labels      map[string]string
	Annotations map[string]string
	StartsAt    time.Time
	EndsAt      time.Time
}

// receiver is a webhook that keeps what it is sent.
type receiver struct {
	url string
	mu  sync.Mutex
	got []notification
	bad error
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	web := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		var message struct{ Alerts []notification }
		err := json.NewDecoder(req.Body).Decode(&message)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, message.Alerts...)
		r.bad = errors.Join(r.bad, err)
	}))
	t.Cleanup(web.Close)
	r.url = web.URL
	return r
}

// about returns the notifications of an alert in the order in which they came.
func (r *receiver) about(t *testing.T, name string) []notification {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bad != nil {
		t.Fatalf("read a notification: %v", r.bad)
	}
	var out []notification
	for _, n := range r.got {
		if n.Labels["alertname"] == name {
			out = append(out, n)
		}
	}
	return out
}
