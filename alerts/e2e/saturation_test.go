package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/buildtest"
	"github.com/tokenpersistence/toolkit/internal/child"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/programtest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

const (
	saturated = "TokenPersistenceDatabaseSaturated"
	speedup   = "60"
	// limit is 50 % and not the 90 % of production: whatever else runs takes time
	// from a database that has one CPU, and this one has some 30 % to do with
	// persistence off.
	limit = "database_cpu_saturated=0.5"
	// length is how long persistence is on, and then off: several times what the
	// alert waits in each.
	length = 25 * time.Second
)

// history is how many tokens the application has had before.
const history = 5000

// slow makes a database that lost the index on REFRESH_TOKEN_HASH in a migration
// (wso2/product-is#11037): a refresh reads every token of its application. So the
// database is the bottleneck wherever the rest has a CPU as fast as its own.
func slow(t *testing.T, cpus []int) (dsn string) {
	t.Helper()
	server := mysqltest.Run(t, mysqltest.Config{CPUs: cpus})
	db := server.Database(t, "apimdb")
	if err := tokentable.Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "DROP INDEX IDX_AT_RTH ON "+tokentable.AccessToken); err != nil {
		t.Fatal(err)
	}
	return server.DSN("apimdb")
}

// TestDatabaseSaturated overloads a database with persistence on, and switches
// persistence off.
func TestDatabaseSaturated(t *testing.T) {
	prometheusDir := programsIn(t, "TOKEN_PERSISTENCE_PROMETHEUS")
	alertmanagerDir := programsIn(t, "TOKEN_PERSISTENCE_ALERTMANAGER")
	cpus, err := child.CPUs()
	if err != nil || len(cpus) < 2 {
		t.Skipf("the database needs a CPU of its own beside another: %v, %v", cpus, err)
	}
	own, other := cpus[:1], cpus[1:2] // no more, so that the figures are much the same on every machine
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bin := buildtest.Programs(t, "alerts", "exporter", "analyze", "testbed")
	rules := filepath.Join(t.TempDir(), "rules")
	if text, err := exec.CommandContext(ctx, filepath.Join(bin, "alerts"), "--output", rules, "--speedup", speedup, "--set", limit).CombinedOutput(); err != nil {
		t.Fatalf("write the rules: %v\n%s", err, text)
	}
	hook := newReceiver(t)
	exporter := programtest.FreeAddress(t)
	prometheus := startPrometheus(t, prometheusDir, other, rules, exporter, startAlertmanager(t, alertmanagerDir, other, hook.url))
	on, off := demo(ctx, t, other, bin, slow(t, own),
		"--cpus-db", strconv.Itoa(own[0]), "--cpus-km", strconv.Itoa(other[0]), "--cpus-users", strconv.Itoa(other[0]),
		"--exporter-listen", exporter, "--windows-listen", "127.0.0.1:0", "--prometheus-url", prometheus.url)

	check(t, prometheus, on, off)
	programtest.Eventually(t, "the notification that it resolved", time.Minute, func() error {
		if n := len(hook.about(t, saturated)); n < 2 {
			return fmt.Errorf("%d notifications", n)
		}
		return nil
	})
	checkNotifications(t, hook.about(t, saturated), off)
	checkOthers(t, prometheus)
}

// window is one of the ledger of the rig.
type window struct {
	Persistence string
	Pair        int
	Start, End  time.Time
	Tokens      int `json:"tokens_received"`
}

// demo runs one pair of windows of the refresh grant, which costs the database
// most, and returns them. When ctx ends the rig and the test end in order.
func demo(ctx context.Context, t *testing.T, cpus []int, bin, dsn string, more ...string) (on, off window) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "results")
	cmd := exec.Command(filepath.Join(bin, "testbed"), append([]string{
		"demo", "--out", out, "--grants", "refresh_token", "--pairs", "1", "--seed", strconv.FormatUint(onFirst(), 10),
		"--warmup", "0s", "--measure", length.String(), "--dsn-use-existing", "--applications", "1", "--preload", strconv.Itoa(history),
	}, more...)...)
	cmd.Env = append(os.Environ(), "TOKEN_PERSISTENCE_DSN="+dsn)
	rig, text := programtest.Launch(t, cpus, cmd)
	defer context.AfterFunc(ctx, func() { _ = rig.Signal(syscall.SIGTERM) })() // Err says how it ended
	if err := rig.Err(); err != nil {
		t.Fatalf("testbed demo: %v\n%s", err, text)
	}
	ledger, err := os.ReadFile(filepath.Join(out, "rig.json"))
	if err != nil {
		t.Fatal(err)
	}
	var read struct{ Windows []window }
	if err := json.Unmarshal(ledger, &read); err != nil {
		t.Fatal(err)
	}
	pair := slices.DeleteFunc(read.Windows, func(w window) bool { return w.Pair == 0 })
	if len(pair) != 2 || pair[0].Persistence != "on" || pair[1].Persistence != "off" {
		t.Fatalf("want a window with persistence on and then one with it off: %+v", pair)
	}
	return pair[0], pair[1]
}

// onFirst is a seed with which the rig draws the window with persistence on
// before the other.
func onFirst() uint64 {
	for seed := uint64(1); ; seed++ {
		if rand.New(rand.NewPCG(seed, 0)).IntN(2) == 0 {
			return seed
		}
	}
}

// within are the times of the samples between two moments.
func within(all []series, from, to time.Time) (at []time.Time) {
	for _, s := range all {
		for _, p := range s.Points {
			if !p.at.Before(from) && p.at.Before(to) {
				at = append(at, p.at)
			}
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	return at
}

// check holds the alert's states against the two windows.
func check(t *testing.T, prometheus server, on, off window) {
	t.Helper()
	cpu := prometheus.stored(t, "rds_cpu_utilization_ratio")
	for _, w := range []window{on, off} {
		t.Logf("persistence %s: %.1f tokens/s, %% of the database's CPU each second: %s", w.Persistence,
			float64(w.Tokens)/w.End.Sub(w.Start).Seconds(), strings.Join(seconds(cpu, w), " "))
		// A database that nobody sees any more is not one that has recovered.
		if n := len(within(cpu, w.Start, w.End)); n < int(w.End.Sub(w.Start).Seconds())/2 {
			t.Errorf("persistence %s: %d samples of the database's CPU in %s", w.Persistence, n, w.End.Sub(w.Start))
		}
	}
	pending := prometheus.stored(t, `ALERTS{alertname="`+saturated+`",alertstate="pending"}`)
	firing := prometheus.stored(t, `ALERTS{alertname="`+saturated+`",alertstate="firing"}`)
	fired := within(firing, on.Start.Add(-time.Hour), off.End.Add(time.Hour))
	if len(fired) == 0 {
		t.Fatalf("the alert never fired; pending in %d samples", len(within(pending, on.Start, on.End)))
	}
	first, last := fired[0], fired[len(fired)-1]
	waited := within(pending, on.Start, first)
	t.Logf("%d samples pending, firing from %.0f s of the load with persistence on until %.0f s of that with it off",
		len(waited), first.Sub(on.Start).Seconds(), last.Sub(off.Start).Seconds())
	switch {
	case len(waited) == 0:
		t.Error("it was never pending before it fired")
	case first.Before(on.Start) || !first.Before(on.End):
		t.Errorf("it began to fire at %s, not while persistence was on, %s to %s", first, on.Start, on.End)
	case last.Before(on.End):
		t.Errorf("it resolved at %s, before persistence was switched off at %s", last, on.End)
	case !last.Before(off.End):
		t.Errorf("it still fired at %s, when the load with persistence off ended", off.End)
	}
}

// seconds are the values of a ratio in a window, in percent.
func seconds(all []series, w window) (percent []string) {
	for _, s := range all {
		for _, p := range s.Points {
			if v, err := strconv.ParseFloat(p.value, 64); err == nil && p.at.After(w.Start) && p.at.Before(w.End) {
				percent = append(percent, strconv.FormatFloat(100*v, 'f', 0, 64))
			}
		}
	}
	return percent
}

// checkNotifications wants one message that it fires and one that it resolved,
// which somebody can act on.
func checkNotifications(t *testing.T, got []notification, off window) {
	t.Helper()
	var states []string
	for _, n := range got {
		states = append(states, n.Status)
		t.Logf("%s: %s %s %s", n.Status, n.Annotations["summary"], n.Annotations["description"], n.Annotations["runbook_url"])
	}
	if !slices.Equal(states, []string{"firing", "resolved"}) {
		t.Fatalf("notifications %v, want one that fires and one that resolved", states)
	}
	if got[1].EndsAt.After(off.End) || got[1].EndsAt.Before(off.Start) {
		t.Errorf("resolved at %s, not while persistence was off, %s to %s", got[1].EndsAt, off.Start, off.End)
	}
	fired := got[0]
	if fired.Labels["severity"] != "critical" || fired.Labels["db_instance"] == "" {
		t.Errorf("labels %v", fired.Labels)
	}
	for _, name := range []string{"summary", "description", "runbook_url", "dashboard_url"} {
		if text := fired.Annotations[name]; text == "" || strings.Contains(text, "{{") || strings.Contains(text, "no value") || strings.Contains(text, "<") {
			t.Errorf("annotation %s: %q", name, text)
		}
	}
	if _, err := os.Stat(filepath.Join("..", "runbooks", path.Base(fired.Annotations["runbook_url"]))); err != nil {
		t.Error(err)
	}
}

// checkOthers lists what else fired. Nothing else may page anybody.
func checkOthers(t *testing.T, prometheus server) {
	t.Helper()
	others := map[string]bool{}
	for _, s := range prometheus.stored(t, `ALERTS{alertstate="firing"}`) {
		name, severity := s.Metric["alertname"], s.Metric["severity"]
		others[name+" ("+severity+")"] = true
		if severity == "critical" && name != saturated {
			t.Errorf("%s fired too: %v", name, s.Metric)
		}
	}
	t.Logf("fired: %s", strings.Join(slices.Sorted(maps.Keys(others)), ", "))
}
