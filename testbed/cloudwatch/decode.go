package cloudwatch

import (
	"fmt"
	"math"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// decodeRequest reads a GetMetricData request; whatever the endpoint cannot
// answer truthfully is an error, never ignored.
func decodeRequest(body []byte) (request, error) {
	v, err := cbor.Decode(body)
	if err != nil {
		return request{}, &apiError{"SerializationException", err.Error(), 400}
	}
	f := fields{at: "GetMetricData"}
	m := f.asMap(v)
	r := request{
		start:         f.time(m, "StartTime"),
		end:           f.time(m, "EndTime"),
		maxDatapoints: f.number(m, "MaxDatapoints"),
		ascending:     f.text(m, "ScanBy") == "TimestampAscending",
		nextToken:     f.text(m, "NextToken"),
	}
	for i, v := range f.list(m, "MetricDataQueries") {
		f.at = fmt.Sprintf("MetricDataQueries[%d]", i)
		r.queries = append(r.queries, f.query(v))
	}
	return r, f.err
}

// fields decodes members and keeps the first error, named by where it was.
type fields struct {
	at  string
	err error
}

func (f *fields) query(v cbor.Value) query {
	m := f.asMap(v)
	if m["Expression"] != nil {
		f.fail("Expression: this endpoint has no metric math")
	}
	stat := f.asMap(m["MetricStat"])
	metric := f.asMap(stat["Metric"])
	q := query{
		id:     f.text(m, "Id"),
		label:  f.text(m, "Label"),
		stat:   f.text(stat, "Stat"),
		period: time.Duration(f.number(stat, "Period")) * time.Second,
		series: seriesKey{namespace: f.text(metric, "Namespace"), metric: f.text(metric, "MetricName")},
	}
	if q.label == "" {
		q.label = q.series.metric
	}
	want := map[string]string{namespaceRDS: "DBInstanceIdentifier", namespaceEC2: "InstanceId"}[q.series.namespace]
	dimensions := f.list(metric, "Dimensions")
	for _, d := range dimensions {
		// Another dimension set is another, unknown series: no datapoints.
		if dm := f.asMap(d); len(dimensions) == 1 && f.text(dm, "Name") == want {
			q.series.instance = f.text(dm, "Value")
		}
	}
	return q
}

func (f *fields) fail(format string, args ...any) {
	if f.err == nil {
		f.err = invalid(f.at+": "+format, args...)
	}
}

func (f *fields) asMap(v cbor.Value) cbor.Map {
	m, ok := v.(cbor.Map)
	if !ok {
		f.fail("%T where a structure belongs", v)
	}
	return m
}

func (f *fields) list(m cbor.Map, name string) cbor.List {
	l, ok := m[name].(cbor.List)
	if !ok && m[name] != nil {
		f.fail("%s is %T, want a list", name, m[name])
	}
	return l
}

func (f *fields) text(m cbor.Map, name string) string {
	s, ok := m[name].(cbor.String)
	if !ok && m[name] != nil {
		f.fail("%s is %T, want a string", name, m[name])
	}
	return string(s)
}

func (f *fields) number(m cbor.Map, name string) int {
	if m[name] == nil {
		return 0
	}
	n, err := cbor.AsInt32(m[name])
	if err != nil {
		f.fail("%s: %v", name, err)
	}
	return int(n)
}

// time reads an epoch timestamp. The SDK writes a float of milliseconds'
// precision; rounding keeps a boundary on its second.
func (f *fields) time(m cbor.Map, name string) time.Time {
	tag, ok := m[name].(*cbor.Tag)
	if !ok || tag.ID != 1 {
		f.fail("%s is missing or no timestamp", name)
		return time.Time{}
	}
	s, err := cbor.AsFloat64(tag.Value)
	if err != nil || math.IsNaN(s) || math.Abs(s) > 1e12 {
		f.fail("%s is no timestamp", name)
		return time.Time{}
	}
	return time.UnixMilli(int64(math.Round(s * 1000)))
}
