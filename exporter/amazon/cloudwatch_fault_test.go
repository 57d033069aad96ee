package amazon

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	smithytime "github.com/aws/smithy-go/time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/tokenpersistence/toolkit/exporter/collector"
	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
	endpoint "github.com/tokenpersistence/toolkit/testbed/cloudwatch"
)

// direct hands requests to an endpoint in the same synctest bubble, where a
// socket would stop its clock.
type direct struct{ http.Handler }

// Do answers as a server would, or not at all once the client has given up.
func (d direct) Do(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	response := w.Result()
	response.Request = r
	if n, err := strconv.Atoi(w.Header().Get("Content-Length")); err == nil && n > w.Body.Len() {
		response.Body = io.NopCloser(io.MultiReader(response.Body, iotest.ErrReader(io.ErrUnexpectedEOF))) // as a socket says it
	}
	return response, nil
}

// onDirect returns a collector with the SDK's own client, retries included, and
// its endpoint. The time is that of the bubble.
func onDirect(t *testing.T, cfg CloudWatchConfig) (*CloudWatch, *endpoint.Server) {
	t.Helper()
	server, err := endpoint.New(endpoint.Config{Period: cfg.Period})
	if err != nil {
		t.Fatal(err)
	}
	return newCloudWatch(t, cfg, cloudwatch.New(cloudwatch.Options{
		Region: "eu-test-1", BaseEndpoint: aws.String("http://cloudwatch.test"),
		Credentials: awscredentials.NewStaticCredentialsProvider("AKIDTEST", "secret", ""),
		HTTPClient:  direct{server},
	})), server
}

const cpuLine = `rds_cpu_utilization_ratio{db_instance="db"} `

// TestCloudWatchFaults has each fault strike for five minutes: the class is
// right, the last complete value stays for its bounded time, nothing wrong is
// shown, and the first poll after the fault is green.
func TestCloudWatchFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault endpoint.Fault
		class collector.Class // none: no failure
		value bool            // the metric is still learnt
	}{
		"throttled":              {endpoint.Fault{Code: endpoint.Throttled}, collector.Throttled, false},
		"denied":                 {endpoint.Fault{Code: endpoint.AccessDenied}, collector.Permission, false},
		"credentials expired":    {endpoint.Fault{Code: endpoint.ExpiredToken}, collector.Auth, false},
		"internal error":         {endpoint.Fault{Code: endpoint.InternalFault}, collector.Other, false},
		"results forbidden":      {endpoint.Fault{Result: "Forbidden"}, collector.Permission, false},
		"results partial":        {endpoint.Fault{Result: "PartialData"}, collector.Partial, false},
		"results internal error": {endpoint.Fault{Result: "InternalError"}, collector.Partial, false},
		"another one forbidden":  {endpoint.Fault{Result: "Forbidden", Metric: "ReadIOPS"}, collector.Permission, true},
		"empty":                  {endpoint.Fault{Empty: true}, "", false},
		"late by a period":       {endpoint.Fault{Late: 3 * time.Minute}, "", true}, // of the delay, a minute is left
		"silent":                 {endpoint.Fault{Hang: true}, collector.Timeout, false},
		"broken off":             {endpoint.Fault{Cut: 100}, collector.Connection, false},
		"the same page for ever": {endpoint.Fault{NextToken: "again"}, collector.Partial, false},
		"new pages for ever":     {endpoint.Fault{Endless: true}, collector.Guard, false},
		"empty pages for ever":   {endpoint.Fault{Endless: true, Empty: true}, collector.Guard, false},
		"paged":                  {endpoint.Fault{MaxDatapoints: 5}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cw, server := onDirect(t, CloudWatchConfig{RDSInstances: []string{"db"}, Period: time.Minute, Delay: 2 * time.Minute})
				minute := 0
				put := func() { // one point a minute, of the minute's number
					at := floorTo(time.Now(), time.Minute)
					server.Put(awsRDS, "CPUUtilization", "db", at, float64(minute))
					server.Put(awsRDS, "ReadIOPS", "db", at, float64(minute))
					minute++
					time.Sleep(time.Minute)
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer synctest.Wait()
				defer cancel()
				for range 12 {
					put()
				}
				go func() { _ = cw.Run(ctx) }()
				shown := func() (string, error) {
					synctest.Wait()
					text, err := collectortest.Exposition(t, cw)
					return collectortest.Only(text, cpuLine), err
				}
				put()
				time.Sleep(5 * time.Second)
				before, err := shown()
				if want := cpuLine + "0.1\n"; err != nil || before != want { // 13 begins, 12 and 11 are under the delay
					t.Fatalf("in health %q and %v, want %q", before, err, want)
				}
				server.Inject(c.fault)
				for range 5 {
					put()
				}
				during, err := shown()
				switch {
				case c.class == "" && err != nil, c.class != "" && collector.ClassOf(err) != c.class:
					t.Errorf("class %s of %v, want %q", collector.ClassOf(err), err, c.class)
				}
				if during == "" || (during != before) != c.value {
					t.Errorf("after five minutes %q, before %q; still learnt: %t", during, before, c.value)
				}
				if !c.value { // the value grows too old
					for range 9 {
						put()
					}
					if text, _ := shown(); text != "" {
						t.Errorf("after %d minutes %s", 14, text)
					}
				}
				server.ClearFaults()
				put()
				after, err := shown()
				if want := fmt.Sprintf("%s%v\n", cpuLine, float64(minute-3)*percent); err != nil || after != want {
					t.Errorf("after the fault %q and %v, want %q", after, err, want)
				}
			})
		})
	}
}

// TestCloudWatchRevisedPoints: while a datapoint is the newest its revision is
// shown; a revision of an older one changes nothing that is shown.
func TestCloudWatchRevisedPoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cw, server := onDirect(t, CloudWatchConfig{RDSInstances: []string{"db"}, Period: time.Minute})
		time.Sleep(10 * time.Minute)
		newest := floorTo(time.Now(), time.Minute).Add(-time.Minute)
		older := newest.Add(-time.Minute)
		for _, step := range []struct {
			at                  time.Time
			read, write         float64
			shownRead, shownSum string
		}{
			{older, 1, 10, "1", "11"},
			{newest, 2, 20, "2", "22"},
			{newest, 3, 20, "3", "23"},
			{newest, 3, 0, "3", "3"},
			{older, 100, 100, "3", "3"},
		} {
			server.Put(awsRDS, "ReadIOPS", "db", step.at, step.read)
			server.Put(awsRDS, "WriteIOPS", "db", step.at, step.write)
			if _, err := cw.poll(t.Context()); err != nil {
				t.Fatal(err)
			}
			text, err := collectortest.Exposition(t, cw)
			want := fmt.Sprintf("rds_read_iops{db_instance=\"db\"} %s\nrds_total_iops{db_instance=\"db\"} %s\n", step.shownRead, step.shownSum)
			if got := collectortest.Only(text, "rds_read_iops", "rds_total_iops"); err != nil || got != want {
				t.Errorf("%+v: error %v and\n%swant\n%s", step, err, got, want)
			}
		}
	})
}

// TestCloudWatchClockSkew sets AWS's clock apart from ours. The SDK corrects its
// signatures; the periods follow AWS's clock, so that no incomplete one is shown.
func TestCloudWatchClockSkew(t *testing.T) {
	for _, skew := range []time.Duration{10 * time.Minute, -10 * time.Minute, 3 * time.Hour, -3 * time.Hour, time.Second} {
		t.Run(skew.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cw, server := onDirect(t, CloudWatchConfig{RDSInstances: []string{"db"}, Period: time.Minute, Delay: 2 * time.Minute})
				time.Sleep(24*time.Hour + 30*time.Second)
				theirs := time.Now().Add(skew)
				newest := floorTo(theirs.Add(-2*time.Minute), time.Minute).Add(-time.Minute)
				for i := range 400 { // the endpoint shows a period at once: those within the delay are not complete
					server.Put(awsRDS, "CPUUtilization", "db", newest.Add(time.Duration(3-i)*time.Minute), float64(i))
				}
				server.Inject(endpoint.Fault{Clock: skew})
				for range 2 { // the first answer tells the clock
					if _, err := cw.poll(t.Context()); err != nil {
						t.Fatal(err)
					}
					text, _ := collectortest.Exposition(t, cw)
					for _, incomplete := range []string{"0\n", "0.01\n", "0.02\n"} {
						if strings.Contains(text, cpuLine+incomplete) {
							t.Errorf("an incomplete datapoint is shown:\n%s", text)
						}
					}
				}
				text, err := collectortest.Exposition(t, cw)
				if want := cpuLine + "0.03\n"; err != nil || !strings.Contains(text, want) {
					t.Errorf("error %v and no %s in\n%s", err, want, text)
				}
				if apart := time.Duration(cw.skew.Load()); (apart-skew).Abs() > time.Second || !strings.Contains(text, "cloudwatch_clock_skew_seconds "+fmt.Sprint(apart.Seconds())) {
					t.Errorf("the clocks are taken to be %s apart:\n%s", apart, text)
				}
			})
		})
	}
}

// TestCloudWatchTimestamps: the opt-in gives samples the time of their datapoint.
func TestCloudWatchTimestamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cw, server := onDirect(t, CloudWatchConfig{RDSInstances: []string{"db"}, Period: time.Minute, Timestamps: true})
		time.Sleep(time.Hour)
		at := floorTo(time.Now(), time.Minute).Add(-2 * time.Minute)
		server.Put(awsRDS, "CPUUtilization", "db", at, 50)
		if _, err := cw.poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		text, err := collectortest.Exposition(t, cw)
		want := fmt.Sprintf("%s0.5 %d\nrds_datapoint_timestamp_seconds{db_instance=\"db\",metric=\"CPUUtilization\"} %s\n", cpuLine, at.UnixMilli(), stamp(at))
		if got := collectortest.Only(text, "rds"); err != nil || got != want {
			t.Errorf("error %v and\n%swant\n%s", err, got, want)
		}
	})
}

// TestCloudWatchBudget counts what a simulated hour costs, in health and under
// faults that make a client ask again, with an SDK that was told to retry for ever.
func TestCloudWatchBudget(t *testing.T) {
	healthy := endpoint.Fault{MaxDatapoints: 1 << 20}
	for _, c := range []struct {
		name   string
		period time.Duration
		fault  endpoint.Fault
		most   float64 // HTTP requests an hour
	}{
		{"healthy", time.Minute, healthy, 61},
		{"empty", time.Minute, endpoint.Fault{Empty: true}, 61},
		{"forbidden", time.Minute, endpoint.Fault{Result: "Forbidden"}, 61},
		{"throttled", time.Minute, endpoint.Fault{Code: endpoint.Throttled}, 610},
		{"internal error", time.Minute, endpoint.Fault{Code: endpoint.InternalFault}, 610},
		{"broken off", time.Minute, endpoint.Fault{Cut: 10}, 610},
		{"silent", time.Minute, endpoint.Fault{Hang: true}, 61},
		{"the same page for ever", time.Minute, endpoint.Fault{NextToken: "again"}, 122},
		{"new pages for ever", time.Minute, endpoint.Fault{Endless: true}, 610},
		{"healthy, short periods", 10 * time.Second, healthy, 361},
		{"empty, short periods", 10 * time.Second, endpoint.Fault{Empty: true}, 721},
		{"new pages for ever, short periods", 10 * time.Second, endpoint.Fault{Endless: true}, 3610},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cw, server := onDirect(t, CloudWatchConfig{RDSInstances: []string{"db"}, Period: c.period})
				cw.client = insistent{cw.client.(*cloudwatch.Client)}
				server.Inject(c.fault)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				go func() { // something to find in health
					for ctx.Err() == nil {
						server.Put(awsRDS, "CPUUtilization", "db", floorTo(time.Now(), c.period).Add(-c.period), 1)
						if smithytime.SleepWithContext(ctx, time.Until(floorTo(time.Now(), c.period).Add(c.period))) != nil {
							return
						}
					}
				}()
				for range 3 { // scrapers cost nothing
					go func() {
						for smithytime.SleepWithContext(ctx, 5*time.Second) == nil {
							_, _ = cw.Collect(ctx) // its error is the fault
						}
					}()
				}
				if err := cw.Run(ctx); err != nil {
					t.Fatal(err)
				}
				text, _ := collectortest.Exposition(t, cw)
				spent := cw.attempts.Load()
				t.Logf("%d HTTP requests, %d metrics billed at most", spent, cw.billed.Load())
				if float64(spent) > c.most || spent != uint64(server.Stats().Requests) {
					t.Errorf("%d HTTP requests, the endpoint saw %d, want at most %v:\n%s", spent, server.Stats().Requests, c.most, costs(text))
				}
				if periods := uint64(time.Hour/c.period) + 1; spent < periods-1 {
					t.Errorf("%d HTTP requests in %d periods", spent, periods)
				}
			})
		})
	}
}

// insistent is a client that was configured to retry without end.
type insistent struct{ *cloudwatch.Client }

// GetMetricData raises the SDK's limit.
func (i insistent) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, options ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	return i.Client.GetMetricData(ctx, in, append(options, func(o *cloudwatch.Options) { o.RetryMaxAttempts = 1000 })...)
}

// TestCloudWatchFaultsInAnyOrder draws a fault for every minute of a day: no
// wrong value, no runaway, and green once it is over.
func TestCloudWatchFaultsInAnyOrder(t *testing.T) {
	faults := []endpoint.Fault{
		{}, {}, {Code: endpoint.Throttled}, {Code: endpoint.AccessDenied}, {Code: endpoint.InternalFault}, {Code: endpoint.ExpiredToken},
		{Result: "PartialData"}, {Result: "Forbidden", Metric: "ReadIOPS"}, {Empty: true}, {Late: 5 * time.Minute}, {Hang: true}, {Cut: 50},
		{MaxDatapoints: 3}, {NextToken: "again"}, {Endless: true}, {Clock: 7 * time.Minute}, {Clock: -7 * time.Minute},
	}
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(3, 4))
		cw, server := onDirect(t, CloudWatchConfig{RDSInstances: []string{"db"}, Period: time.Minute, Delay: 2 * time.Minute})
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		go func() { _ = cw.Run(ctx) }()
		const minutes = 1440
		for range minutes {
			at := floorTo(time.Now(), time.Minute)
			for metric, value := range map[string]float64{"CPUUtilization": float64(at.Unix()%100000) / 60, "ReadIOPS": 1, "WriteIOPS": 2} {
				server.Put(awsRDS, metric, "db", at, value)
			}
			server.ClearFaults()
			server.Inject(faults[random.IntN(len(faults))])
			time.Sleep(time.Minute)
			synctest.Wait()
			metrics, _ := cw.Collect(t.Context())
			v := collectortest.Values(t, metrics)
			if cpu, ok := v["rds_cpu_utilization_ratio{db}"]; ok {
				stamp := v["rds_datapoint_timestamp_seconds{db,CPUUtilization}"]
				if want := float64(int64(stamp)%100000) / 60 * percent; cpu != want {
					t.Fatalf("after %s the CPU of %v is %v, want %v", time.Since(began), stamp, cpu, want)
				}
				if age := float64(time.Now().Unix()) - stamp; age < 0 || age > (2+keepPeriods+1+7+1)*60 {
					t.Fatalf("after %s a value is %v s old", time.Since(began), age)
				}
			}
			if total, ok := v["rds_total_iops{db}"]; ok && total != 3 {
				t.Fatalf("after %s the total is %v", time.Since(began), total)
			}
		}
		if n := cw.attempts.Load(); n > (minutes+1)*httpPerRequest {
			t.Errorf("%d HTTP requests in %d periods", n, minutes)
		}
		server.ClearFaults()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if _, err := cw.Collect(t.Context()); err != nil {
			t.Errorf("after the faults: %v", err)
		}
		cancel()
		synctest.Wait()
	})
}
