package inspect

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"
)

// WSO2Summary writes what WSO2's results splitter and summary script say of the
// same rows, as CSV: two rows per label, for its warm-up and its measurement.
// Its definitions are not ours: failed results are in the throughput and in the
// times, means and percentiles come from a histogram of two digits, and a
// result belongs to the warm-up by its start after the earliest so far.
//
// Source: wso2/performance-common, JTLSplitter and create-summary-csv.sh.
func WSO2Summary(w io.Writer, files []*Replay) error {
	out := csv.NewWriter(w)
	header := []string{"File", "Label", "Part", "# Samples", "Error Count", "Error %", "Throughput (Requests/sec)", "Average Response Time (ms)",
		"Average Users in the System", "Standard Deviation of Response Time (ms)", "Minimum Response Time (ms)", "Maximum Response Time (ms)",
		"75th Percentile of Response Time (ms)", "90th Percentile of Response Time (ms)", "95th Percentile of Response Time (ms)",
		"98th Percentile of Response Time (ms)", "99th Percentile of Response Time (ms)", "99.9th Percentile of Response Time (ms)",
		"Median of Response Time (ms)", "Received (KB/sec)", "Sent (KB/sec)"}
	if err := out.Write(header); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	for _, f := range files {
		for _, l := range f.fullest() {
			for _, p := range []struct {
				name string
				part *part
			}{{"warmup", &l.warmup}, {"measurement", &l.measured}} {
				if p.part.samples == 0 {
					continue
				}
				if err := out.Write(append([]string{f.Name, l.name, p.name}, p.part.wso2()...)); err != nil {
					return fmt.Errorf("write the summary: %w", err)
				}
			}
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

// wso2 are the values of the summary from "# Samples" on.
func (p *part) wso2() []string {
	q := newQuantised(p.elapsed)
	least, most := p.extremes()
	throughput, mean := hundredths(float64(p.samples)/p.length()), hundredths(q.mean())
	row := []string{
		strconv.FormatUint(p.samples, 10), strconv.FormatUint(p.errors, 10), hundredths(100 * float64(p.errors) / float64(p.samples)),
		throughput, mean, usersInSystem(throughput, mean), hundredths(q.deviation()), strconv.Itoa(least), strconv.Itoa(most),
	}
	for _, percent := range []float64{75, 90, 95, 98, 99, 99.9, 50} {
		row = append(row, strconv.Itoa(q.percentile(percent)))
	}
	return append(row, hundredths(float64(p.bytes)/1024/p.length()), hundredths(float64(p.sentBytes)/1024/p.length()))
}

// hundredths rounds to two decimals, halves to even; what is no number, because
// the part has no length, is empty.
func hundredths(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// usersInSystem is Little's law as the summary script computes it: from the
// rounded figures, and cut to a whole number by bc.
func usersInSystem(throughput, meanMS string) string {
	x, errX := strconv.ParseFloat(throughput, 64)
	r, errR := strconv.ParseFloat(meanMS, 64)
	if errX != nil || errR != nil {
		return ""
	}
	return strconv.Itoa(int(x * r / float64(time.Second/time.Millisecond)))
}
