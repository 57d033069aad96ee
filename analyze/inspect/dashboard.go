package inspect

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// Limits of JMeter's dashboard for its APDEX, in ms: its defaults.
const (
	apdexSatisfied = 500
	apdexTolerated = 1500
)

// JMeterDashboard writes what the statistics and APDEX tables of JMeter's HTML
// report say of the same rows, as CSV, a row per label. Its definitions are not
// ours: failed results are in everything, percentiles are of type 6 over the
// last 20,000 results of the label, and time runs from the first start to the
// last end.
//
// Source: apache/jmeter, StatisticsSummaryConsumer and ApdexSummaryConsumer.
func JMeterDashboard(w io.Writer, files []*Replay) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"File", "Label", "#Samples", "FAIL", "Error %", "Average", "Min", "Max", "Median", "90th pct", "95th pct", "99th pct", "Transactions/s", "APDEX (500 ms, 1500 ms)"}); err != nil {
		return fmt.Errorf("write the statistics: %w", err)
	}
	for _, f := range files {
		for _, l := range f.fullest() {
			row, err := l.dashboard()
			if err != nil {
				return fmt.Errorf("%s, label %s: %w", f.Name, l.name, err)
			}
			if err := out.Write(append([]string{f.Name, l.name}, row...)); err != nil {
				return fmt.Errorf("write the statistics: %w", err)
			}
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the statistics: %w", err)
	}
	return nil
}

// dashboard are the values of the table from "#Samples" on.
func (l *replayed) dashboard() ([]string, error) {
	p := &l.all
	least, most := p.extremes()
	sum := 0.0
	for ms, n := range p.elapsed {
		sum += float64(ms) * float64(n)
	}
	samples := float64(p.samples)
	row := []string{
		strconv.FormatUint(p.samples, 10), strconv.FormatUint(p.errors, 10), hundredths(100 * float64(p.errors) / samples),
		hundredths(sum / samples), strconv.Itoa(least), strconv.Itoa(most),
	}
	recent := l.recent.sorted()
	for _, at := range []float64{0.50, 0.90, 0.95, 0.99} {
		q, err := stats.Quantile(recent, at, stats.Type6)
		if err != nil {
			return nil, err
		}
		row = append(row, hundredths(q))
	}
	apdex := (float64(p.satisfied) + float64(p.patient)/2) / samples
	return append(row, hundredths(samples/p.length()), strconv.FormatFloat(apdex, 'f', 3, 64)), nil
}
