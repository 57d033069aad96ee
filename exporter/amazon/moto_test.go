package amazon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	osexec "os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
	"github.com/tokenpersistence/toolkit/internal/child"
)

// motoVariable names the script that starts moto_server, as `testbed/install.sh
// moto` leaves it. Without it the tests against moto are skipped.
const motoVariable = "TOKEN_PERSISTENCE_MOTO"

// startMoto starts moto, an implementation of CloudWatch by others, and returns
// its address.
func startMoto(t *testing.T) string {
	t.Helper()
	program := os.Getenv(motoVariable)
	if program == "" {
		t.Skipf("%s is not set: make test-moto", motoVariable)
	}
	var network net.ListenConfig
	free, err := network.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(free.Addr().String())
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "moto.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := osexec.Command(program, "-H", host, "-p", port)
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "AWS_EC2_METADATA_DISABLED=true", "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stdout, cmd.Stderr = log, log
	moto, err := child.Start(cmd, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = moto.Kill() // it has nothing to save
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	})
	url := "http://" + net.JoinHostPort(host, port)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		answer, err := http.Get(url + "/moto-api/data.json")
		if err == nil {
			_ = answer.Body.Close()
			return url
		}
		if text, _ := os.ReadFile(log.Name()); time.Now().After(deadline) {
			t.Fatalf("moto does not answer: %v\n%s", err, text)
		}
	}
}

// translator stands between the SDK, which speaks Smithy RPC v2 CBOR and nothing
// else, and moto, which speaks AWS JSON. With pageSize it hands an answer out in
// pages of so many results: moto has none.
type translator struct {
	t        *testing.T
	moto     string
	pageSize int
}

// ServeHTTP passes one operation on.
func (p translator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, body, err := p.call(r)
	if err != nil {
		p.t.Errorf("between the SDK and moto: %v", err)
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/cbor")
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client checks what arrives
}

func (p translator) call(r *http.Request) (status int, body []byte, err error) {
	in, err := io.ReadAll(r.Body)
	if err != nil {
		return 0, nil, err
	}
	value, err := cbor.Decode(in)
	if err != nil {
		return 0, nil, err
	}
	members := plainJSON(value).(map[string]any)
	first, _ := strconv.Atoi(fmt.Sprint(members["NextToken"]))
	delete(members, "NextToken")
	text, err := json.Marshal(members)
	if err != nil {
		return 0, nil, err
	}
	request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, p.moto, bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	status, answer, err := motoAnswer(request, path.Base(r.URL.Path), r.Header.Get("Authorization"))
	if err != nil {
		return 0, nil, err
	}
	body, err = p.translate(answer, first)
	return status, body, err
}

// translate makes a page of moto's answer CBOR.
func (p translator) translate(answer []byte, first int) ([]byte, error) {
	var said struct {
		Type              string `json:"__type"`
		Message           string `json:"message"`
		MetricDataResults []struct {
			ID         string `json:"Id"`
			Label      string
			StatusCode string
			Timestamps []float64
			Values     []float64
		}
	}
	if len(bytes.TrimSpace(answer)) > 0 {
		if err := json.Unmarshal(answer, &said); err != nil {
			return nil, fmt.Errorf("%w in %.200s", err, answer)
		}
	}
	if said.Type != "" {
		return cbor.Encode(cbor.Map{"__type": cbor.String(said.Type), "message": cbor.String(said.Message)}), nil
	}
	last, out := len(said.MetricDataResults), cbor.Map{}
	if p.pageSize > 0 && first+p.pageSize < last {
		last = first + p.pageSize
		out["NextToken"] = cbor.String(strconv.Itoa(last))
	}
	results := cbor.List{}
	for _, r := range said.MetricDataResults[min(first, last):last] {
		times, values := cbor.List{}, cbor.List{}
		for i := range r.Timestamps {
			times = append(times, &cbor.Tag{ID: 1, Value: cbor.Float64(r.Timestamps[i])})
			values = append(values, cbor.Float64(r.Values[i]))
		}
		results = append(results, cbor.Map{"Id": cbor.String(r.ID), "Label": cbor.String(r.Label),
			"StatusCode": cbor.String(r.StatusCode), "Timestamps": times, "Values": values})
	}
	out["MetricDataResults"] = results
	return cbor.Encode(out), nil
}

// plainJSON is a request's CBOR as JSON has it.
func plainJSON(v cbor.Value) any {
	switch v := v.(type) {
	case cbor.Map:
		m := map[string]any{}
		for k, e := range v {
			m[k] = plainJSON(e)
		}
		return m
	case cbor.List:
		l := []any{}
		for _, e := range v {
			l = append(l, plainJSON(e))
		}
		return l
	case *cbor.Tag:
		return plainJSON(v.Value)
	case cbor.String:
		return string(v)
	case cbor.Uint:
		return uint64(v)
	case cbor.Float64:
		return float64(v)
	case cbor.Bool:
		return bool(v)
	}
	return nil
}

// TestMoto puts datapoints into moto and reads them through the collector: an implementation that others wrote agrees with what we ask and how
// we understand the answer.
func TestMoto(t *testing.T) {
	moto := startMoto(t)
	for _, pageSize := range []int{0, 4} {
		t.Run(fmt.Sprint("pages of ", pageSize), func(t *testing.T) {
			web := httptest.NewServer(translator{t, moto, pageSize})
			t.Cleanup(web.Close)
			t.Setenv("AWS_ENDPOINT_URL", web.URL)
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIDTEST")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			client, err := NewCloudWatchClient(t.Context(), "eu-west-1", "")
			if err != nil {
				t.Fatal(err)
			}
			db, host := fmt.Sprint("db-", pageSize), fmt.Sprint("i-", pageSize)
			cw := newCloudWatch(t, CloudWatchConfig{RDSInstances: []string{db, "silent"}, EC2Instances: []EC2Instance{{"apim", host}}, Period: time.Minute, Delay: 2 * time.Minute}, client)
			newest := cw.newestEnd().Add(-time.Minute)
			want := map[string]float64{"rds_total_iops{" + db + "}": 2*(10+1) + 2*(10+2) + 1}
			for i, m := range cloudWatchMetrics {
				id := map[string]string{awsRDS: db, awsEC2: host}[m.namespace]
				value := float64(10 + i)
				putMoto(t, moto, m, id, map[time.Time][]float64{
					newest.Add(-time.Minute): {1000},               // older
					newest:                   {value, 3*value + 1}, // two samples of the period: their average is asked for
					newest.Add(time.Minute):  {2000},               // not complete
				})
				name, _, _ := strings.Cut(strings.TrimPrefix(m.desc.String(), `Desc{fqName: "`), `"`)
				labels := map[string]string{awsRDS: db, awsEC2: host + ",apim"}[m.namespace]
				want[name+"{"+labels+"}"] = (2*value + .5) * m.scale
			}
			if cw.newestEnd().Add(-time.Minute) != newest {
				t.Skip("a minute ended meanwhile")
			}
			fresh, err := cw.poll(t.Context())
			if err != nil || !fresh {
				t.Fatalf("fresh %t, error %v", fresh, err)
			}
			metrics, err := cw.Collect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got := collectortest.Values(t, metrics)
			for name, v := range want {
				if math.Abs(got[name]-v) > 1e-9*v {
					t.Errorf("%s is %v, want %v", name, got[name], v)
				}
			}
			for name, v := range got {
				if strings.Contains(name, "silent") {
					t.Errorf("%s is %v for an instance that nobody measured", name, v)
				}
				if strings.Contains(name, "_datapoint_timestamp_seconds") && v != float64(newest.Unix()) {
					t.Errorf("%s is %v, want %v", name, v, newest.Unix())
				}
			}
			wantRequests := 1
			if pageSize > 0 {
				wantRequests = (len(cw.series) + pageSize - 1) / pageSize
			}
			if n := cw.requests.Load(); n != uint64(wantRequests) {
				t.Errorf("%d requests, want %d", n, wantRequests)
			}
		})
	}
}

// putMoto puts samples of one metric, of any times. It speaks to moto without the
// SDK: what is read back has then been written by somebody else.
func putMoto(t *testing.T, moto string, m cloudWatchMetric, id string, samples map[time.Time][]float64) {
	t.Helper()
	var data []map[string]any
	for at, all := range samples {
		for i, v := range all {
			data = append(data, map[string]any{
				"MetricName": m.aws, "Timestamp": at.Unix() + int64(1+i), "Value": v,
				"Dimensions": []map[string]string{{"Name": dimension[m.namespace], "Value": id}},
			})
		}
	}
	text, err := json.Marshal(map[string]any{"Namespace": m.namespace, "MetricData": data})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, moto, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	status, answer, err := motoAnswer(request, "PutMetricData", "AWS4-HMAC-SHA256 Credential=AKIDTEST/20261122/eu-west-1/monitoring/aws4_request, SignedHeaders=host, Signature=none")
	if err != nil || status != http.StatusOK {
		t.Fatalf("put %s: %d, %v: %s", m.aws, status, err, answer)
	}
}

// motoAnswer sends an operation to moto in its protocol. The region is part of
// the authorization.
func motoAnswer(request *http.Request, operation, authorization string) (status int, answer []byte, err error) {
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "GraniteServiceVersion20100801."+operation)
	request.Header.Set("Authorization", authorization)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }() // read to its end
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}
