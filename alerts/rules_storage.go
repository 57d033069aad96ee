package main

import (
	"slices"
	"strings"

	"github.com/tokenpersistence/toolkit/internal/thresholds"
)

// storageAlerts are about the volume below the database, as CloudWatch sees it:
// see databaseAlerts for what that means.
func storageAlerts() group {
	return group{name: "storage", alerts: slices.Concat(diskAlerts(), spaceAlerts())}
}

func diskAlerts() []alert {
	return []alert{
		// Both fire only where --cloudwatch.rds-iops-limit says what the storage allows.
		{
			name: "TokenPersistenceDatabaseIOPSSaturated", severity: thresholds.Critical, wait: "5m", keep: "5m", dashboard: "saturation",
			expr: `
				avg_over_time(token_persistence:instance:database_iops:ratio[10m]) > <database_iops_saturated>
					and token_persistence:instance:database_iops:ratio`,
			summary:     "The token database's storage is at its IOPS limit.",
			description: "{{ $labels.db_instance }} did {{ $value | humanizePercentage }} of the IOPS it is allowed over 10 minutes (limit <database_iops_saturated>): commits wait.",
		},
		{
			name: "TokenPersistenceDatabaseIOPSHigh", severity: thresholds.Warning, wait: "30m", keep: "15m", dashboard: "saturation",
			expr: `
				avg_over_time(token_persistence:instance:database_iops:ratio[1h]) > <database_iops_high>
					and token_persistence:instance:database_iops:ratio`,
			summary:     "The token database's storage is near its IOPS limit.",
			description: "{{ $labels.db_instance }} did {{ $value | humanizePercentage }} of the IOPS it is allowed over an hour (limit <database_iops_high>).",
		},
		{
			name: "TokenPersistenceDatabaseDiskSlow", severity: thresholds.Warning, wait: "15m", keep: "10m", dashboard: "saturation",
			expr: `
				rds_write_latency_seconds > <database_disk_latency> and rds_write_iops > <database_disk_iops_guard>
					or rds_read_latency_seconds > <database_disk_latency> and rds_read_iops > <database_disk_iops_guard>`,
			summary:     "The token database's storage is slow.",
			description: "An operation on the disk of {{ $labels.db_instance }} takes {{ $value | humanizeDuration }} (limit <database_disk_latency>).",
		},
		{
			name: "TokenPersistenceDatabaseDiskQueue", severity: thresholds.Warning, wait: "15m", keep: "10m", dashboard: "saturation",
			expr:        `rds_disk_queue_depth > <database_disk_queue>`,
			summary:     "Operations queue at the token database's storage.",
			description: "{{ $value | humanize }} operations wait for the disk of {{ $labels.db_instance }} (limit <database_disk_queue>).",
		},
		{
			name: "TokenPersistenceDatabaseIOCreditsLow", severity: thresholds.Warning, wait: "10m", keep: "10m", dashboard: "saturation",
			expr:        credits("CREDITS < <database_io_credits>"),
			summary:     "The token database's I/O burst credits are nearly used up.",
			description: "{{ $labels.db_instance }} has {{ $value | humanizePercentage }} of its {{ $labels.credit }} left (limit <database_io_credits>). At 0 it falls to its baseline.",
		},
		{
			name: "TokenPersistenceDatabaseIOCreditsDraining", severity: thresholds.Warning, wait: "20m", keep: "20m", dashboard: "saturation",
			expr:        credits("predict_linear(CREDITS[1h], 4 * 3600) < 0 and CREDITS < <database_io_credits_draining>"),
			summary:     "The token database's I/O burst credits will end within four hours.",
			description: "At the pace of the last hour {{ $labels.db_instance }} will have used up its {{ $labels.credit }} in less than 4 hours.",
		},
	}
}

// credits asks a question about each of the burst budgets that an instance may
// have; it has none of them, or one or two.
func credits(condition string) string {
	var parts []string
	for _, of := range []struct{ metric, name string }{
		{"rds_burst_balance_ratio", "gp2 burst credits"},
		{"rds_ebs_io_balance_ratio", "EBS operation credits"},
		{"rds_ebs_byte_balance_ratio", "EBS throughput credits"},
	} {
		parts = append(parts, `label_replace(`+strings.ReplaceAll(condition, "CREDITS", of.metric)+`, "credit", "`+of.name+`", "", "")`)
	}
	return strings.Join(parts, "\n\tor ")
}

func spaceAlerts() []alert {
	return []alert{
		{
			name: "TokenPersistenceDatabaseStorageLow", severity: thresholds.Critical, wait: "10m", keep: "15m", dashboard: "saturation",
			expr:        `rds_free_storage_bytes < <database_storage_free>`,
			summary:     "The token database is almost out of storage.",
			description: "{{ $labels.db_instance }} has {{ $value | humanize1024 }}B of storage left (limit <database_storage_free>).",
		},
		// Six hours of data, or the slope of the first minutes would decide.
		{
			name: "TokenPersistenceDatabaseStorageFilling", severity: thresholds.Warning, wait: "1h", keep: "1h", dashboard: "saturation",
			expr: `
				predict_linear(rds_free_storage_bytes[6h], <database_storage_horizon>) < 0
					and rds_free_storage_bytes offset 6h`,
			summary:     "The token database will run out of storage within days.",
			description: "At the pace of the last 6 hours the storage of {{ $labels.db_instance }} is full in less than 4 days.",
		},
	}
}
