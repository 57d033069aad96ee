package cloudwatch

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

const (
	operationPath = "/service/GraniteServiceVersion20100801/operation/"
	maxBody       = 1 << 20 // a request of 500 queries has about 100 kB
)

// ServeHTTP answers one RPC.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation, ok := strings.CutPrefix(r.URL.Path, operationPath)
	if !ok || r.Method != http.MethodPost || r.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
		http.Error(w, "this is a CloudWatch endpoint: POST "+operationPath+"GetMetricData with Smithy-Protocol: rpc-v2-cbor", http.StatusNotFound)
		return
	}
	out, err := s.serve(operation, r)
	if err != nil {
		writeError(w, err)
		return
	}
	write(w, http.StatusOK, encodeResponse(out))
}

func (s *Server) serve(operation string, r *http.Request) (response, error) {
	if operation != "GetMetricData" {
		return response{}, &apiError{"UnknownOperationException", "this endpoint answers GetMetricData, not " + operation, 404}
	}
	f := s.nextFault()
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=") {
		return response{}, &apiError{"MissingAuthenticationToken", "Request is missing Authentication Token", 403}
	}
	if f.Code != "" {
		return response{}, faultError(f.Code)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return response{}, &apiError{"SerializationException", err.Error(), 400}
	}
	req, err := decodeRequest(body)
	if err != nil {
		return response{}, err
	}
	return s.answer(req, f, time.Now())
}

func faultError(code string) *apiError {
	switch code {
	case AccessDenied:
		return &apiError{code, "User: arn:aws:iam::000000000000:user/testbed is not authorized to perform: cloudwatch:GetMetricData", 403}
	case ExpiredToken, InvalidToken:
		return &apiError{code, "The security token included in the request is invalid or expired", 403}
	case InternalFault:
		return &apiError{code, "injected fault", 500}
	case Throttled:
		return &apiError{code, "Rate exceeded", 400}
	}
	return &apiError{code, "injected fault", 400}
}

func writeError(w http.ResponseWriter, err error) {
	e, ok := errors.AsType[*apiError](err)
	if !ok {
		e = &apiError{InternalFault, err.Error(), 500}
	}
	fault := "Sender"
	if e.status >= 500 {
		fault = "Receiver"
	}
	w.Header().Set("X-Amzn-Query-Error", e.code+";"+fault)
	write(w, e.status, cbor.Map{
		"__type":  cbor.String("com.amazonaws.cloudwatch#" + e.code),
		"message": cbor.String(e.message),
	})
}

func write(w http.ResponseWriter, status int, v cbor.Value) {
	w.Header().Set("Content-Type", "application/cbor")
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.WriteHeader(status)
	// An error here is a client that hung up: nobody is left to tell.
	_, _ = w.Write(cbor.Encode(v))
}

func encodeResponse(r response) cbor.Value {
	results := cbor.List{}
	for _, res := range r.results {
		times, values := cbor.List{}, cbor.List{}
		for _, p := range res.points {
			times = append(times, &cbor.Tag{ID: 1, Value: cbor.Uint(uint64(p.at.Unix()))})
			values = append(values, cbor.Float64(p.value))
		}
		results = append(results, cbor.Map{
			"Id":         cbor.String(res.id),
			"Label":      cbor.String(res.label),
			"StatusCode": cbor.String(res.status),
			"Timestamps": times,
			"Values":     values,
		})
	}
	m := cbor.Map{"MetricDataResults": results, "Messages": cbor.List{}}
	if r.nextToken != "" {
		m["NextToken"] = cbor.String(r.nextToken)
	}
	return m
}

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
