package logs

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// CarbonLogConfig says which server logs to follow. Each path or glob stands for
// one API Manager node; one like wso2carbon*.log finds the start of a server in
// a log that has been rotated since.
type CarbonLogConfig struct {
	Logs []string
}

var (
	conAppKeyDesc = prometheus.NewDesc("wso2_token_con_app_key_violations_total",
		"Lines of wso2carbon.log since the exporter started about tokens that the unique key CON_APP_KEY refused: retry, an attempt to recover; recovered, a violation that an attempt resolved; exhausted, one that stayed after the last attempt, a token request that failed. Not written with persistence off.",
		[]string{"outcome"}, nil)
	carbonModeDesc = prometheus.NewDesc("wso2_token_persistence_log_mode",
		"API Manager nodes (one per --collector.carbonlog.log) whose newest start in wso2carbon.log says that token persistence is on or off. Absent until a start is known: looked for in the last 64 MiB of the logs when the exporter starts, then in every line. A start with persistence on is known by the absence of a line, within the 20 lines that follow.",
		[]string{"mode"}, nil)
	poolExhaustedDesc = prometheus.NewDesc("wso2_token_pool_exhausted_lines_total",
		"Lines of wso2carbon.log since the exporter started that name a PoolExhaustedException: a request found no free database connection. One request may write several, of any of API Manager's databases.", nil, nil)
	carbonLinesDesc = prometheus.NewDesc("wso2_token_carbonlog_lines_total",
		"Lines of wso2carbon.log read, those of stack traces and those longer than 1 MiB included.", nil, nil)
	carbonSkippedDesc = prometheus.NewDesc("wso2_token_carbonlog_lines_skipped_total",
		"Lines of wso2carbon.log that were longer than 1 MiB and not looked at.", nil, nil)
	carbonTruncationsDesc = prometheus.NewDesc("wso2_token_carbonlog_truncations_total",
		"Times that a wso2carbon.log was emptied under its name, as copytruncate does; lines written just before may be lost.", nil, nil)
	carbonFilesDesc = prometheus.NewDesc("wso2_token_carbonlog_files",
		"Files of wso2carbon.log being followed.", nil, nil)
)

// CarbonLog counts what API Manager's server log says about token persistence.
// Nothing of a line's text is kept: the lines it counts hold consumer keys.
type CarbonLog struct {
	logReader
	counts carbonCounts
	modes  []modeReader // by index of the configuration's logs
}

// NewCarbonLog returns the collector; its counters begin at zero with its first
// reading.
func NewCarbonLog(cfg CarbonLogConfig) (*CarbonLog, error) {
	c := &CarbonLog{modes: make([]modeReader, len(cfg.Logs))}
	var err error
	if c.logReader, err = newLogReader("--collector.carbonlog.log", "server log", cfg.Logs, c.count); err != nil {
		return nil, err
	}
	return c, nil
}

// Name returns carbonlog.
func (c *CarbonLog) Name() string { return "carbonlog" }

// Descs lists every family, the mode included whether a start is known or not.
func (c *CarbonLog) Descs() []*prometheus.Desc {
	return []*prometheus.Desc{conAppKeyDesc, carbonModeDesc, poolExhaustedDesc,
		carbonLinesDesc, carbonSkippedDesc, carbonTruncationsDesc, carbonFilesDesc}
}

// Run looks for the servers' last starts, then reads the logs between scrapes
// until ctx ends, and closes them.
func (c *CarbonLog) Run(ctx context.Context) error {
	c.lookBack(ctx)
	c.run(ctx)
	return nil
}

// Collect reads what was written before the scrape and returns the counts.
func (c *CarbonLog) Collect(ctx context.Context) ([]prometheus.Metric, error) {
	return c.collect(ctx, c.metrics)
}

func (c *CarbonLog) metrics() []prometheus.Metric {
	n := &c.counts
	var out []prometheus.Metric
	counter := func(desc *prometheus.Desc, value uint64, labels ...string) {
		out = append(out, prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(value), labels...))
	}
	counter(conAppKeyDesc, n.retries(), "retry")
	counter(conAppKeyDesc, n.recovered, "recovered")
	counter(conAppKeyDesc, n.exhausted, "exhausted")
	counter(poolExhaustedDesc, n.poolExhausted)
	counter(carbonLinesDesc, n.lines)
	counter(carbonSkippedDesc, n.skipped)
	counter(carbonTruncationsDesc, c.tail.truncations)
	out = append(out, prometheus.MustNewConstMetric(carbonFilesDesc, prometheus.GaugeValue, float64(c.tail.named())))
	nodes := map[persistenceMode]int{}
	for i := range c.modes {
		nodes[c.modes[i].mode]++
	}
	if nodes[modeOn]+nodes[modeOff] > 0 {
		out = append(out,
			prometheus.MustNewConstMetric(carbonModeDesc, prometheus.GaugeValue, float64(nodes[modeOn]), "on"),
			prometheus.MustNewConstMetric(carbonModeDesc, prometheus.GaugeValue, float64(nodes[modeOff]), "off"))
	}
	return out
}

var (
	_ collector.Collector = (*CarbonLog)(nil)
	_ collector.Runner    = (*CarbonLog)(nil)
)
