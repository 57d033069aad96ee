package sourcetest

import (
	"fmt"
	"strings"
	"time"
)

// Study is what our exporter shows during a study of so many scrapes every
// 5 s, with CloudWatch points of one minute.
func Study(start time.Time, scrapes int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "start %s step 5s\n", start.Format(time.RFC3339))
	fmt.Fprintf(&b, "token_persistence_exporter_collector_success{collector=\"endpoint\",instance=\"e\"} 1x%d\n", scrapes)
	fmt.Fprintf(&b, "wso2_token_endpoint_requests_total{code=\"2xx\",endpoint=\"token\",instance=\"e\",method=\"POST\"} 0+2000x%d\n", scrapes)
	fmt.Fprintf(&b, "wso2_token_endpoint_requests_total{code=\"5xx\",endpoint=\"token\",instance=\"e\",method=\"POST\"} 0+3x%d\n", scrapes)
	fmt.Fprintf(&b, "mysql_innodb_data_read_bytes_total{instance=\"e\"} 0+16384x%d\n", scrapes)
	fmt.Fprintf(&b, "mysql_innodb_data_written_bytes_total{instance=\"e\"} 0+9000000x%d\n", scrapes)
	fmt.Fprintf(&b, "wso2_token_table_rows_estimated{instance=\"e\",table=\"IDN_OAUTH2_ACCESS_TOKEN\"} 1000000x%d\n", scrapes)
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
