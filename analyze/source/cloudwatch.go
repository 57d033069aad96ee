package source

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// CloudWatch says which instances an experiment ran on.
type CloudWatch struct {
	Region         string        // "" leaves it to the SDK
	AssumeRole     string        // ARN of a role to read as; "" to read as ourselves
	ExternalID     string        // that the role asks for
	RDSInstance    string        // "" when the database is elsewhere
	APIManager     []string      // EC2 instances of API Manager
	LoadGenerators []string      // EC2 instances of the load generator
	Period         time.Duration // of the points; 0 is one minute
}

// cloudWatchRow is one series as CloudWatch knows it: the sum of its metrics.
type cloudWatchRow struct {
	series, namespace, dimension string
	metrics                      []string
	scale                        float64 // from CloudWatch's unit to ours
	optional                     bool    // as in a profile
}

// cloudWatchRows are what an experiment may ask for. Sources: "Amazon CloudWatch
// metrics for Amazon RDS" and "CloudWatch metrics that are available for your
// instances".
var cloudWatchRows = []cloudWatchRow{
	{series: APIManagerCPU, namespace: "AWS/EC2", dimension: "InstanceId", metrics: []string{"CPUUtilization"}, scale: percent},
	{series: LoadGeneratorCPU, namespace: "AWS/EC2", dimension: "InstanceId", metrics: []string{"CPUUtilization"}, scale: percent},
	{series: DatabaseCPU, namespace: "AWS/RDS", dimension: "DBInstanceIdentifier", metrics: []string{"CPUUtilization"}, scale: percent},
	{series: DatabaseIOPS, namespace: "AWS/RDS", dimension: "DBInstanceIdentifier", metrics: []string{"ReadIOPS", "WriteIOPS"}, scale: 1},
	{series: DatabaseBytes, namespace: "AWS/RDS", dimension: "DBInstanceIdentifier", metrics: []string{"ReadThroughput", "WriteThroughput"}, scale: 1, optional: true},
}

// instances are those that a series is about.
func (c CloudWatch) instances(series string) []string {
	switch {
	case series == APIManagerCPU:
		return c.APIManager
	case series == LoadGeneratorCPU:
		return c.LoadGenerators
	case c.RDSInstance != "":
		return []string{c.RDSInstance}
	}
	return nil
}

// retention is what to look at when CloudWatch has no points of a metric.
const retention = "do region and instance fit? CloudWatch keeps points of one minute for 15 days, of five minutes for 63"

// metricData is the one operation that is used.
type metricData interface {
	GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, options ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
}

// readCloudWatch asks AWS for the points of every window.
func readCloudWatch(ctx context.Context, spec Spec, d Dataset) (Dataset, error) {
	client, err := newCloudWatch(ctx, spec.CloudWatch)
	if err != nil {
		return d, err
	}
	return readMetricData(ctx, spec, d, client)
}

// readMetricData fills the series of every window from the service.
func readMetricData(ctx context.Context, spec Spec, d Dataset, client metricData) (Dataset, error) {
	spec.CloudWatch.Period = cmp.Or(spec.CloudWatch.Period, time.Minute)
	var all []wanted
	for _, row := range cloudWatchRows {
		if ids := spec.CloudWatch.instances(row.series); len(ids) > 0 {
			all = append(all, wanted{row.series, row.text(ids), row.optional})
		}
	}
	missing := map[string][]int{}
	read := 0
	for i, run := range d.Runs {
		w := run.Window
		if !w.End.After(w.Start) {
			continue
		}
		read++
		r := periodReader{spec: spec, window: w, index: i, client: client}
		answers, err := r.ask(ctx)
		if err != nil {
			return d, err
		}
		for _, want := range all {
			s, ok := r.series(want, answers)
			if len(s.Points) > 0 {
				d.Runs[i].Series[want.series] = s
			} else if ok {
				missing[want.series] = append(missing[want.series], i)
			}
		}
		d.Inputs = append(d.Inputs, r.inputs...)
		d.Problems = append(d.Problems, r.problems...)
		spec.advance(windowWork)
	}
	d.Problems = append(d.Problems, missingProblems(d, all, missing, read, retention)...)
	return d, nil
}

// text is what to call the row in messages and in the provenance.
func (row cloudWatchRow) text(instances []string) string {
	return fmt.Sprintf("%s %s of %s", row.namespace, strings.Join(row.metrics, " + "), strings.Join(instances, ", "))
}

// periodReader reads one window.
type periodReader struct {
	spec     Spec
	window   Window
	index    int
	client   metricData
	inputs   []Input
	problems []Problem
}

// metricID names one metric of one instance of one series.
type metricID struct{ series, instance, metric string }

// periodAnswer is what CloudWatch said about one metric in a window.
type periodAnswer struct {
	status types.StatusCode
	points points // by the start of their period
}

// queries are all metrics of a window, in a fixed order, with their ids.
func (r *periodReader) queries() (queries []types.MetricDataQuery, ids []metricID) {
	for _, row := range cloudWatchRows {
		for _, instance := range r.spec.CloudWatch.instances(row.series) {
			for _, metric := range row.metrics {
				queries = append(queries, types.MetricDataQuery{
					Id: aws.String(fmt.Sprintf("m%d", len(ids))),
					MetricStat: &types.MetricStat{
						Metric: &types.Metric{
							Namespace: aws.String(row.namespace), MetricName: aws.String(metric),
							Dimensions: []types.Dimension{{Name: aws.String(row.dimension), Value: aws.String(instance)}},
						},
						Period: aws.Int32(int32(r.spec.CloudWatch.Period / time.Second)),
						Stat:   aws.String(string(types.StatisticAverage)),
					},
				})
				ids = append(ids, metricID{row.series, instance, metric})
			}
		}
	}
	return queries, ids
}

// series makes one series of the answers about it; false when a Problem says
// why there is none.
func (r *periodReader) series(want wanted, answers map[metricID]periodAnswer) (Series, bool) {
	row := cloudWatchRows[slices.IndexFunc(cloudWatchRows, func(c cloudWatchRow) bool { return c.series == want.series })]
	hosts := map[string]points{}
	for _, instance := range r.spec.CloudWatch.instances(row.series) {
		var sum map[string]points
		for _, metric := range row.metrics {
			a := answers[metricID{row.series, instance, metric}]
			if text := statusText(a.status); text != "" {
				r.problems = append(r.problems, Problem{Window: r.index, Series: row.series, Warning: "partial",
					Text: fmt.Sprintf("CloudWatch's answer about %s %s of %s is left out: %s", row.namespace, metric, instance, text)})
				return Series{}, false
			}
			one := map[string]points{instance: a.points}
			if sum == nil {
				sum = one
			} else {
				sum = addHosts(sum, one)
			}
		}
		hosts[instance] = sum[instance]
	}
	all := combine(hosts, row.series == LoadGeneratorCPU)
	s := spread(all, row.scale, r.window.Start, r.window.End)
	s.Step = max(s.Step, r.spec.CloudWatch.Period) // a single point tells no step
	s.Expected = int(r.window.End.Sub(r.window.Start) / s.Step)
	r.note(want, hosts)
	return s, true
}

// statusText says why a result cannot be used, "" when it can.
func statusText(status types.StatusCode) string {
	switch status {
	case types.StatusCodeComplete:
		return ""
	case types.StatusCodeForbidden:
		return "it is forbidden; " + allowAction
	case "":
		return "it is absent"
	default:
		return fmt.Sprintf("its status is %s; ask again later", status)
	}
}

// note puts what was asked and a hash of the answer into the provenance.
func (r *periodReader) note(want wanted, hosts map[string]points) {
	var raw []rawSeries
	for _, instance := range slices.Sorted(maps.Keys(hosts)) {
		s := rawSeries{labels: map[string]string{"instance": instance}}
		for _, t := range slices.Sorted(maps.Keys(hosts[instance])) {
			s.samples = append(s.samples, sample{t, hosts[instance][t]})
		}
		raw = append(raw, s)
	}
	sum, n := hashSamples(raw)
	start, end := r.span()
	r.inputs = append(r.inputs, Input{Kind: "cloudwatch", Name: want.series,
		Query: fmt.Sprintf("%s, average of %s", want.query, r.spec.CloudWatch.Period), SHA256: sum, Range: rangeText(start, end), Count: n})
}

// span is the window widened to whole periods: CloudWatch rounds a start down
// and leaves the end out.
func (r *periodReader) span() (start, end time.Time) {
	p := r.spec.CloudWatch.Period
	start, end = r.window.Start.Truncate(p), r.window.End.Truncate(p)
	if end.Before(r.window.End) {
		end = end.Add(p)
	}
	return start, end
}

// finite says whether a value is a number: a point that is none says nothing.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
