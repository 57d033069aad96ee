package amazon

import (
	"bytes"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscredentials "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/tokenpersistence/toolkit/exporter/collector"
	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
)

// saying answers every request with the same status and body.
type saying struct {
	status int
	body   []byte
}

// Do answers as CloudWatch's protocol does.
func (s saying) Do(r *http.Request) (*http.Response, error) {
	header := http.Header{"Content-Type": {"application/cbor"}, "Smithy-Protocol": {"rpc-v2-cbor"}}
	return &http.Response{StatusCode: s.status, Header: header, Body: io.NopCloser(bytes.NewReader(s.body)), Request: r}, nil
}

// hearing returns a collector whose CloudWatch says that.
func hearing(t testing.TB, status int, body []byte) *CloudWatch {
	t.Helper()
	c, err := NewCloudWatch(CloudWatchConfig{RDSInstances: []string{"db"}, EC2Instances: []EC2Instance{{"apim", "i-1"}}, Period: time.Minute}, cloudwatch.New(cloudwatch.Options{
		Region: "eu-test-1", BaseEndpoint: aws.String("http://cloudwatch.test"), RetryMaxAttempts: 1,
		Credentials: awscredentials.NewStaticCredentialsProvider("AKIDTEST", "secret", ""),
		HTTPClient:  saying{status, body},
	}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// cborAnswer is a page with these results and that token.
func cborAnswer(token cbor.Value, results ...cbor.Value) []byte {
	m := cbor.Map{"MetricDataResults": cbor.List(results), "Messages": cbor.List{}}
	if token != nil {
		m["NextToken"] = token
	}
	return cbor.Encode(m)
}

func cborResult(id, status string, at time.Time, value cbor.Value) cbor.Value {
	return cbor.Map{
		"Id": cbor.String(id), "StatusCode": cbor.String(status), "Label": cbor.String("x"),
		"Timestamps": cbor.List{&cbor.Tag{ID: 1, Value: cbor.Float64(float64(at.UnixMilli()) / 1e3)}},
		"Values":     cbor.List{value},
	}
}

// TestCloudWatchOddAnswers are well-formed answers that are not true.
func TestCloudWatchOddAnswers(t *testing.T) {
	at := floorTo(time.Now(), time.Minute).Add(-3 * time.Minute)
	one := cbor.Float64(1)
	for name, c := range map[string]struct {
		body  []byte
		class collector.Class
		says  string
	}{
		"nothing":               {nil, collector.Partial, ""},
		"no CBOR":               {[]byte("<html>"), collector.Partial, ""},
		"no results":            {cborAnswer(nil), collector.Partial, "is missing"},
		"not asked for":         {cborAnswer(nil, cborResult("m99", "Complete", at, one)), collector.Partial, "not asked for"},
		"from the future":       {cborAnswer(nil, cborResult("m0", "Complete", at.AddDate(100, 0, 0), one)), collector.Partial, "outside"},
		"from the past":         {cborAnswer(nil, cborResult("m0", "Complete", time.Unix(0, 0), one)), collector.Partial, "outside"},
		"a status nobody knows": {cborAnswer(nil, cborResult("m0", "Perhaps", at, one)), collector.Partial, "Perhaps"},
		"not a number":          {cborAnswer(nil, cborResult("m1", "Complete", at, cbor.Float64(math.NaN()))), collector.Partial, "is missing"},
		"larger than anything":  {bytes.Repeat([]byte{0x9f}, maxAnswer+1), collector.Partial, "too large"},
		"deeper than anything":  {append([]byte{0xa1, 0x61, 'x'}, bytes.Repeat([]byte{0x81}, maxAnswer/2)...), collector.Partial, ""},
		"a list that claims to be endless": {append([]byte{0xa1, 0x71}, append([]byte("MetricDataResults"),
			0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)...), collector.Partial, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cw := hearing(t, http.StatusOK, c.body)
			_, err := cw.poll(t.Context())
			if collector.ClassOf(err) != c.class || !strings.Contains(err.Error(), c.says) {
				t.Errorf("class %s of %v, want %s and %q", collector.ClassOf(err), err, c.class, c.says)
			}
			if text, _ := collectortest.Exposition(t, cw); collectortest.Only(text, "rds", "ec2") != "" {
				t.Errorf("shown:\n%s", text)
			}
		})
	}
}

// FuzzCloudWatchResponse gives arbitrary bytes to the SDK's own client and to our
// poll: no panic, an end in bounded time, a failure with a class or numbers that
// are numbers and stand inside the window asked for.
func FuzzCloudWatchResponse(f *testing.F) {
	at := floorTo(time.Now(), time.Minute).Add(-2 * time.Minute)
	var all []cbor.Value
	for _, id := range []string{"m0", "m1", "m2", "m3", "m18"} {
		all = append(all, cborResult(id, "Complete", at, cbor.Float64(42)))
	}
	f.Add(200, cborAnswer(nil, all...))
	f.Add(200, cborAnswer(cbor.String("more"), all...))
	f.Add(200, cborAnswer(nil, cborResult("m0", "PartialData", at, cbor.Float64(math.Inf(1))), cborResult("m1", "Forbidden", at, cbor.Uint(7))))
	f.Add(200, cborAnswer(nil, cborResult("m1", "Complete", at, cbor.Float64(math.MaxFloat64)), cborResult("m2", "Complete", at, cbor.Float64(math.MaxFloat64))))
	f.Add(200, cbor.Encode(cbor.Map{"MetricDataResults": &cbor.Nil{}}))
	f.Add(400, cbor.Encode(cbor.Map{"__type": cbor.String("com.amazonaws.cloudwatch#Throttling"), "message": cbor.String("Rate exceeded")}))
	f.Add(500, []byte("\xff"))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 {
			return // no final answer
		}
		cw := hearing(t, status, body)
		began := time.Now()
		_, err := cw.poll(t.Context())
		if took := time.Since(began); took > 40*time.Second { // the poll's own limit is 30 s
			t.Errorf("the poll took %s", took)
		}
		if err != nil && collector.ClassOf(err) == "" {
			t.Errorf("no class of %v", err)
		}
		metrics, _ := cw.Collect(t.Context())
		for name, v := range collectortest.Values(t, metrics) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s is %v", name, v)
			}
			if strings.Contains(name, "_datapoint_timestamp_seconds") {
				if age := float64(time.Now().Unix()) - v; age < 60 || age > 60*(keepPeriods+2) {
					t.Errorf("%s is %v s old", name, age)
				}
			}
		}
	})
}
