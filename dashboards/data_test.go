package main

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/promtest"
	"github.com/tokenpersistence/toolkit/internal/testwindow"
)

// notInTheRig are parts of selectors that the recorded run has no series of, and
// why.
var notInTheRig = map[string]string{
	"rds_read_latency_seconds":                  "the rig's CloudWatch endpoint measures CPU, operations and bytes only",
	"rds_write_latency_seconds":                 "as above",
	"rds_disk_queue_depth":                      "as above",
	"rds_freeable_memory_bytes":                 "as above",
	"rds_free_storage_bytes":                    "as above",
	"rds_swap_usage_bytes":                      "as above",
	"rds_burst_balance_ratio":                   "as above",
	"rds_ebs_io_balance_ratio":                  "as above",
	"rds_ebs_byte_balance_ratio":                "as above",
	"rds_db_load_sessions":                      "as above",
	"rds_db_load_cpu_sessions":                  "as above",
	"rds_db_load_non_cpu_sessions":              "as above",
	"rds_iops_limit":                            "the rig does not limit IOPS",
	"mysql_innodb_deadlocks_total":              "MySQL shows it with PROCESS only",
	"mysql_innodb_history_list_length":          "MySQL shows it with PROCESS only",
	"wso2_token_con_app_key_violations":         "the rig writes no wso2carbon.log",
	"last_over_time(token_persistence:job:mode": "the windows are shorter than the two minutes that the rule looks back",
	`resource="cpu_time"`:                       "the server does not measure it unless told",
}

// TestNoPanelIsEmpty runs every variable, target and annotation over an exporter
// that has everything on, for All and for one of each, with test windows and
// without: none may be without series, and no value may be NaN or infinite. Every
// colour must belong to a series.
func TestNoPanelIsEmpty(t *testing.T) {
	w := made(t)
	t.Run("latest stretch", func(t *testing.T) { w.run(t, nil) })
	w.put(t, []testwindow.Window{
		{Grant: "password", Persistence: "on", Block: 1, Start: w.from.Add(20 * time.Minute), End: w.from.Add(25 * time.Minute)},
		{Grant: "password", Persistence: "off", Block: 1, Start: w.from.Add(40 * time.Minute), End: w.from.Add(45 * time.Minute)},
	})
	t.Run("test windows", func(t *testing.T) { w.run(t, nil) })
	t.Run("colours", w.colours)
}

// TestNoPanelIsEmptyOnARealRun does the same over a recorded run.
func TestNoPanelIsEmptyOnARealRun(t *testing.T) {
	recorded(t).run(t, notInTheRig)
}

// run asks everything, and refuses an empty answer unless the expression has one
// of the parts that the data lack.
func (w *world) run(t *testing.T, lacking map[string]string) {
	t.Helper()
	for _, all := range []bool{true, false} {
		for _, b := range boards() {
			w.choose(t, b, all)
			for _, q := range b.asked() {
				w.ask(t, q, lacking)
			}
		}
	}
	for _, a := range marks() {
		if strings.Contains(a.expr, testwindow.End) && t.Name() == "TestNoPanelIsEmpty/latest_stretch" {
			continue // no windows there
		}
		w.ask(t, question{where: "annotation " + a.name, expr: a.expr, every: annotationStep}, lacking)
	}
}

func (w *world) ask(t *testing.T, q question, lacking map[string]string) {
	t.Helper()
	expr := w.expand(q.expr)
	series, err := w.answer(t, expr, q.every)
	if err != nil {
		t.Errorf("%s: %v", q.where, err)
		return
	}
	if len(series) == 0 && !excused(expr, lacking) {
		t.Errorf("%s: no series: %s", q.where, expr)
	}
	for _, s := range series {
		for _, v := range s.Samples {
			if math.IsNaN(v.F) || math.IsInf(v.F, 0) {
				t.Errorf("%s: %v is %v at %s: %s", q.where, s.Labels, v.F, time.UnixMilli(v.T).UTC(), expr)
				break
			}
		}
		for _, name := range regexp.MustCompile(`{{\s*(\w+)\s*}}`).FindAllStringSubmatch(q.legend, -1) {
			if s.Labels.Get(name[1]) == "" {
				t.Errorf("%s: the legend wants the label %s, which %s has not", q.where, name[1], s.Labels)
			}
		}
	}
}

func excused(expr string, lacking map[string]string) bool {
	for part := range lacking {
		if strings.Contains(expr, part) {
			return true
		}
	}
	return false
}

// answer asks as Grafana does: for now, or over the time shown.
func (w *world) answer(t *testing.T, expr string, every time.Duration) ([]promtest.Series, error) {
	t.Helper()
	if every > 0 {
		return w.store.Range(t.Context(), expr, w.from, w.to, every)
	}
	return w.store.Range(t.Context(), expr, w.to, w.to, time.Second)
}

// colours finds colours that no series has: after a renamed label value the graph
// would lose its meaning in silence.
func (w *world) colours(t *testing.T) {
	same := map[string][]string{} // names by what gives them: other panels may show more grants
	for _, b := range boards() {
		w.choose(t, b, true)
		for _, q := range b.asked() {
			series, err := w.answer(t, w.expand(q.expr), q.every)
			if err != nil {
				t.Fatalf("%s: %v", q.where, err)
			}
			same[q.legend] = append(same[q.legend], legends(q, series)...)
		}
	}
	for _, b := range boards() {
		for _, p := range b.panels() {
			var names []string
			for _, q := range p.queries {
				names = append(names, same[q.legend]...)
			}
			for _, c := range p.colours {
				if !takes(names, c.series) {
					t.Errorf("%s: panel %q colours %s, but shows %q", b.title, p.title, c.series, names)
				}
			}
		}
	}
}

// takes tells whether a colour's name or /pattern/ takes one of the names.
func takes(names []string, series string) bool {
	pattern := "^" + regexp.QuoteMeta(series) + "$"
	if strings.HasPrefix(series, "/") {
		pattern = strings.Trim(series, "/")
	}
	for _, name := range names {
		if regexp.MustCompile(pattern).MatchString(name) {
			return true
		}
	}
	return false
}
