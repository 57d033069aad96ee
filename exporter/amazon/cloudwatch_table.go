package amazon

import "github.com/prometheus/client_golang/prometheus"

// The namespaces that CloudWatch metrics come from.
const (
	awsRDS = "AWS/RDS"
	awsEC2 = "AWS/EC2"
)

// dimension is the name by which a namespace knows an instance.
var dimension = map[string]string{awsRDS: "DBInstanceIdentifier", awsEC2: "InstanceId"}

// instanceLabels are the labels of a namespace's metrics.
var instanceLabels = map[string][]string{awsRDS: {"db_instance"}, awsEC2: {"role", "ec2_instance"}}

// cloudWatchMetric is one metric we ask CloudWatch for.
type cloudWatchMetric struct {
	namespace string
	aws       string // CloudWatch's name
	stat      string
	scale     float64 // from CloudWatch's unit to ours
	desc      *prometheus.Desc
}

const percent = 0.01 // of a ratio

// cloudWatchMetrics is every metric we ask for, in the order of the design:
// processor, storage operations, their latency and throughput, connections,
// memory and storage, burst budgets, database load. Each row is billed once per
// instance and period. Sources: "Amazon CloudWatch metrics for Amazon RDS" and
// "CloudWatch metrics that are available for your instances".
var cloudWatchMetrics = []cloudWatchMetric{
	rds("CPUUtilization", percent, "rds_cpu_utilization_ratio", "Share of the instance's vCPUs in use, 0 to 1, average of the datapoint's period."),
	rds("ReadIOPS", 1, "rds_read_iops", "Disk reads per second, average of the datapoint's period."),
	rds("WriteIOPS", 1, "rds_write_iops", "Disk writes per second, average of the datapoint's period."),
	rds("ReadLatency", 1, "rds_read_latency_seconds", "Average time of a disk read."),
	rds("WriteLatency", 1, "rds_write_latency_seconds", "Average time of a disk write."),
	rds("ReadThroughput", 1, "rds_read_throughput_bytes_per_second", "Bytes read from disk per second."),
	rds("WriteThroughput", 1, "rds_write_throughput_bytes_per_second", "Bytes written to disk per second."),
	rds("DiskQueueDepth", 1, "rds_disk_queue_depth", "Disk operations waiting, average of the datapoint's period."),
	rds("DatabaseConnections", 1, "rds_database_connections", "Client connections to the instance."),
	rds("FreeableMemory", 1, "rds_freeable_memory_bytes", "Memory that is free or can be freed."),
	rds("SwapUsage", 1, "rds_swap_usage_bytes", "Swap space in use."),
	rds("FreeStorageSpace", 1, "rds_free_storage_bytes", "Storage that is free."),
	rds("BurstBalance", percent, "rds_burst_balance_ratio", "Share of gp2 burst credits left, 0 to 1; absent for other storage."),
	rds("EBSIOBalance%", percent, "rds_ebs_io_balance_ratio", "Share of the instance's EBS operation credits left, 0 to 1; absent for instance classes without bursting."),
	rds("EBSByteBalance%", percent, "rds_ebs_byte_balance_ratio", "Share of the instance's EBS throughput credits left, 0 to 1; absent for instance classes without bursting."),
	rds("DBLoad", 1, "rds_db_load_sessions", "Average active sessions; absent without Performance Insights."),
	rds("DBLoadCPU", 1, "rds_db_load_cpu_sessions", "Average active sessions that were on a CPU or waited for one; absent without Performance Insights."),
	rds("DBLoadNonCPU", 1, "rds_db_load_non_cpu_sessions", "Average active sessions that waited for anything but a CPU; absent without Performance Insights."),
	{awsEC2, "CPUUtilization", "Average", percent, prometheus.NewDesc("ec2_cpu_utilization_ratio",
		"Share of the host's vCPUs in use, 0 to 1, average of the datapoint's period.", instanceLabels[awsEC2], nil)},
}

func rds(aws string, scale float64, name, help string) cloudWatchMetric {
	return cloudWatchMetric{awsRDS, aws, "Average", scale, prometheus.NewDesc(name, help, instanceLabels[awsRDS], nil)}
}

// totalIOPS is computed, not asked for: reads plus writes of one period.
const totalIOPS = "TotalIOPS"

var totalIOPSDesc = prometheus.NewDesc("rds_total_iops",
	"Disk reads and writes per second, both from the same datapoint period.", instanceLabels[awsRDS], nil)

// iopsLimitDesc is told, not asked for: CloudWatch does not know it.
var iopsLimitDesc = prometheus.NewDesc("rds_iops_limit",
	"Disk operations per second that the instance's storage allows, as given with --cloudwatch.rds-iops-limit; absent without it.", instanceLabels[awsRDS], nil)

// datapointDescs are the times of the values, per namespace. A value is a fact
// about its period, not about the scrape that carried it.
var datapointDescs = map[string]*prometheus.Desc{
	awsRDS: prometheus.NewDesc("rds_datapoint_timestamp_seconds",
		"Start of the period that the value shown for this CloudWatch metric covers, Unix time.", append(instanceLabels[awsRDS][:1:1], "metric"), nil),
	awsEC2: prometheus.NewDesc("ec2_datapoint_timestamp_seconds",
		"Start of the period that the value shown for this CloudWatch metric covers, Unix time.", append(instanceLabels[awsEC2][:2:2], "metric"), nil),
}

var (
	cloudWatchRequestsDesc = prometheus.NewDesc("token_persistence_exporter_cloudwatch_requests_total",
		"GetMetricData requests made, every page counted.", nil, nil)
	cloudWatchBilledDesc = prometheus.NewDesc("token_persistence_exporter_cloudwatch_metrics_requested_total",
		"Metrics asked for in GetMetricData requests; AWS bills by this number.", nil, nil)
	cloudWatchAttemptsDesc = prometheus.NewDesc("token_persistence_exporter_cloudwatch_http_attempts_total",
		"HTTP requests sent to CloudWatch, the SDK's retries included.", nil, nil)
	cloudWatchSkewDesc = prometheus.NewDesc("token_persistence_exporter_cloudwatch_clock_skew_seconds",
		"Seconds by which AWS's clock was ahead of this host's at CloudWatch's last answer, to about a second. Periods are asked for by AWS's clock when they differ by more than 5 seconds. Absent before the first answer.", nil, nil)
)

// Metrics is how many metrics one request set asks for and AWS bills.
func (cfg CloudWatchConfig) Metrics() int {
	n := 0
	for _, m := range cloudWatchMetrics {
		if m.namespace == awsRDS {
			n += len(cfg.RDSInstances)
		} else {
			n += len(cfg.EC2Instances)
		}
	}
	return n
}
