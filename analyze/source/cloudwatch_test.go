package source

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	awscloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/google/go-cmp/cmp"

	endpoint "github.com/tokenpersistence/toolkit/testbed/cloudwatch"
)

// clouded is an endpoint with ten minutes of two EC2 instances and a database,
// and the experiment that ran on them. The window begins and ends within a
// minute.
func clouded(t *testing.T) (*endpoint.Server, string, Spec) {
	t.Helper()
	server, err := endpoint.New(endpoint.Config{Period: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	start := time.Date(2025, 7, 1, 10, 0, 0, 0, time.UTC)
	for i := range 10 {
		at := start.Add(time.Duration(i) * time.Minute)
		server.Put("AWS/EC2", "CPUUtilization", "i-1", at, float64(10*i))
		server.Put("AWS/EC2", "CPUUtilization", "i-2", at, float64(10*i+4))
		server.Put("AWS/RDS", "CPUUtilization", "db", at, float64(2*i))
		server.Put("AWS/RDS", "ReadIOPS", "db", at, float64(100*i))
		server.Put("AWS/RDS", "WriteIOPS", "db", at, 7)
		server.Put("AWS/RDS", "ReadThroughput", "db", at, float64(1000*i))
		server.Put("AWS/RDS", "WriteThroughput", "db", at, 24)
	}
	return server, web.URL, Spec{
		Kind:    "cloudwatch",
		Windows: []Window{{Grant: "password", Mode: On, Start: start.Add(90 * time.Second), End: start.Add(270 * time.Second)}},
		CloudWatch: CloudWatch{
			Region: "eu-test-1", RDSInstance: "db", APIManager: []string{"i-1", "i-2"}, LoadGenerators: []string{"i-2"},
		},
	}
}

// sdk is the SDK's client, which tries so often and hardly waits.
func sdk(t *testing.T, url string, tries int) *awscloudwatch.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return awscloudwatch.New(awscloudwatch.Options{
		Region: "eu-test-1", BaseEndpoint: aws.String(url),
		Credentials: awscredentials.NewStaticCredentialsProvider("AKIDTEST", "canary-secret", ""),
		HTTPClient:  &http.Client{Transport: transport},
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff = tries, time.Millisecond
		}),
	})
}

func readCloud(t *testing.T, spec Spec, client metricData) (Dataset, error) {
	t.Helper()
	d := Dataset{}
	for _, w := range spec.Windows {
		d.Runs = append(d.Runs, Run{Window: w, Series: map[string]Series{}})
	}
	return readMetricData(t.Context(), spec, d, client)
}

// checkClouded compares with what clouded put there. The points that reach over
// the window's edges are there: which of them count is for study to say.
func checkClouded(t *testing.T, d Dataset) {
	t.Helper()
	for series, want := range map[string][]float64{
		APIManagerCPU:    {.12, .22, .32, .42},
		LoadGeneratorCPU: {.14, .24, .34, .44},
		DatabaseCPU:      {.02, .04, .06, .08},
		DatabaseIOPS:     {107, 207, 307, 407},
		DatabaseBytes:    {1024, 2024, 3024, 4024},
	} {
		if diff := cmp.Diff(want, valuesOf(d, series), closely); diff != "" {
			t.Errorf("%s (-want +got)\n%s", series, diff)
		}
	}
	first := d.Runs[0].Series[DatabaseCPU]
	if first.Step != time.Minute || first.Expected != 3 || !first.Points[0].Time.Equal(time.Date(2025, 7, 1, 10, 1, 0, 0, time.UTC)) {
		t.Errorf("database CPU %+v", first)
	}
	if len(d.Problems) > 0 {
		t.Errorf("problems %+v", d.Problems)
	}
}

// TestCloudWatch reads through the SDK as an operator does: the settings come
// from the environment.
func TestCloudWatch(t *testing.T) {
	_, url, spec := clouded(t)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "canary-secret", "AWS_SESSION_TOKEN": "",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "",
	} {
		t.Setenv(name, value)
	}
	d, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	checkClouded(t, d)
	want := Input{
		Kind: "cloudwatch", Name: DatabaseIOPS, Query: "AWS/RDS ReadIOPS + WriteIOPS of db, average of 1m0s",
		Range: "2025-07-01T10:01:00.000Z/2025-07-01T10:05:00.000Z", Count: 4,
	}
	got := d.Inputs[slices.IndexFunc(d.Inputs, func(in Input) bool { return in.Name == DatabaseIOPS })]
	if len(got.SHA256) != 64 {
		t.Errorf("hash %q", got.SHA256)
	}
	got.SHA256 = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("provenance (-want +got)\n%s", diff)
	}

	spec.CloudWatch.Region = ""
	if _, err := Read(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "source.cloudwatch.region") {
		t.Errorf("without a region: %v", err)
	}
}

// TestCloudWatchPages reads answers of several pages, and asks again when it is
// throttled or an answer breaks off.
func TestCloudWatchPages(t *testing.T) {
	for _, faults := range [][]endpoint.Fault{
		{{MaxDatapoints: 3}},
		{{Code: endpoint.Throttled, Requests: 2}},
		{{Code: endpoint.InternalFault, Requests: 1}, {MaxDatapoints: 5, Requests: 1}, {Code: endpoint.Throttled, Requests: 1}},
	} {
		server, url, spec := clouded(t)
		for _, f := range faults {
			server.Inject(f)
		}
		d, err := readCloud(t, spec, sdk(t, url, attempts))
		if err != nil {
			t.Errorf("%+v: %v", faults, err)
			continue
		}
		checkClouded(t, d)
	}
}

// TestCloudWatchTrouble lists answers that end the run: the error says what to
// allow, to set or to wait for, and never the secret.
func TestCloudWatchTrouble(t *testing.T) {
	for _, c := range []struct {
		fault endpoint.Fault
		want  string
	}{
		{endpoint.Fault{Code: endpoint.AccessDenied}, "allow the action cloudwatch:GetMetricData"},
		{endpoint.Fault{Code: endpoint.ExpiredToken}, "check the AWS credentials"},
		{endpoint.Fault{Code: endpoint.InvalidToken}, "check the AWS credentials"},
		{endpoint.Fault{Code: endpoint.Throttled}, "wait a minute"},
		{endpoint.Fault{Code: endpoint.InternalFault}, "InternalServiceFault"},
		{endpoint.Fault{Cut: 40}, "read 8 metrics from CloudWatch"},
		{endpoint.Fault{NextToken: "0.1751364060"}, "begin again"},
		{endpoint.Fault{Endless: true}, "more than 50 pages"},
	} {
		server, url, spec := clouded(t)
		server.Inject(c.fault)
		_, err := readCloud(t, spec, sdk(t, url, 2))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%+v: error %v, want one with %q", c.fault, err, c.want)
		}
	}
}

// TestCloudWatchGaps lists answers that lack something: no series rests on half
// of what it is the sum or the mean of.
func TestCloudWatchGaps(t *testing.T) {
	for _, c := range []struct {
		name    string
		fault   endpoint.Fault
		absent  []string
		problem string
	}{
		{"writes are forbidden", endpoint.Fault{Result: "Forbidden", Metric: "WriteIOPS"}, []string{DatabaseIOPS}, "allow the action cloudwatch:GetMetricData"},
		{"reads are not complete", endpoint.Fault{Result: "PartialData", Metric: "ReadIOPS"}, []string{DatabaseIOPS}, "its status is PartialData"},
		{"reads are absent", endpoint.Fault{Empty: true, Metric: "ReadIOPS"}, []string{DatabaseIOPS}, "no samples of AWS/RDS ReadIOPS + WriteIOPS of db in any window"},
		{"nothing", endpoint.Fault{Empty: true}, []string{APIManagerCPU, LoadGeneratorCPU, DatabaseCPU, DatabaseIOPS, DatabaseBytes}, "CloudWatch keeps points of one minute for 15 days"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server, url, spec := clouded(t)
			server.Inject(c.fault)
			d, err := readCloud(t, spec, sdk(t, url, 1))
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range cloudWatchRows {
				if _, found := d.Runs[0].Series[row.series]; found == slices.Contains(c.absent, row.series) {
					t.Errorf("%s is there: %t", row.series, found)
				}
			}
			if !slices.ContainsFunc(d.Problems, func(p Problem) bool {
				return slices.Contains(c.absent, p.Series) && strings.Contains(p.Text, c.problem)
			}) {
				t.Errorf("no problem says %q: %+v", c.problem, d.Problems)
			}
		})
	}
}

// TestCloudWatchPeriods recognises points that are further apart than asked for,
// as those of EC2's basic monitoring, and leaves out a minute that one of two
// nodes lacks.
func TestCloudWatchPeriods(t *testing.T) {
	server, err := endpoint.New(endpoint.Config{Period: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	start := time.Date(2025, 7, 1, 10, 0, 0, 0, time.UTC)
	for i := range 4 {
		server.Put("AWS/RDS", "CPUUtilization", "db", start.Add(time.Duration(i)*5*time.Minute), 50)
		server.Put("AWS/EC2", "CPUUtilization", "i-1", start.Add(time.Duration(i)*time.Minute), 30)
		if i != 1 {
			server.Put("AWS/EC2", "CPUUtilization", "i-2", start.Add(time.Duration(i)*time.Minute), 60)
		}
	}
	d, err := readCloud(t, Spec{
		Windows:    []Window{{Grant: "password", Mode: On, Start: start, End: start.Add(20 * time.Minute)}},
		CloudWatch: CloudWatch{RDSInstance: "db", APIManager: []string{"i-1", "i-2"}},
	}, sdk(t, web.URL, 1))
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Runs[0].Series[DatabaseCPU]; got.Step != 5*time.Minute || got.Expected != 4 || len(got.Points) != 4 {
		t.Errorf("database CPU %+v", got)
	}
	if diff := cmp.Diff([]float64{.45, .45, .45}, valuesOf(d, APIManagerCPU), closely); diff != "" {
		t.Errorf("API Manager's CPU (-want +got)\n%s", diff)
	}
}
