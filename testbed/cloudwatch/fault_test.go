package cloudwatch

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
)

func TestFaults(t *testing.T) {
	ask := func(ctx context.Context, client *awscloudwatch.Client) ([]answered, error) {
		out, err := client.GetMetricData(ctx, &awscloudwatch.GetMetricDataInput{
			MetricDataQueries: []types.MetricDataQuery{
				metricQuery("r", namespaceRDS, "ReadIOPS", "db", "Average", 60),
				metricQuery("w", namespaceRDS, "WriteIOPS", "db", "Average", 60),
			},
			StartTime: aws.Time(past), EndTime: aws.Time(past.Add(time.Minute)),
		})
		if err != nil {
			return nil, err
		}
		return plain(out.MetricDataResults), nil
	}
	at := past.Unix()
	r := answered{"r", "Complete", []int64{at}, []float64{0}}
	w := answered{"w", "Complete", []int64{at}, []float64{0}}
	for name, c := range map[string]struct {
		fault Fault
		code  string
		want  []answered
	}{
		"throttled":        {Fault{Code: Throttled}, "Throttling", nil},
		"denied":           {Fault{Code: AccessDenied}, "AccessDenied", nil},
		"expired":          {Fault{Code: ExpiredToken}, "ExpiredToken", nil},
		"internal":         {Fault{Code: InternalFault}, "InternalServiceFault", nil},
		"forbidden result": {Fault{Result: "Forbidden", Metric: "WriteIOPS"}, "", []answered{r, {ID: "w", Status: "Forbidden"}}},
		"partial result":   {Fault{Result: "PartialData"}, "", []answered{{ID: "r", Status: "PartialData"}, {ID: "w", Status: "PartialData"}}},
		"empty":            {Fault{Empty: true, Metric: "ReadIOPS"}, "", []answered{{ID: "r", Status: "Complete"}, w}},
	} {
		t.Run(name, func(t *testing.T) {
			s, client := filled(t, Config{Period: time.Minute})
			fill(s)
			c.fault.Requests = 1
			s.Inject(c.fault)
			got, err := ask(t.Context(), client)
			if c.code != "" {
				wantCode(t, err, c.code)
			} else if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			// One request was to be met: the next one is healthy.
			got, err = ask(t.Context(), client)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]answered{r, w}, got); diff != "" {
				t.Error("after the fault:", diff)
			}
			if got := s.Stats(); got.Requests != 2 || got.Faults != 1 {
				t.Errorf("stats %+v, want 2 requests and 1 fault", got)
			}
		})
	}
}

// TestBrokenAnswers are faults of the transport and of paging.
func TestBrokenAnswers(t *testing.T) {
	s, client := filled(t, Config{Period: time.Minute})
	fill(s)
	ask := func(ctx context.Context) (*awscloudwatch.GetMetricDataOutput, error) {
		return client.GetMetricData(ctx, &awscloudwatch.GetMetricDataInput{
			MetricDataQueries: []types.MetricDataQuery{metricQuery("r", namespaceRDS, "ReadIOPS", "db", "Average", 60)},
			StartTime:         aws.Time(past), EndTime: aws.Time(past.Add(time.Minute)),
		})
	}
	s.Inject(Fault{Requests: 1, Hang: true})
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := ask(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent endpoint: %v", err)
	}
	s.Inject(Fault{Requests: 1, Cut: 20})
	if _, err := ask(t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("an answer broken off: %v", err)
	}
	s.Inject(Fault{Requests: 2, Endless: true})
	tokens := map[string]bool{}
	for range 2 {
		out, err := ask(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tokens[aws.ToString(out.NextToken)] = true
	}
	if len(tokens) != 2 || tokens[""] {
		t.Errorf("endless pages have the tokens %v", tokens)
	}
	s.Inject(Fault{Requests: 1, NextToken: "again"})
	if out, err := ask(t.Context()); err != nil || aws.ToString(out.NextToken) != "again" {
		t.Errorf("a page that repeats itself: %v", err)
	}
	s.Inject(Fault{Requests: 1, Clock: time.Hour})
	_, err := ask(t.Context())
	wantCode(t, err, signatureExpired)
}
