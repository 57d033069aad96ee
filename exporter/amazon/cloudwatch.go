// Package amazon asks AWS: CloudWatch for what RDS and EC2 measure, and the SDK's
// credentials for tokens to log in to RDS with.
package amazon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// MetricDataClient is the part of the CloudWatch client that is used.
type MetricDataClient interface {
	GetMetricData(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
}

// CloudWatchConfig says which instances to watch and how CloudWatch keeps time.
type CloudWatchConfig struct {
	RDSInstances []string // DB instance identifiers
	EC2Instances []EC2Instance
	Period       time.Duration // of a datapoint: 1, 5, 10, 20 or 30 s, or a multiple of 60 s
	Delay        time.Duration // after a period's end until its datapoint is complete; 120 s for 60 s periods
	IOPSLimit    int           // provisioned IOPS of the RDS instances, which CloudWatch does not know; 0: not told
	Timestamps   bool          // samples carry the time of their datapoint instead of the scrape's
}

// EC2Instance is a host and what it is for: apim, jmeter, …. EC2's basic
// monitoring has a datapoint every five minutes, detailed monitoring every one.
type EC2Instance struct{ Role, ID string }

// keepPeriods bounds how long a value outlives CloudWatch's silence, and how
// far back a request looks: metrics of EC2's basic monitoring have a datapoint
// only every fifth minute.
const keepPeriods = 10

// CloudWatch shows the newest complete datapoint of each metric. A background
// poll per period fills it, so scrapers cost nothing at AWS however many they
// are. A value that CloudWatch revises while its datapoint is the newest is
// shown as revised; older ones are not shown again.
type CloudWatch struct {
	cfg    CloudWatchConfig
	client MetricDataClient
	series []cloudWatchSeries

	requests, billed, attempts atomic.Uint64

	left      atomic.Int64 // HTTP requests that the period may still cost
	skew      atomic.Int64 // nanoseconds by which AWS's clock was last ahead of ours
	skewKnown atomic.Bool

	mu     sync.Mutex // guards what follows
	newest []observation
	totals []observation // by index of cfg.RDSInstances
	err    error         // of the last poll
}

// cloudWatchSeries is one metric of one instance: one query.
type cloudWatchSeries struct {
	metric   cloudWatchMetric
	instance string
	labels   []string
	database int // index in RDSInstances, for the total; -1 for hosts
}

// observation is the value of the period that starts at at.
type observation struct {
	at    time.Time
	value float64
}

var errNotPolled = &collector.Failure{Class: collector.Timeout, Err: errors.New("CloudWatch's first answer is still awaited")}

// NewCloudWatch returns the collector; Run has to run for it to learn anything.
func NewCloudWatch(cfg CloudWatchConfig, client MetricDataClient) (*CloudWatch, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &CloudWatch{cfg: cfg, client: client, err: errNotPolled, totals: make([]observation, len(cfg.RDSInstances))}
	for _, m := range cloudWatchMetrics {
		switch m.namespace {
		case awsRDS:
			for i, id := range cfg.RDSInstances {
				c.series = append(c.series, cloudWatchSeries{m, id, []string{id}, i})
			}
		case awsEC2:
			for _, host := range cfg.EC2Instances {
				c.series = append(c.series, cloudWatchSeries{m, host.ID, []string{host.Role, host.ID}, -1})
			}
		}
	}
	c.newest = make([]observation, len(c.series))
	c.refill()
	return c, nil
}

func (cfg CloudWatchConfig) check() error {
	if len(cfg.RDSInstances)+len(cfg.EC2Instances) == 0 {
		return errors.New("no instance to watch: give --cloudwatch.rds-instance or --cloudwatch.ec2-instance")
	}
	for i, id := range cfg.RDSInstances {
		if id == "" || slices.Contains(cfg.RDSInstances[:i], id) {
			return fmt.Errorf("--cloudwatch.rds-instance=%s is empty or given twice", id)
		}
	}
	for i, host := range cfg.EC2Instances {
		if host.Role == "" || host.ID == "" || slices.Contains(cfg.EC2Instances[:i], host) {
			return fmt.Errorf("--cloudwatch.ec2-instance=%s=%s is incomplete or given twice: want ROLE=ID", host.Role, host.ID)
		}
	}
	short := []time.Duration{time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second}
	if p := cfg.Period; !slices.Contains(short, p) && (p <= 0 || p > 24*time.Hour || p%time.Minute != 0) {
		return fmt.Errorf("--cloudwatch.period=%s: CloudWatch has periods of 1s, 5s, 10s, 20s, 30s and multiples of 1m up to 24h", p)
	}
	if cfg.IOPSLimit < 0 {
		return fmt.Errorf("--cloudwatch.rds-iops-limit=%d: want the provisioned IOPS, or 0 for none", cfg.IOPSLimit)
	}
	if cfg.Delay < 0 {
		return fmt.Errorf("--cloudwatch.delay=%s: want 0s or more", cfg.Delay)
	}
	return nil
}

// Name returns cloudwatch.
func (c *CloudWatch) Name() string { return "cloudwatch" }

// Descs lists every family, those of metrics an instance may lack included.
func (c *CloudWatch) Descs() []*prometheus.Desc {
	var descs []*prometheus.Desc
	for _, m := range cloudWatchMetrics {
		descs = append(descs, m.desc)
	}
	return append(descs, totalIOPSDesc, iopsLimitDesc, datapointDescs[awsRDS], datapointDescs[awsEC2],
		cloudWatchRequestsDesc, cloudWatchBilledDesc, cloudWatchAttemptsDesc, cloudWatchSkewDesc)
}

// Collect returns what the polls have learnt and the error of the last one.
// Each value is a complete datapoint with its own time, so values that were
// learnt before a failure, or beside one, stay true until they are too old.
func (c *CloudWatch) Collect(context.Context) ([]prometheus.Metric, error) {
	counter := func(desc *prometheus.Desc, n *atomic.Uint64) prometheus.Metric {
		return prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n.Load()))
	}
	metrics := []prometheus.Metric{
		counter(cloudWatchRequestsDesc, &c.requests),
		counter(cloudWatchBilledDesc, &c.billed),
		counter(cloudWatchAttemptsDesc, &c.attempts),
	}
	if c.skewKnown.Load() {
		metrics = append(metrics, prometheus.MustNewConstMetric(cloudWatchSkewDesc, prometheus.GaugeValue, time.Duration(c.skew.Load()).Seconds()))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	oldest := c.clock().Add(-c.cfg.Delay - (keepPeriods+1)*c.cfg.Period)
	show := func(desc *prometheus.Desc, namespace, metric string, o observation, labels []string) {
		if o.at.Before(oldest) {
			return
		}
		at := float64(o.at.Unix())
		value := prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, o.value, labels...)
		if c.cfg.Timestamps {
			value = prometheus.NewMetricWithTimestamp(o.at, value)
		}
		metrics = append(metrics, value,
			prometheus.MustNewConstMetric(datapointDescs[namespace], prometheus.GaugeValue, at, append(slices.Clip(labels), metric)...))
	}
	for i, s := range c.series {
		show(s.metric.desc, s.metric.namespace, s.metric.aws, c.newest[i], s.labels)
	}
	for i, id := range c.cfg.RDSInstances {
		show(totalIOPSDesc, awsRDS, totalIOPS, c.totals[i], []string{id})
		if c.cfg.IOPSLimit > 0 {
			metrics = append(metrics, prometheus.MustNewConstMetric(iopsLimitDesc, prometheus.GaugeValue, float64(c.cfg.IOPSLimit), id))
		}
	}
	return metrics, c.err
}

var (
	_ collector.Collector = (*CloudWatch)(nil)
	_ collector.Runner    = (*CloudWatch)(nil)
)
