package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tokenpersistence/toolkit/internal/buildtest"
	"github.com/tokenpersistence/toolkit/internal/programtest"
)

func contains(body []byte, text string) bool { return bytes.Contains(body, []byte(text)) }

func split(t *testing.T, address string) (host, port string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// analyze is how a test runs the program.
type analyze struct {
	path   string
	folder string // of the experiment
}

// newAnalyze builds the program and lays out the study's experiment, whose
// series come from a store.
func newAnalyze(t *testing.T) analyze {
	t.Helper()
	a := analyze{filepath.Join(buildtest.Programs(t, "analyze"), "analyze"), t.TempDir()}
	data, err := filepath.Abs(filepath.Join(study, "data"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(data, "jtl"), filepath.Join(a.folder, "jtl")); err != nil {
		t.Fatal(err)
	}
	return a
}

// experiment is the study's with another source.
func (a analyze) experiment(t *testing.T, url, more string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(study, "data", "experiment.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const folder = "    tsdb: tsdb\n    matchers: {job: token-persistence}\n"
	if !bytes.Contains(text, []byte(folder)) {
		t.Fatalf("the study's source is not\n%s", folder)
	}
	text = bytes.Replace(text, []byte(folder), []byte("    prometheus: {url: \""+url+"\", matchers: {job: token-persistence}"+more+"}\n"), 1)
	path := filepath.Join(a.folder, "experiment.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs it and returns what it printed and how it ended.
func (a analyze) run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), a.path, args...)
	cmd.Stdout, cmd.Stderr = &out, &said
	_ = cmd.Run() // its status is looked at
	return out.String(), said.String(), cmd.ProcessState.ExitCode()
}

// figures are a report without where its data came from.
func figures(t *testing.T, report []byte) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(report, &all); err != nil {
		t.Fatalf("%v in %.300s", err, report)
	}
	delete(all, "provenance")
	delete(all, "exit_code") // the published one was made with --fail-on nodata
	return all
}

var version = regexp.MustCompile(`analyze (\(not a release\)|v?[0-9a-f][0-9a-f.]*[0-9a-z.+-]*)`)

// published is a document of the study as it is in docs.
func published(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(study, name))
	if err != nil {
		t.Fatal(err)
	}
	return version.ReplaceAllString(string(text), "analyze")
}

// exact and rounded say how near the figures of a store have to come. What is
// shown of them has to be the same in any case.
const (
	exact   = 0
	rounded = 1e-9 // VictoriaMetrics keeps some 12 decimal digits of a sample
)

// agrees asks a store for everything and holds it against the published study.
func (a analyze) agrees(t *testing.T, tolerance float64, url string, flags ...string) {
	t.Helper()
	out, said, code := a.run(t, append([]string{"compare", a.experiment(t, url, ""), "--format", "json", "--fail-on", "nodata"}, flags...)...)
	if code != 0 {
		t.Fatalf("compare: status %d\n%s", code, said)
	}
	if diff := cmp.Diff(figures(t, []byte(published(t, "report.json"))), figures(t, []byte(out)), cmpopts.EquateApprox(tolerance, 0)); diff != "" {
		t.Errorf("compare (-published +this store)\n%s", diff)
	}
	out, said, code = a.run(t, append([]string{"windows", "--prometheus.url", url, "--start", "2026-11-23T06:02:00Z", "--end", "2026-11-23T07:01:00Z"}, flags...)...)
	if diff := cmp.Diff(published(t, "windows.txt"), out); code != 0 || diff != "" {
		t.Errorf("windows: status %d\n%s\n(-published +this store)\n%s", code, said, diff)
	}
	out, said, code = a.run(t, append([]string{"estimate", "--experiment", a.experiment(t, url, ""), "--signature", "1.42ms..1.8ms", "--verification", "0.0473ms..0.0546ms"}, flags...)...)
	if diff := cmp.Diff(published(t, "estimate.txt"), version.ReplaceAllString(out, "analyze")); code != 0 || diff != "" {
		t.Errorf("estimate: status %d\n%s\n(-published +this store)\n%s", code, said, diff)
	}
}

// refuses expects an error that says these things.
func (a analyze) refuses(t *testing.T, args []string, want ...string) {
	t.Helper()
	_, said, code := a.run(t, args...)
	for _, w := range want {
		if code != 1 || !strings.Contains(said, w) {
			t.Errorf("status %d, want 1 and an error with %q:\n%s", code, w, said)
		}
	}
}

// TestStores reads the study back from every store.
func TestStores(t *testing.T) {
	if os.Getenv(storesVariable) == "" {
		t.Skipf("%s is not set: make test-stores", storesVariable)
	}
	a := newAnalyze(t)
	t.Run("prometheus", func(t *testing.T) {
		a.agrees(t, exact, prometheus(t, blocks(t), ""))
	})
	for _, name := range []string{"victoria-metrics-debian", "victoria-metrics"} {
		t.Run(name, func(t *testing.T) { testVictoriaMetrics(t, a, name) })
	}
	t.Run("thanos", func(t *testing.T) { testThanos(t, a) })
	t.Run("thanos with holes", func(t *testing.T) { testReplicas(t, a) })
	t.Run("cortex", func(t *testing.T) { testCortex(t, a) })
}

// testVictoriaMetrics reads from a single node. Taken for a Prometheus it moves
// the times of an expression. Its limit counts blocks of 8,192 samples whole, so
// one that is below cannot be met by shorter ranges: its own words say what to do.
func testVictoriaMetrics(t *testing.T, a analyze, name string) {
	url := victoriaMetrics(t, name)
	a.agrees(t, rounded, url)
	const expression = `, step: 1100ms, queries: {apim_cpu: "avg(ec2_cpu_utilization_ratio) - 0"}`
	a.refuses(t, []string{"compare", a.experiment(t, url, expression), "--prometheus.flavor", "prometheus"}, "moved the times of its answer")
	if _, said, code := a.run(t, "compare", a.experiment(t, url, expression), "--fail-on", "nodata"); code != 0 {
		t.Errorf("with an expression: status %d\n%s", code, said)
	}
	url = victoriaMetrics(t, name, "-search.maxSamplesPerQuery=2000")
	a.refuses(t, []string{"compare", a.experiment(t, url, "")}, "increase the -search.maxSamplesPerQuery")
}

// testThanos reads two replicas as one, and then one sidecar goes away. The Query
// says so in its answers until it has noticed, and in its list of stores alone
// afterwards.
func testThanos(t *testing.T, a analyze) {
	store := newThanos(t, blocks(t), blocks(t))
	a.agrees(t, exact, store.url)
	gone := store.sidecars[1]
	if err := gone.process.Stop(time.Minute); err != nil {
		t.Fatal(err)
	}
	compare := []string{"compare", a.experiment(t, store.url, ""), "--fail-on", "nodata"}
	a.refuses(t, compare, gone.address, "ask only those that matter")
	programtest.Eventually(t, "the Query has noticed", time.Minute, func() error {
		body, err := programtest.Get(store.url + "/api/v1/query?partial_response=false&query=count(up)")
		if err == nil && contains(body, "warnings") {
			err = fmt.Errorf("%s", body)
		}
		return err
	})
	a.refuses(t, compare, "does not reach its store "+gone.address+" {cluster=apim,replica=b}, and leaves it out")
	out, said, code := a.run(t, append(compare, "--prometheus.allow-partial")...)
	if code != 0 || !strings.Contains(out, "so it is left out: the server does not reach its store") {
		t.Errorf("with --prometheus.allow-partial: status %d\n%s\n%s", code, said, out)
	}
	a.agrees(t, exact, store.url, "--prometheus.param", "storeMatch[]={__address__=\""+store.sidecars[0].address+"\"}")
}

// testCortex reads one tenant's samples through the query frontend, and where the
// tenant may ask for no more than 10 minutes at once, or 2,000 samples.
func testCortex(t *testing.T, a analyze) {
	asTenant := []string{"--prometheus.header", "X-Scope-OrgID=" + tenant}
	url := cortex(t)
	a.agrees(t, exact, url, asTenant...)
	a.refuses(t, []string{"compare", a.experiment(t, url, "")}, "401 (name the tenant: --prometheus.header X-Scope-OrgID=TENANT")
	url = cortex(t, "-store.max-query-length=10m")
	a.agrees(t, exact, url, asTenant...)
	url = cortex(t, "-querier.max-samples=2000")
	a.agrees(t, exact, url, asTenant...)
}
