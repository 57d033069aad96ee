package source

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source/sourcetest"
)

// BenchmarkPrometheus18 reads a whole study over HTTP: 18 windows of 15 minutes
// with a scrape every 5 s, all series of the exporter's profile; from the engine
// in this process, and from a Prometheus server where one is installed.
func BenchmarkPrometheus18(b *testing.B) {
	spec := recordedSpec()
	spec.Matchers = nil
	start := spec.Windows[0].Start
	spec.Windows = nil
	for i := range 18 {
		from := start.Add(time.Duration(i) * 20 * time.Minute)
		spec.Windows = append(spec.Windows, Window{Grant: "password", Mode: []Mode{On, Off}[i%2], Block: i/2 + 1, Start: from, End: from.Add(15 * time.Minute)})
	}
	series, err := sourcetest.Parse(studyText(start, 18*20*12+240))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("engine", func(b *testing.B) {
		s, err := sourcetest.NewServer(b.TempDir(), series)
		if err != nil {
			b.Fatal(err)
		}
		server := httptest.NewServer(s)
		defer func() {
			server.Close()
			if err := s.Close(); err != nil {
				b.Error(err)
			}
		}()
		readStudy(b, spec, server.URL)
	})
	b.Run("server", func(b *testing.B) { readStudy(b, spec, realPrometheus(b, series)) })
}

func readStudy(b *testing.B, spec Spec, url string) {
	spec.Kind, spec.URL = "prometheus", url
	samples := 0
	for b.Loop() {
		d, err := Read(b.Context(), spec)
		if err != nil {
			b.Fatal(err)
		}
		samples = 0
		for _, in := range d.Inputs {
			samples += in.Count
		}
		for _, run := range d.Runs {
			if len(run.Series) != len(seriesNames) {
				b.Fatalf("%d series, want %d: %+v", len(run.Series), len(seriesNames), d.Problems)
			}
		}
	}
	b.ReportMetric(float64(samples), "samples")
	b.ReportMetric(float64(samples)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
}

// studyText is what our exporter shows during a study of so many scrapes every
// 5 s, with CloudWatch points of one minute.
func studyText(start time.Time, scrapes int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "start %s step 5s\n", start.Format(time.RFC3339))
	fmt.Fprintf(&b, "token_persistence_exporter_collector_success{collector=\"endpoint\",instance=\"e\"} 1x%d\n", scrapes)
	fmt.Fprintf(&b, "wso2_token_endpoint_requests_total{code=\"2xx\",endpoint=\"token\",instance=\"e\",method=\"POST\"} 0+2000x%d\n", scrapes)
	fmt.Fprintf(&b, "wso2_token_endpoint_requests_total{code=\"5xx\",endpoint=\"token\",instance=\"e\",method=\"POST\"} 0+3x%d\n", scrapes)
	for _, gauge := range []struct{ value, stamp string }{
		{`ec2_cpu_utilization_ratio{ec2_instance="i-1",role="apim"}`, `ec2_datapoint_timestamp_seconds{ec2_instance="i-1",metric="CPUUtilization",role="apim"}`},
		{`ec2_cpu_utilization_ratio{ec2_instance="i-2",role="jmeter"}`, `ec2_datapoint_timestamp_seconds{ec2_instance="i-2",metric="CPUUtilization",role="jmeter"}`},
		{`rds_cpu_utilization_ratio{db_instance="db"}`, `rds_datapoint_timestamp_seconds{db_instance="db",metric="CPUUtilization"}`},
		{`rds_total_iops{db_instance="db"}`, `rds_datapoint_timestamp_seconds{db_instance="db",metric="TotalIOPS"}`},
	} {
		b.WriteString(gauge.value)
		for i := range scrapes / 12 {
			fmt.Fprintf(&b, " %gx11", 0.5+float64(i%7)/100)
		}
		b.WriteString("\n" + gauge.stamp)
		for i := range scrapes / 12 {
			fmt.Fprintf(&b, " %dx11", start.Unix()+int64(60*(i-2)))
		}
		b.WriteString("\n")
	}
	return b.String()
}
