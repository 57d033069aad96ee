// Package logs follows the logs of API Manager: the access log, which counts
// requests to the token endpoints, and the Carbon log, which says the mode.
package logs

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// EndpointConfig says which access logs to follow. A glob should not match the
// copies that copytruncate makes: a copy is a new file with lines of its own.
type EndpointConfig struct {
	AccessLogs []string // paths and globs
	LogPattern string   // of Tomcat's AccessLogValve: combined, common or the pattern itself
}

var (
	endpointRequestsDesc = prometheus.NewDesc("wso2_token_endpoint_requests_total",
		"Requests to the token endpoints in API Manager's access log since the exporter started, by status class; unknown where the log has no status. In both persistence modes this is what counts issued tokens: endpoint token, code 2xx.",
		[]string{"endpoint", "method", "code"}, nil)
	endpointDurationDesc = prometheus.NewDesc("wso2_token_endpoint_request_duration_seconds",
		"Time that API Manager took for a request to a token endpoint; absent unless the log pattern has %D or %T.",
		[]string{"endpoint"}, nil)
	endpointLinesDesc = prometheus.NewDesc("wso2_token_endpoint_log_lines_total",
		"Access log lines read, of all URLs, those that could not be parsed included.", nil, nil)
	endpointUnparsedDesc = prometheus.NewDesc("wso2_token_endpoint_log_lines_unparsed_total",
		"Access log lines that are not of the pattern in --collector.endpoint.log-pattern or longer than 1 MiB.", nil, nil)
	endpointTruncationsDesc = prometheus.NewDesc("wso2_token_endpoint_log_truncations_total",
		"Times that an access log was emptied under its name, as copytruncate does; lines written just before may be lost.", nil, nil)
	endpointFilesDesc = prometheus.NewDesc("wso2_token_endpoint_log_files",
		"Access log files being followed.", nil, nil)
	endpointLastDesc = prometheus.NewDesc("wso2_token_endpoint_last_request_timestamp_seconds",
		"Newest time stamp of a request to a token endpoint in the access log, Unix time; absent before the first one.", nil, nil)
)

// Endpoint counts requests to the token endpoints by following API Manager's
// HTTP access log. Files that are there at the start are followed from their
// end, so counters begin at zero; files that appear later are read whole. A
// scrape first reads what was written before it. AccessLogValve buffers its
// lines unless it is told buffered="false": until Tomcat writes a line nobody
// can count it.
type Endpoint struct {
	logReader
	parser logParser
	counts endpointCounts
}

// NewEndpoint returns the collector. Its first reading, by Run or by a scrape,
// decides which files were there at the start.
func NewEndpoint(cfg EndpointConfig) (*Endpoint, error) {
	pattern, err := compileLogPattern(cfg.LogPattern)
	if err != nil {
		return nil, fmt.Errorf("--collector.endpoint.log-pattern=%s: %w; copy the pattern of the AccessLogValve in API Manager's catalina-server.xml", cfg.LogPattern, err)
	}
	c := &Endpoint{parser: logParser{pattern: pattern}}
	c.logReader, err = newLogReader("--collector.endpoint.access-log", "access log", cfg.AccessLogs, c.count)
	return c, err
}

// Name returns endpoint.
func (c *Endpoint) Name() string { return "endpoint" }

// Descs lists every family, the histogram included whatever the pattern.
func (c *Endpoint) Descs() []*prometheus.Desc {
	return []*prometheus.Desc{endpointRequestsDesc, endpointDurationDesc, endpointLinesDesc,
		endpointUnparsedDesc, endpointTruncationsDesc, endpointFilesDesc, endpointLastDesc}
}

// Run reads the logs between scrapes until ctx ends, then closes them.
func (c *Endpoint) Run(ctx context.Context) error {
	c.run(ctx)
	return nil
}

// Collect reads what was written before the scrape and returns the counts.
func (c *Endpoint) Collect(ctx context.Context) ([]prometheus.Metric, error) {
	return c.collect(ctx, c.metrics)
}

var (
	_ collector.Collector = (*Endpoint)(nil)
	_ collector.Runner    = (*Endpoint)(nil)
)
