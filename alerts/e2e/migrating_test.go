package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/programtest"
	"github.com/tokenpersistence/toolkit/internal/promtest"
)

// sources are the series that the rules for a history of others read.
func sources(t *testing.T, prefix string) []string {
	t.Helper()
	var out []string
	for _, r := range promtest.ReadRules(t, filepath.Join("..", "migrating")) {
		out = append(out, regexp.MustCompile(`\b`+prefix+`[a-z_]+`).FindAllString(r.Expr, -1)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// exposed reads what an exporter shows at an address.
func exposed(address string) (map[string]*dto.MetricFamily, error) {
	body, err := programtest.Get("http://" + address + "/metrics")
	if err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(bytes.NewReader(body))
}

// showing waits until an exporter has every one of the names, and returns them.
func showing(t *testing.T, address string, names []string) map[string]*dto.MetricFamily {
	t.Helper()
	var found map[string]*dto.MetricFamily
	programtest.Eventually(t, "every series that the rules read", time.Minute, func() error {
		var err error
		if found, err = exposed(address); err != nil {
			return err
		}
		var missing []string
		for _, name := range names {
			if found[name] == nil {
				missing = append(missing, name)
			}
		}
		if len(missing) > 0 {
			return fmt.Errorf("%v are not there", missing)
		}
		return nil
	})
	return found
}

// TestMysqldExporterNames holds the rules against Debian's mysqld_exporter on a
// real server.
func TestMysqldExporterNames(t *testing.T) {
	path := filepath.Join(programsIn(t, "TOKEN_PERSISTENCE_MYSQLD_EXPORTER"), "prometheus-mysqld-exporter")
	server := mysqltest.Run(t, mysqltest.Config{})
	listen := programtest.FreeAddress(t)
	cmd := exec.Command(path, "--web.listen-address="+listen)
	cmd.Env = append(os.Environ(), "DATA_SOURCE_NAME="+server.DSN(""))
	programtest.Launch(t, nil, cmd)
	showing(t, listen, sources(t, "mysql_global"))
}

// yaceConfig asks for every metric of a database by its identifier.
const yaceConfig = `apiVersion: v1alpha1
sts-region: eu-west-1
static:
  - name: apim-db
    namespace: AWS/RDS
    regions: [eu-west-1]
    dimensions: [{name: DBInstanceIdentifier, value: apim-db}]
    metrics:
`

// TestYACENames holds the rules and docs/migrating.md against the real YACE, which
// reads moto: names and labels, CloudWatch's time, and the mean that a static job
// makes of several periods.
func TestYACENames(t *testing.T) {
	yace := filepath.Join(programsIn(t, "TOKEN_PERSISTENCE_STORES"), "yace")
	moto := programtest.FreeAddress(t)
	cmd := exec.Command(programsIn(t, "TOKEN_PERSISTENCE_MOTO")+"/run", "-H", "127.0.0.1", "-p", strings.TrimPrefix(moto, "127.0.0.1:"))
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=x", "PYTHONDONTWRITEBYTECODE=1")
	programtest.Launch(t, nil, cmd)
	programtest.Eventually(t, "moto answers", time.Minute, func() error {
		_, err := programtest.Get("http://" + moto + "/moto-api/data.json")
		return err
	})
	config := yaceConfig
	newest := time.Now().Truncate(time.Minute).Add(-time.Minute)
	for _, metric := range []string{
		"CPUUtilization", "ReadIOPS", "WriteIOPS", "ReadLatency", "WriteLatency", "DiskQueueDepth", "ReadThroughput", "WriteThroughput",
		"FreeableMemory", "FreeStorageSpace", "SwapUsage", "DatabaseConnections", "BurstBalance",
	} {
		putRDS(t, moto, metric, newest)
		config += fmt.Sprintf("      - {name: %s, statistics: [Average], period: 60, length: 300, addCloudwatchTimestamp: %t}\n", metric, metric != "SwapUsage")
	}
	listen := programtest.FreeAddress(t)
	run := exec.Command(yace, "--listen-address", listen, "--scraping-interval", "1", "--enable-feature", "aws-sdk-v2",
		"--config.file", writeFile(t, filepath.Join(t.TempDir(), "yace.yml"), config))
	run.Env = append(os.Environ(), "AWS_ENDPOINT_URL=http://"+moto, "AWS_ACCESS_KEY_ID=AKIDTEST", "AWS_SECRET_ACCESS_KEY=x", "AWS_REGION=eu-west-1", "AWS_EC2_METADATA_DISABLED=true")
	programtest.Launch(t, nil, run)
	found := showing(t, listen, sources(t, "aws_rds"))
	cpu := found["aws_rds_cpuutilization_average"].Metric[0]
	labels := map[string]string{}
	for _, l := range cpu.Label {
		labels[l.GetName()] = l.GetValue()
	}
	if labels["dimension_DBInstanceIdentifier"] != "apim-db" || labels["name"] == "" || labels["region"] != "eu-west-1" {
		t.Errorf("labels %v", labels)
	}
	if at := time.UnixMilli(cpu.GetTimestampMs()); at.Truncate(time.Minute) != newest {
		t.Errorf("the sample is about %v, want the newest period, %v", at, newest)
	}
	if swap := found["aws_rds_swap_usage_average"].Metric[0]; swap.TimestampMs != nil {
		t.Errorf("without addCloudwatchTimestamp a sample has the time %d", swap.GetTimestampMs())
	}
	// The periods before the newest had 43, 44 …: the newest alone is 42.
	if v := cpu.GetGauge().GetValue(); v <= 42 {
		t.Errorf("a static job shows %v, want a mean over its length", v)
	}
}

// putRDS puts eight periods of a metric into moto, the newest of value 42.
func putRDS(t *testing.T, moto, metric string, newest time.Time) {
	t.Helper()
	var data []map[string]any
	for i := range 8 {
		data = append(data, map[string]any{
			"MetricName": metric, "Timestamp": newest.Unix() - int64(60*i), "Value": 42 + i,
			"Dimensions": []map[string]string{{"Name": "DBInstanceIdentifier", "Value": "apim-db"}},
		})
	}
	text, err := json.Marshal(map[string]any{"Namespace": "AWS/RDS", "MetricData": data})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+moto+"/", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "GraniteServiceVersion20100801.PutMetricData")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDTEST/20261122/eu-west-1/monitoring/aws4_request, SignedHeaders=host, Signature=none")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("put %s: %s", metric, answer.Status)
	}
}
