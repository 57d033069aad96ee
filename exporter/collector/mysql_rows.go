package collector

import "github.com/prometheus/client_golang/prometheus"

// source is where a row's value comes from.
type source int

const (
	status   source = iota // SHOW GLOBAL STATUS
	variable               // SHOW GLOBAL VARIABLES
	innodb                 // information_schema.INNODB_METRICS, for accounts with PROCESS
)

// mysqlRow is one series: its family, its label value if the family has a
// label, and what the server calls it. Where the flavours keep the same thing
// in different places there is a row for each and the first with a value wins.
// A name of the form A-B is the difference of two values.
type mysqlRow struct {
	family *prometheus.Desc
	kind   prometheus.ValueType
	label  string
	from   source
	name   string
	scale  float64 // multiplies the server's value; 0 stands for 1
}

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue

	milliseconds = 1e-3 // seconds per unit of the server's value
)

func family(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	commands       = family("mysql_commands_total", "Statements executed by kind since the server started, failed ones and ours included.", "command")
	rowOperations  = family("mysql_innodb_row_operations_total", "InnoDB row operations on all tables since the server started.", "operation")
	bufferPages    = family("mysql_innodb_buffer_pool_pages", "Pages of the InnoDB buffer pool by state; dirty pages are data pages too.", "state")
	refused        = family("mysql_connection_errors_total", "Connections that failed for a reason of the server.", "error")
	rowLockWaits   = family("mysql_innodb_row_lock_waits_total", "Times a statement had to wait for an InnoDB row lock.")
	deadlocks      = family("mysql_innodb_deadlocks_total", "InnoDB deadlocks, each ended by rolling one transaction back.")
	historyList    = family("mysql_innodb_history_list_length", "Undo logs of transactions that wait to be purged.")
	checkpointAge  = family("mysql_innodb_checkpoint_age_bytes", "Bytes of redo log written since the last checkpoint.")
	rowLockCurrent = family("mysql_innodb_row_lock_current_waits", "Statements that wait for an InnoDB row lock now.")
)

// mysqlRows is the table of what the mysql collector exposes. To add a metric,
// add a row.
var mysqlRows = []mysqlRow{
	{family("mysql_uptime_seconds", "Seconds since the server started."), gauge, "", status, "Uptime", 0},
	{family("mysql_queries_total", "Statements executed since the server started, those inside stored programs and ours included."), counter, "", status, "Queries", 0},
	{family("mysql_slow_queries_total", "Statements that took longer than long_query_time."), counter, "", status, "Slow_queries", 0},
	{commands, counter, "select", status, "Com_select", 0},
	{commands, counter, "insert", status, "Com_insert", 0},
	{commands, counter, "insert_select", status, "Com_insert_select", 0},
	{commands, counter, "update", status, "Com_update", 0},
	{commands, counter, "delete", status, "Com_delete", 0},
	{commands, counter, "begin", status, "Com_begin", 0},
	{commands, counter, "commit", status, "Com_commit", 0},
	{commands, counter, "rollback", status, "Com_rollback", 0},
	{commands, counter, "stmt_prepare", status, "Com_stmt_prepare", 0},
	{commands, counter, "stmt_execute", status, "Com_stmt_execute", 0},

	{family("mysql_threads_connected", "Open connections."), gauge, "", status, "Threads_connected", 0},
	{family("mysql_threads_running", "Connections that execute a statement, ours included."), gauge, "", status, "Threads_running", 0},
	{family("mysql_threads_created_total", "Threads created to serve connections."), counter, "", status, "Threads_created", 0},
	{family("mysql_connections_max", "Most connections the server admits at a time."), gauge, "", variable, "max_connections", 0},
	{family("mysql_connections_peak", "Most connections open at a time since the server started."), gauge, "", status, "Max_used_connections", 0},
	{family("mysql_connections_total", "Attempts to connect since the server started, failed ones included."), counter, "", status, "Connections", 0},
	{family("mysql_aborted_connects_total", "Attempts to connect that failed."), counter, "", status, "Aborted_connects", 0},
	{family("mysql_aborted_clients_total", "Connections that ended without a good-bye."), counter, "", status, "Aborted_clients", 0},
	{refused, counter, "accept", status, "Connection_errors_accept", 0},
	{refused, counter, "internal", status, "Connection_errors_internal", 0},
	{refused, counter, "max_connections", status, "Connection_errors_max_connections", 0},
	{family("mysql_received_bytes_total", "Bytes received from clients."), counter, "", status, "Bytes_received", 0},
	{family("mysql_sent_bytes_total", "Bytes sent to clients."), counter, "", status, "Bytes_sent", 0},
	{family("mysql_temporary_tables_total", "Temporary tables that statements created, in memory or on disk."), counter, "", status, "Created_tmp_tables", 0},
	{family("mysql_temporary_disk_tables_total", "Temporary tables that statements created on disk."), counter, "", status, "Created_tmp_disk_tables", 0},

	{rowOperations, counter, "read", status, "Innodb_rows_read", 0},
	{rowOperations, counter, "insert", status, "Innodb_rows_inserted", 0},
	{rowOperations, counter, "update", status, "Innodb_rows_updated", 0},
	{rowOperations, counter, "delete", status, "Innodb_rows_deleted", 0},
	{family("mysql_innodb_data_reads_total", "Reads from InnoDB data files."), counter, "", status, "Innodb_data_reads", 0},
	{family("mysql_innodb_data_writes_total", "Writes to InnoDB data files and logs."), counter, "", status, "Innodb_data_writes", 0},
	{family("mysql_innodb_data_fsyncs_total", "Flushes of InnoDB data files and logs to disk."), counter, "", status, "Innodb_data_fsyncs", 0},
	{family("mysql_innodb_data_read_bytes_total", "Bytes read from InnoDB data files."), counter, "", status, "Innodb_data_read", 0},
	{family("mysql_innodb_data_written_bytes_total", "Bytes written to InnoDB data files and logs."), counter, "", status, "Innodb_data_written", 0},
	{family("mysql_innodb_log_write_requests_total", "Requests to write to the redo log."), counter, "", status, "Innodb_log_write_requests", 0},
	{family("mysql_innodb_log_writes_total", "Writes to the redo log file."), counter, "", status, "Innodb_log_writes", 0},
	{family("mysql_innodb_log_waits_total", "Times a statement waited because the log buffer was full."), counter, "", status, "Innodb_log_waits", 0},
	{family("mysql_innodb_log_written_bytes_total", "Bytes written to the redo log."), counter, "", status, "Innodb_os_log_written", 0},
	{family("mysql_innodb_log_fsyncs_total", "Flushes of the redo log to disk."), counter, "", status, "Innodb_os_log_fsyncs", 0},
	{rowLockWaits, counter, "", status, "Innodb_row_lock_waits", 0},
	{family("mysql_innodb_row_lock_wait_seconds_total", "Seconds spent waiting for InnoDB row locks."), counter, "", status, "Innodb_row_lock_time", milliseconds},
	{rowLockCurrent, gauge, "", status, "Innodb_row_lock_current_waits", 0},
	{deadlocks, counter, "", status, "Innodb_deadlocks", 0},
	{deadlocks, counter, "", innodb, "lock_deadlocks", 0},
	{historyList, gauge, "", status, "Innodb_history_list_length", 0},
	{historyList, gauge, "", innodb, "trx_rseg_history_len", 0},
	{checkpointAge, gauge, "", status, "Innodb_checkpoint_age", 0},
	{checkpointAge, gauge, "", status, "Innodb_redo_log_current_lsn-Innodb_redo_log_checkpoint_lsn", 0},
	{bufferPages, gauge, "data", status, "Innodb_buffer_pool_pages_data", 0},
	{bufferPages, gauge, "dirty", status, "Innodb_buffer_pool_pages_dirty", 0},
	{bufferPages, gauge, "free", status, "Innodb_buffer_pool_pages_free", 0},
	{bufferPages, gauge, "misc", status, "Innodb_buffer_pool_pages_misc", 0},
	{family("mysql_innodb_buffer_pool_read_requests_total", "Requests to read a page from the InnoDB buffer pool."), counter, "", status, "Innodb_buffer_pool_read_requests", 0},
	{family("mysql_innodb_buffer_pool_reads_total", "Requests that had to read the page from disk."), counter, "", status, "Innodb_buffer_pool_reads", 0},
	{family("mysql_innodb_buffer_pool_pages_flushed_total", "Pages flushed from the InnoDB buffer pool."), counter, "", status, "Innodb_buffer_pool_pages_flushed", 0},
	{family("mysql_innodb_buffer_pool_waits_total", "Times a statement waited for a free page of the buffer pool."), counter, "", status, "Innodb_buffer_pool_wait_free", 0},
	{family("mysql_innodb_page_size_bytes", "Bytes of an InnoDB page."), gauge, "", variable, "innodb_page_size", 0},
}
