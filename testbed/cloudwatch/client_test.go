package cloudwatch

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awscloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// newClient returns the SDK's client for an endpoint, without retries so that a
// test sees each answer.
func newClient(t *testing.T, url string) *awscloudwatch.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return awscloudwatch.New(awscloudwatch.Options{
		Region:           "eu-test-1",
		BaseEndpoint:     aws.String(url),
		Credentials:      credentials.NewStaticCredentialsProvider("AKIDTEST", "secret", ""),
		HTTPClient:       &http.Client{Transport: transport},
		RetryMaxAttempts: 1,
	})
}

// filled returns an endpoint whose only content the test puts there.
func filled(t *testing.T, cfg Config) (*Server, *awscloudwatch.Client) {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return s, newClient(t, srv.URL)
}

func metricQuery(id, namespace, metric, instance, stat string, period int32) types.MetricDataQuery {
	dimension := "DBInstanceIdentifier"
	if namespace == namespaceEC2 {
		dimension = "InstanceId"
	}
	return types.MetricDataQuery{
		Id: aws.String(id),
		MetricStat: &types.MetricStat{
			Metric: &types.Metric{
				Namespace: aws.String(namespace), MetricName: aws.String(metric),
				Dimensions: []types.Dimension{{Name: aws.String(dimension), Value: aws.String(instance)}},
			},
			Period: aws.Int32(period), Stat: aws.String(stat),
		},
	}
}

// answered is a result without pointers, timestamps in seconds.
type answered struct {
	ID, Status string
	Times      []int64
	Values     []float64
}

func plain(results []types.MetricDataResult) []answered {
	var out []answered
	for _, r := range results {
		a := answered{ID: *r.Id, Status: string(r.StatusCode), Values: r.Values}
		for _, t := range r.Timestamps {
			a.Times = append(a.Times, t.Unix())
		}
		if len(a.Values) == 0 {
			a.Values = nil
		}
		out = append(out, a)
	}
	return out
}

// past is a minute boundary long enough ago for any delay used here.
var past = time.Unix(1_750_000_020, 0)

func fill(s *Server) {
	for i := range 6 {
		at := past.Add(time.Duration(i) * time.Minute)
		s.Put(namespaceRDS, "ReadIOPS", "db", at, float64(10*i))
		s.Put(namespaceRDS, "WriteIOPS", "db", at, float64(i))
	}
}

func TestGetMetricData(t *testing.T) {
	read := func(stat string, period int32) []types.MetricDataQuery {
		return []types.MetricDataQuery{metricQuery("r", namespaceRDS, "ReadIOPS", "db", stat, period)}
	}
	at := past.Unix()
	for name, c := range map[string]struct {
		queries  []types.MetricDataQuery
		from, to time.Duration
		scan     types.ScanBy
		want     []answered
	}{
		"newest first, end exclusive": {
			read("Average", 60), 0, 2 * time.Minute, "",
			[]answered{{"r", "Complete", []int64{at + 60, at}, []float64{10, 0}}},
		},
		"start inclusive, ascending": {
			read("Average", 60), time.Minute, 3 * time.Minute, types.ScanByTimestampAscending,
			[]answered{{"r", "Complete", []int64{at + 60, at + 120}, []float64{10, 20}}},
		},
		"start is rounded down to the minute": {
			read("Average", 60), 90 * time.Second, 2 * time.Minute, "",
			[]answered{{"r", "Complete", []int64{at + 60}, []float64{10}}},
		},
		"longer period sums": {
			read("Sum", 180), 0, 6 * time.Minute, types.ScanByTimestampAscending,
			[]answered{{"r", "Complete", []int64{at - 60, at + 120, at + 300}, []float64{10, 90, 50}}},
		},
		"unknown instance and metric are empty, not errors": {
			[]types.MetricDataQuery{
				metricQuery("a", namespaceRDS, "ReadIOPS", "other", "Average", 60),
				metricQuery("b", namespaceRDS, "BurstBalance", "db", "Average", 60),
				metricQuery("c", "AWS/ELB", "RequestCount", "db", "Sum", 60),
			}, 0, time.Hour, "",
			[]answered{{ID: "a", Status: "Complete"}, {ID: "b", Status: "Complete"}, {ID: "c", Status: "Complete"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, client := filled(t, Config{Period: time.Minute})
			fill(s)
			out, err := client.GetMetricData(t.Context(), &awscloudwatch.GetMetricDataInput{
				MetricDataQueries: c.queries, ScanBy: c.scan,
				StartTime: aws.Time(past.Add(c.from)), EndTime: aws.Time(past.Add(c.to)),
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, plain(out.MetricDataResults)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPagination(t *testing.T) {
	s, client := filled(t, Config{Period: time.Minute})
	fill(s)
	s.Inject(Fault{MaxDatapoints: 4}) // as a smaller CloudWatch would page
	pager := awscloudwatch.NewGetMetricDataPaginator(client, &awscloudwatch.GetMetricDataInput{
		MetricDataQueries: []types.MetricDataQuery{
			metricQuery("r", namespaceRDS, "ReadIOPS", "db", "Average", 60),
			metricQuery("w", namespaceRDS, "WriteIOPS", "db", "Average", 60),
		},
		StartTime: aws.Time(past), EndTime: aws.Time(past.Add(time.Hour)),
	})
	var pages [][]answered
	for pager.HasMorePages() {
		out, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, plain(out.MetricDataResults))
		// Points that arrive between pages must not shift the next one.
		s.Put(namespaceRDS, "ReadIOPS", "db", past.Add(10*time.Minute), 100)
	}
	at := past.Unix()
	want := [][]answered{
		{{"r", "PartialData", []int64{at + 300, at + 240, at + 180, at + 120}, []float64{50, 40, 30, 20}}},
		{
			{"r", "Complete", []int64{at + 60, at}, []float64{10, 0}},
			{"w", "PartialData", []int64{at + 300, at + 240}, []float64{5, 4}},
		},
		{{"w", "Complete", []int64{at + 180, at + 120, at + 60, at}, []float64{3, 2, 1, 0}}},
	}
	if diff := cmp.Diff(want, pages); diff != "" {
		t.Error(diff)
	}
}

func TestDatapointAppearsAfterItsDelay(t *testing.T) {
	s, err := New(Config{Period: time.Minute, Delay: 2 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	fill(s)
	r := request{
		start: past, end: past.Add(time.Hour),
		queries: []query{{id: "r", stat: "Average", period: time.Minute, series: seriesKey{namespaceRDS, "ReadIOPS", "db"}}},
	}
	for _, c := range []struct {
		after time.Duration
		fault Fault
		want  int
	}{
		{3*time.Minute - time.Nanosecond, Fault{}, 0},
		{3 * time.Minute, Fault{}, 1},
		{4 * time.Minute, Fault{}, 2},
		{4 * time.Minute, Fault{Late: 30 * time.Second}, 1},
	} {
		out, err := s.answer(r, c.fault, past.Add(c.after))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(out.results[0].points); got != c.want {
			t.Errorf("%s after the first period began, fault %+v: %d points, want %d", c.after, c.fault, got, c.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	good := func() *awscloudwatch.GetMetricDataInput {
		return &awscloudwatch.GetMetricDataInput{
			MetricDataQueries: []types.MetricDataQuery{metricQuery("r", namespaceRDS, "ReadIOPS", "db", "Average", 60)},
			StartTime:         aws.Time(past), EndTime: aws.Time(past.Add(time.Hour)),
		}
	}
	for name, c := range map[string]struct {
		change func(*awscloudwatch.GetMetricDataInput)
		code   string
	}{
		"metric math": {func(in *awscloudwatch.GetMetricDataInput) {
			in.MetricDataQueries[0] = types.MetricDataQuery{Id: aws.String("e"), Expression: aws.String("r+w")}
		}, "ValidationError"},
		"percentile": {func(in *awscloudwatch.GetMetricDataInput) {
			in.MetricDataQueries[0].MetricStat.Stat = aws.String("p99")
		}, "ValidationError"},
		"odd period": {func(in *awscloudwatch.GetMetricDataInput) {
			in.MetricDataQueries[0].MetricStat.Period = aws.Int32(7)
		}, "ValidationError"},
		"same id twice": {func(in *awscloudwatch.GetMetricDataInput) {
			in.MetricDataQueries = append(in.MetricDataQueries, in.MetricDataQueries[0])
		}, "ValidationError"},
		"501 queries": {func(in *awscloudwatch.GetMetricDataInput) {
			for len(in.MetricDataQueries) < 501 {
				in.MetricDataQueries = append(in.MetricDataQueries, in.MetricDataQueries[0])
			}
		}, "ValidationError"},
		"empty time span": {func(in *awscloudwatch.GetMetricDataInput) { in.EndTime = in.StartTime }, "ValidationError"},
		"made-up token":   {func(in *awscloudwatch.GetMetricDataInput) { in.NextToken = aws.String("x") }, "InvalidNextToken"},
	} {
		t.Run(name, func(t *testing.T) {
			_, client := filled(t, Config{Period: time.Minute})
			in := good()
			c.change(in)
			_, err := client.GetMetricData(t.Context(), in)
			wantCode(t, err, c.code)
		})
	}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		t.Fatalf("error %v is no API error", err)
	}
	if api.ErrorCode() != code {
		t.Errorf("error code %s, want %s", api.ErrorCode(), code)
	}
}

func TestUnsignedAndForeignRequests(t *testing.T) {
	s, err := New(Config{Period: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, protocol string
		want           int
	}{
		{operationPath + "GetMetricData", "rpc-v2-cbor", http.StatusForbidden},
		{operationPath + "ListMetrics", "rpc-v2-cbor", http.StatusNotFound},
		{operationPath + "GetMetricData", "", http.StatusNotFound},
		{"/", "rpc-v2-cbor", http.StatusNotFound},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.path, nil)
		r.Header.Set("Smithy-Protocol", c.protocol)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s with protocol %q: status %d, want %d", c.path, c.protocol, w.Code, c.want)
		}
	}
}

func TestStoreIsBounded(t *testing.T) {
	s, err := New(Config{Period: time.Second, Keep: 10})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		s.Put(namespaceRDS, "ReadIOPS", "db", past.Add(time.Duration(i)*time.Second), float64(i))
	}
	key := seriesKey{namespaceRDS, "ReadIOPS", "db"}
	points := s.store.between(key, past, past.Add(time.Hour))
	if len(points) != 10 || points[9].value != 99 {
		t.Errorf("kept %d points, the newest %v; want the newest 10", len(points), points[len(points)-1].value)
	}
	s.Put(namespaceRDS, "ReadIOPS", "db", past.Add(99*time.Second), 7) // a revision
	points = s.store.between(key, past, past.Add(time.Hour))
	if len(points) != 10 || points[9].value != 7 {
		t.Errorf("after a revision %d points, the newest %v; want 10 and 7", len(points), points[len(points)-1].value)
	}
}
