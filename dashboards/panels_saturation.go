package main

// saturation finds the resource of the database that is at its limit.
func saturation() board {
	return board{
		name: "saturation", title: "Database saturation",
		question: "Which resource of the token database is at its limit: CPU, disk, locks, memory or connections?",
		lines: []line{
			{height: 4, panels: saturationTiles()},
			{section: "CPU and sessions", height: 8, panels: processorPanels()},
			{section: "Disk", height: 8, panels: diskPanels()},
			{height: 7, panels: creditPanels()},
			{section: "Locks and transactions", height: 8, panels: lockPanels()},
			{section: "Memory and redo log", height: 8, panels: memoryPanels()},
		},
	}
}

const cloudWatchNote = "CloudWatch, average of a period; it arrives minutes late."

func saturationTiles() []panel {
	tile := func(title, unit string, places int, expr string, need need, a about, limits ...string) panel {
		return panel{kind: stat, title: title, width: 3, unit: unit, digits: digits(places), need: need, about: a, limits: limits, queries: []query{{expr: expr}}}
	}
	return []panel{
		tile("CPU", unitShare, 0, "max("+ofRDS("rds_cpu_utilization_ratio")+")", needRDS,
			about{"Busiest instance.", cloudWatchNote, "past the lines in the graph below.", "see which statements take the time on Token Persistence / Overview."},
			"database_cpu_high", "database_cpu_saturated"),
		iopsTile(),
		tile("Write latency", unitSeconds, 1, "max("+ofRDS("rds_write_latency_seconds")+")", needRDS,
			about{"Mean time of a disk write. Every commit waits for one.", cloudWatchNote, "above the alert's limit while there are writes.", "look at IOPS, throughput and burst credits."},
			"database_disk_latency"),
		tile("Disk queue", unitCount, 0, "max("+ofRDS("rds_disk_queue_depth")+")", needRDS,
			about{"Disk operations that wait.", cloudWatchNote, "a queue that stays.", "as for write latency."}, "database_disk_queue"),
		tile("Connections", unitShare, 0, "max("+connectionShare()+")", needDatabase,
			about{"Open connections of max_connections.", "collector mysql.", "near 100 %: API Manager nodes are refused.", "add up the pools of all nodes (datasource maxActive); raise max_connections or lower the pools."},
			"database_connections"),
		tile("At work", unitCount, 0, "max(avg_over_time("+ofDatabase("mysql_threads_running")+"[$__rate_interval]))", needDatabase,
			about{"Sessions that execute a statement.", "collector mysql (Threads_running).", "far more than vCPUs.", "the graphs below say what they wait for."}, "database_threads_running"),
		tile("Lock waits", unitCount, 1, "max("+rate(ofDatabase("mysql_innodb_row_lock_wait_seconds_total"))+")", needDatabase,
			about{"Seconds waited for row locks per second: sessions that wait on average.", "collector mysql.", "whole sessions.", "see locks and transactions below."}, "database_row_lock_waits"),
		tile("Pool misses", unitShare, 2, "max("+poolMisses()+")", needDatabase,
			about{"Page reads that had to go to disk.", "collector mysql.", "above the alert's limit with many reads.", "a larger buffer pool, or smaller token tables."}, "database_buffer_pool_misses"),
	}
}

// iopsTile shows operations, and where the limit is known, how near it is.
func iopsTile() panel {
	return panel{
		kind: stat, title: "IOPS", width: 3, unit: "locale", digits: digits(0), named: true, need: needRDS,
		about: about{"Disk operations per second, and their share of what the storage allows.", cloudWatchNote + " The limit is what --cloudwatch.rds-iops-limit says; not given, no share.",
			"near 100 %: commits wait.", "more IOPS, or fewer writes per token."},
		queries: []query{
			{expr: "max(" + ofRDS("rds_total_iops") + ")", legend: "now"},
			{expr: "max(" + ofRDS("rds_total_iops") + " / " + ofRDS("rds_iops_limit") + ")", legend: "of limit"},
		},
		apart: []apart{{"of limit", unitShare, []string{"database_iops_high", "database_iops_saturated"}}},
	}
}

// poolMisses is defined for an idle pool too: nothing missed.
func poolMisses() string {
	return rate(ofDatabase("mysql_innodb_buffer_pool_reads_total")) + " / clamp_min(" + rate(ofDatabase("mysql_innodb_buffer_pool_read_requests_total")) + ", 1e-9)"
}

func processorPanels() []panel {
	return []panel{
		{
			kind: graph, title: "Is the processor the limit?", width: 8, unit: unitShare, share: true, limits: []string{"database_cpu_high", "database_cpu_saturated"}, need: needRDS,
			about:   about{"Share of the instance's vCPUs in use; the lines are the alerts' limits.", cloudWatchNote, "above the lines for minutes.", "switch persistence off if the tax is large, or give the database more vCPUs."},
			queries: []query{{expr: ofRDS("rds_cpu_utilization_ratio"), legend: "{{db_instance}}"}},
			colours: []colour{shadesOf("/.*/", colourDatabase)}, sums: []string{"mean", "max"},
		},
		{
			kind: graph, title: "How many statements run at once?", width: 8, unit: unitCount, limits: []string{"database_threads_running"}, need: needDatabase,
			about:   about{"Sessions that execute a statement, the exporter's own included; the line is the alert's limit.", "collector mysql (Threads_running).", "above the line: they wait for CPU, locks or disk.", "compare with the graphs beside and below."},
			queries: []query{{expr: "avg_over_time(" + ofDatabase("mysql_threads_running") + "[$__rate_interval])", legend: "{{instance}}"}},
			colours: []colour{shadesOf("/.*/", colourDatabase)}, sums: []string{"mean", "max"},
		},
		{
			kind: graph, title: "How many connections are open, of how many?", width: 8, unit: unitCount, need: needDatabase,
			about: about{"Open connections against max_connections.", "collector mysql.", "a curve that climbs to the limit: connections leak or the pools are larger than the server allows.", "add up maxActive of all nodes' datasources."},
			queries: []query{
				{expr: ofDatabase("mysql_threads_connected"), legend: "open {{instance}}"},
				{expr: ofDatabase("mysql_connections_max"), legend: limitSeries + " {{instance}}"},
			},
			colours: []colour{shadesOf("/^open.*/", colourDatabase)}, sums: []string{"mean", "max"},
		},
	}
}

func diskPanels() []panel {
	return []panel{
		{
			kind: graph, title: "How many disk operations, of how many?", width: 8, stacked: true, unit: unitCount, axis: "operations/s", need: needRDS,
			about: about{"Reads and writes per second; the red line is what the storage allows.", cloudWatchNote + " The limit is what --cloudwatch.rds-iops-limit says; not given, no line.", "at the line: commits wait.", "more IOPS, or fewer writes per token."},
			queries: []query{
				{expr: ofRDS("rds_read_iops"), legend: "read {{db_instance}}"},
				{expr: ofRDS("rds_write_iops"), legend: "write {{db_instance}}"},
				{expr: ofRDS("rds_iops_limit"), legend: limitSeries + " {{db_instance}}"},
			},
			colours: diskColours(), sums: []string{"mean", "max"},
		},
		{
			kind: graph, title: "How many bytes to and from disk?", width: 8, unit: unitThrough, need: needRDS,
			about: about{"Bytes per second.", cloudWatchNote, "a plateau: the instance's or the volume's throughput limit.", "look up both limits for the instance class; the smaller one counts."},
			queries: []query{
				{expr: ofRDS("rds_read_throughput_bytes_per_second"), legend: "read {{db_instance}}"},
				{expr: ofRDS("rds_write_throughput_bytes_per_second"), legend: "write {{db_instance}}"},
			},
			colours: diskColours(), sums: []string{"mean", "max"},
		},
		{
			kind: graph, title: "How long does a disk operation take?", width: 8, unit: unitSeconds, limits: []string{"database_disk_latency"}, need: needRDS,
			about: about{"Mean time of a read and of a write; the line is the alert's limit.", cloudWatchNote, "above the line while there are operations.", "a volume at its limits, or out of burst credits."},
			queries: []query{
				{expr: ofRDS("rds_read_latency_seconds"), legend: "read {{db_instance}}"},
				{expr: ofRDS("rds_write_latency_seconds"), legend: "write {{db_instance}}"},
			},
			colours: diskColours(), sums: []string{"mean", "max"},
		},
	}
}

func diskColours() []colour {
	return []colour{shadesOf("/^read.*/", colourDBPale), shadesOf("/^write.*/", colourDatabase)}
}

func creditPanels() []panel {
	instant := func(metric string) query { return query{expr: "max by (db_instance) (" + ofRDS(metric) + ")"} }
	return []panel{
		{
			kind: graph, title: "How many disk operations wait?", width: 8, unit: unitCount, limits: []string{"database_disk_queue"}, need: needRDS,
			about:   about{"Mean length of the disk's queue; the line is the alert's limit.", cloudWatchNote, "a queue that stays.", "as for latency."},
			queries: []query{{expr: ofRDS("rds_disk_queue_depth"), legend: "{{db_instance}}"}},
			colours: []colour{shadesOf("/.*/", colourDatabase)}, sums: []string{"mean", "max"},
		},
		{
			kind: table, title: "Which instances have burst credits, and how busy are they?", width: 16, need: needRDS,
			about: about{"Credits left of those that small instance classes and gp2 volumes burst with; sessions that were active, from Performance Insights.",
				"CloudWatch. A dash: AWS does not publish it for the instance's storage, class or Performance Insights setting.", "credits that fall towards 0 %: then the baseline holds.", "a larger class or gp3; less I/O per token."},
			queries: []query{
				instant("rds_cpu_utilization_ratio"), instant("rds_burst_balance_ratio"), instant("rds_ebs_io_balance_ratio"), instant("rds_ebs_byte_balance_ratio"),
				instant("rds_db_load_sessions"), instant("rds_db_load_cpu_sessions"), instant("rds_db_load_non_cpu_sessions"),
			},
			columns: []column{
				{field: "db_instance", heading: "RDS instance"},
				{field: "Value #A", heading: "CPU", unit: unitShare, digits: digits(0), width: 70}, {field: "Value #B", heading: "gp2 credits", unit: unitShare, width: 100},
				{field: "Value #C", heading: "EBS I/O credits", unit: unitShare, width: 120}, {field: "Value #D", heading: "EBS byte credits", unit: unitShare, width: 130},
				{field: "Value #E", heading: "active sessions", unit: unitCount, width: 120},
				{field: "Value #F", heading: "on CPU", unit: unitCount, width: 80}, {field: "Value #G", heading: "waiting", unit: unitCount, width: 80},
			},
		},
	}
}

func lockPanels() []panel {
	return []panel{
		{
			kind: graph, title: "How many sessions wait for row locks?", width: 8, unit: unitCount, limits: []string{"database_row_lock_waits"}, need: needDatabase,
			about: about{"Seconds waited per second, which is sessions waiting on average, and statements that wait at the moment of the scrape.", "collector mysql.", "above the line.", "many tokens of one application, user and scope at a time lock the same rows."},
			queries: []query{
				{expr: rate(ofDatabase("mysql_innodb_row_lock_wait_seconds_total")), legend: "waiting on average {{instance}}"},
				{expr: ofDatabase("mysql_innodb_row_lock_current_waits"), legend: "waiting now {{instance}}"},
			},
			colours: []colour{shadesOf("/^waiting on average.*/", colourDatabase), shadesOf("/^waiting now.*/", colourDBPale)}, sums: []string{"mean", "max"},
		},
		{
			kind: graph, title: "How many deadlocks?", width: 8, unit: unitEach, need: needProcess,
			about: about{"Transactions rolled back to end a deadlock, and times per second that a statement had to wait for a row lock.",
				"collector mysql; deadlocks on MySQL need the PROCESS privilege.", "any that repeat.", "SHOW ENGINE INNODB STATUS has the last one."},
			queries: []query{
				{expr: rate(ofDatabase("mysql_innodb_deadlocks_total")), legend: "deadlocks {{instance}}"},
				{expr: rate(ofDatabase("mysql_innodb_row_lock_waits_total")), legend: "lock waits {{instance}}"},
			},
			colours: []colour{shadesOf("/^deadlocks.*/", colourCritical), shadesOf("/^lock waits.*/", colourDBPale)}, sums: []string{"mean", "max"},
		},
		{
			kind: graph, title: "How much does purge lag behind?", width: 8, unit: unitCount, limits: []string{"database_history_list"}, far: true, need: needProcess,
			about: about{"Undo logs that wait to be purged (history list length); the line is the alert's limit.",
				"collector mysql; on MySQL it needs the PROCESS privilege.", "a list that grows and never falls.", "find the oldest transaction: information_schema.INNODB_TRX."},
			queries: []query{{expr: ofDatabase("mysql_innodb_history_list_length"), legend: "{{instance}}"}},
			colours: []colour{shadesOf("/.*/", colourDatabase)}, sums: []string{"mean", "max"},
		},
	}
}

func memoryPanels() []panel {
	return []panel{
		{
			kind: graph, title: "How often does a page read go to disk?", width: 8, unit: unitShare, limits: []string{"database_buffer_pool_misses"}, need: needDatabase,
			about:   about{"Share of the buffer pool's page reads that went to disk; the line is the alert's limit.", "collector mysql.", "above the line with many reads.", "a larger buffer pool, or smaller token tables: see their size on Token Persistence / Token tables."},
			queries: []query{{expr: poolMisses(), legend: "{{instance}}"}},
			colours: []colour{shadesOf("/.*/", colourDatabase)}, sums: []string{"mean", "max"},
		},
		{
			kind: graph, title: "How much redo log is written?", width: 6, unit: unitThrough, need: needDatabase,
			about:   about{"Bytes per second to the redo log: the volume of changes.", "collector mysql.", "a rise at the same traffic: larger rows or more indexes.", "compare redo per token with persistence on and off."},
			queries: []query{{expr: rate(ofDatabase("mysql_innodb_log_written_bytes_total")), legend: "{{instance}}"}},
			colours: []colour{shadesOf("/.*/", colourDatabase)}, sums: []string{"mean", "max"},
		},
		{
			kind: graph, title: "Do writes wait for the log?", width: 5, unit: unitEach, limits: []string{"database_log_waits"}, need: needDatabase,
			about:   about{"Times per second that a statement waited because the log buffer was full; the line is the alert's limit.", "collector mysql (Innodb_log_waits).", "above the line.", "a larger innodb_log_buffer_size."},
			queries: []query{{expr: rate(ofDatabase("mysql_innodb_log_waits_total")), legend: "{{instance}}"}},
			colours: []colour{shadesOf("/.*/", colourDatabase)}, sums: []string{"max"},
		},
		{
			kind: graph, title: "What memory and disk is left?", width: 5, unit: unitBytes, need: needRDS,
			about: about{"Memory that can be given away, and free storage.", cloudWatchNote, "storage below 5 GiB; memory that falls while swap grows.", "grow the volume; a larger class; smaller buffer pool."},
			queries: []query{
				{expr: ofRDS("rds_freeable_memory_bytes"), legend: "memory {{db_instance}}"},
				{expr: ofRDS("rds_free_storage_bytes"), legend: "storage {{db_instance}}"},
				{expr: ofRDS("rds_swap_usage_bytes"), legend: "swap in use {{db_instance}}"},
			},
			colours: []colour{shadesOf("/^memory.*/", colourDatabase), shadesOf("/^storage.*/", colourDBDark), shadesOf("/^swap.*/", colourDBPale)},
		},
	}
}
