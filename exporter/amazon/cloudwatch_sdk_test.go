package amazon

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/exporter/collector"
	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
	endpoint "github.com/tokenpersistence/toolkit/testbed/cloudwatch"
)

// throughSDK returns a collector that talks to a real endpoint with the real
// client, which may make so many attempts of a request.
func throughSDK(t *testing.T, cfg CloudWatchConfig, attempts int) (*CloudWatch, *endpoint.Server) {
	t.Helper()
	server, err := endpoint.New(endpoint.Config{Period: cfg.Period})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server)
	transport := &http.Transport{}
	t.Cleanup(func() { transport.CloseIdleConnections(); web.Close() })
	return newCloudWatch(t, cfg, cloudwatch.New(cloudwatch.Options{
		Region:           "eu-test-1",
		BaseEndpoint:     aws.String(web.URL),
		Credentials:      awscredentials.NewStaticCredentialsProvider("AKIDTEST", "secret", ""),
		HTTPClient:       &http.Client{Transport: transport},
		RetryMaxAttempts: attempts,
	})), server
}

// costs are the lines about what a collector cost at AWS.
func costs(text string) string {
	return collectortest.Only(text, "token_persistence_exporter_cloudwatch_http", "token_persistence_exporter_cloudwatch_metrics", "token_persistence_exporter_cloudwatch_requests")
}

func TestCloudWatchThroughTheSDK(t *testing.T) {
	cw, server := throughSDK(t, CloudWatchConfig{
		RDSInstances: []string{"db-1", "db-2"}, EC2Instances: []EC2Instance{{"apim", "i-1"}, {"jmeter", "i-1"}}, Period: time.Minute,
	}, 1)
	at := floorTo(time.Now(), time.Minute).Add(-time.Minute)
	for i, m := range cloudWatchMetrics {
		for _, instance := range []string{"db-1", "i-1"} {
			server.Put(m.namespace, m.aws, instance, at, float64(10*i))
		}
	}
	server.Inject(endpoint.Fault{MaxDatapoints: 3}) // pages
	if fresh, err := cw.poll(t.Context()); err != nil || !fresh {
		t.Fatalf("fresh %t, error %v", fresh, err)
	}
	text, err := collectortest.Exposition(t, cw)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range cloudWatchMetrics {
		if !strings.Contains(text, fmt.Sprintf(" %v\n", float64(10*i)*m.scale)) {
			t.Errorf("%s %s: no sample with its value", m.namespace, m.aws)
		}
	}
	if strings.Contains(text, "db-2") {
		t.Errorf("an instance without datapoints has samples:\n%s", collectortest.Only(text, "rds"))
	}
	// 18 points of the database and one host in two roles: 20 points, 3 a page.
	want := `token_persistence_exporter_cloudwatch_http_attempts_total 7
token_persistence_exporter_cloudwatch_metrics_requested_total 266
token_persistence_exporter_cloudwatch_requests_total 7
`
	if diff := cmp.Diff(want, costs(text)); diff != "" {
		t.Error(diff)
	}
}

func TestCloudWatchRefusals(t *testing.T) {
	for code, want := range map[string]struct {
		class collector.Class
		hint  string
	}{
		endpoint.Throttled:     {collector.Throttled, "--cloudwatch.period"},
		endpoint.AccessDenied:  {collector.Permission, "cloudwatch:GetMetricData"},
		endpoint.ExpiredToken:  {collector.Auth, "credentials"},
		endpoint.InvalidToken:  {collector.Auth, "credentials"},
		endpoint.InternalFault: {collector.Other, ""},
	} {
		t.Run(code, func(t *testing.T) {
			cw, server := throughSDK(t, CloudWatchConfig{RDSInstances: []string{"db"}, Period: time.Minute}, 1)
			at := floorTo(time.Now(), time.Minute).Add(-time.Minute)
			server.Put(awsRDS, "CPUUtilization", "db", at, 50)
			if _, err := cw.poll(t.Context()); err != nil {
				t.Fatal(err)
			}
			server.Inject(endpoint.Fault{Code: code})
			if _, err := cw.poll(t.Context()); err == nil {
				t.Fatal("no error")
			}
			text, err := collectortest.Exposition(t, cw)
			if collector.ClassOf(err) != want.class || !strings.Contains(err.Error(), want.hint) {
				t.Errorf("class %s of %v; want %s and the hint %q", collector.ClassOf(err), err, want.class, want.hint)
			}
			if !strings.Contains(text, "rds_cpu_utilization_ratio{db_instance=\"db\"} 0.5\n") {
				t.Error("the last complete value is gone at once")
			}
			server.ClearFaults()
			if _, err := cw.poll(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := collectortest.Exposition(t, cw); err != nil {
				t.Errorf("after the fault: %v", err)
			}
		})
	}
}

func TestCloudWatchCountsTheAttemptsOfTheSDK(t *testing.T) {
	cw, server := throughSDK(t, CloudWatchConfig{RDSInstances: []string{"db"}, Period: time.Minute}, 3)
	server.Inject(endpoint.Fault{Requests: 1, Code: endpoint.Throttled})
	if _, err := cw.poll(t.Context()); err != nil {
		t.Fatalf("one refusal is for the SDK to retry: %v", err)
	}
	text, _ := collectortest.Exposition(t, cw)
	want := `token_persistence_exporter_cloudwatch_http_attempts_total 2
token_persistence_exporter_cloudwatch_metrics_requested_total 18
token_persistence_exporter_cloudwatch_requests_total 1
`
	if diff := cmp.Diff(want, costs(text)); diff != "" {
		t.Error(diff)
	}
}

func TestCloudWatchUnreachable(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	web.Close()
	cw := newCloudWatch(t, CloudWatchConfig{RDSInstances: []string{"db"}, Period: time.Minute}, cloudwatch.New(cloudwatch.Options{
		Region: "eu-test-1", BaseEndpoint: aws.String(web.URL), RetryMaxAttempts: 1,
		Credentials: awscredentials.NewStaticCredentialsProvider("AKIDTEST", "secret", ""),
	}))
	if _, err := cw.poll(t.Context()); collector.ClassOf(err) != collector.Connection {
		t.Errorf("class %s of %v, want %s", collector.ClassOf(err), err, collector.Connection)
	}
}

// noCredentials leaves the SDK nothing but the instance metadata service.
func noCredentials(t *testing.T) {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"} {
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
}

func TestCloudWatchWithoutCredentials(t *testing.T) {
	noCredentials(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	if _, err := NewCloudWatchClient(t.Context(), "", ""); err == nil || !strings.Contains(err.Error(), "--cloudwatch.region") {
		t.Errorf("without a region: %v", err)
	}
	client, err := NewCloudWatchClient(t.Context(), "eu-test-1", "")
	if err != nil {
		t.Fatal(err)
	}
	cw := newCloudWatch(t, CloudWatchConfig{RDSInstances: []string{"db"}, Period: time.Minute}, client)
	if _, err := cw.poll(t.Context()); collector.ClassOf(err) != collector.Auth {
		t.Errorf("class %s of %v, want %s", collector.ClassOf(err), err, collector.Auth)
	}
}

// blackHole accepts connections and says nothing.
func blackHole(t *testing.T) string {
	t.Helper()
	var network net.ListenConfig
	listener, err := network.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	})
	return "http://" + listener.Addr().String() // the kernel accepts
}

// TestCloudWatchBlackHoles: where nothing answers, be it CloudWatch or the last
// resort of the credentials chain, a poll ends and no scrape waits for it.
func TestCloudWatchBlackHoles(t *testing.T) {
	for name, c := range map[string]struct {
		setup func(t *testing.T)
		class collector.Class
	}{
		"CloudWatch": {func(t *testing.T) {
			t.Setenv("AWS_ENDPOINT_URL", blackHole(t))
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
		}, collector.Timeout},
		"metadata service": {func(t *testing.T) {
			noCredentials(t)
			t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
			t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", blackHole(t))
		}, collector.Auth},
	} {
		t.Run(name, func(t *testing.T) {
			c.setup(t)
			client, err := NewCloudWatchClient(t.Context(), "eu-test-1", "")
			if err != nil {
				t.Fatal(err)
			}
			cw := newCloudWatch(t, CloudWatchConfig{RDSInstances: []string{"db"}, Period: 5 * time.Second}, client)
			polled := make(chan error, 1)
			began := time.Now()
			go func() {
				_, err := cw.poll(t.Context())
				polled <- err
			}()
			for done := false; !done; {
				select {
				case err := <-polled:
					if done = true; collector.ClassOf(err) != c.class {
						t.Errorf("class %s of %v, want %s", collector.ClassOf(err), err, c.class)
					}
				case <-time.After(100 * time.Millisecond):
					scrape := time.Now()
					if _, err := cw.Collect(t.Context()); !errors.Is(err, errNotPolled) {
						t.Errorf("a scrape meanwhile: %v", err)
					}
					if took := time.Since(scrape); took > time.Second {
						t.Errorf("a scrape waited %s for the poll", took)
					}
				}
			}
			if took := time.Since(began); took > 15*time.Second { // the poll's own limit is 5 s
				t.Errorf("the poll took %s", took)
			}
		})
	}
}
