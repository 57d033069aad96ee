package collector

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// One pass over the summary: a row per token table, and NULL for all others,
// so that the server's totals come from the same reading.
const tableIOQuery = `SELECT CASE WHEN OBJECT_SCHEMA = ? AND OBJECT_NAME IN (%s) THEN OBJECT_NAME END AS token_table,
 SUM(COUNT_FETCH), SUM(COUNT_INSERT), SUM(COUNT_UPDATE), SUM(COUNT_DELETE),
 SUM(SUM_TIMER_FETCH), SUM(SUM_TIMER_INSERT), SUM(SUM_TIMER_UPDATE), SUM(SUM_TIMER_DELETE)
 FROM performance_schema.table_io_waits_summary_by_table GROUP BY token_table`

// picosecond is the unit of performance_schema's timers, in seconds.
const picosecond = 1e-12

// ioOperations are in the order of the query's columns.
var ioOperations = [...]string{"fetch", "insert", "update", "delete"}

const ioCaveat = " Operations attempted: those rolled back and duplicate inserts count; rows that a cascading delete removes count on MySQL and not on MariaDB."

var (
	tableOpsDesc = prometheus.NewDesc("wso2_token_table_io_operations_total",
		"Row operations on the token table since the server started, by performance_schema."+ioCaveat, []string{"table", "operation"}, nil)
	tableWaitDesc = prometheus.NewDesc("wso2_token_table_io_wait_seconds_total",
		"Seconds that row operations on the token table took, by performance_schema.", []string{"table", "operation"}, nil)
	serverOpsDesc = prometheus.NewDesc("mysql_table_io_operations_total",
		"Row operations on all tables since the server started, by performance_schema."+ioCaveat, []string{"operation"}, nil)
	serverWaitDesc = prometheus.NewDesc("mysql_table_io_wait_seconds_total",
		"Seconds that row operations on all tables took, by performance_schema.", []string{"operation"}, nil)
)

var errNoPerformanceSchema = &Failure{Schema, errors.New(
	"performance_schema is off: set performance_schema=ON in the server's configuration (on RDS in the parameter group) and restart it, or run with --no-collector.tableio")}

// TableIO reads what performance_schema counts per token table.
type TableIO struct{ Tables *Tables }

// Name is tableio.
func (TableIO) Name() string { return "tableio" }

// Descs lists the families.
func (TableIO) Descs() []*prometheus.Desc {
	return []*prometheus.Desc{tableOpsDesc, tableWaitDesc, serverOpsDesc, serverWaitDesc}
}

// ioRow holds operations and then picoseconds, in the order of ioOperations.
type ioRow [2 * len(ioOperations)]float64

// Collect reads the counters. Where performance_schema does not count it
// returns an error of class schema rather than zeros. A table that nobody used
// since the server started has no row and no series.
func (c TableIO) Collect(ctx context.Context, s *Session) ([]prometheus.Metric, error) {
	if !s.Server.PerformanceSchema {
		return nil, errNoPerformanceSchema
	}
	list, err := c.names(ctx, s)
	if err != nil {
		return nil, err
	}
	labels := newTableLabels(list)
	places, names := marks(list)
	var total ioRow
	tables := map[string]ioRow{}
	err = s.each(ctx, func(rows *sql.Rows) error {
		var table sql.NullString
		var v ioRow
		if err := rows.Scan(&table, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]); err != nil {
			return err
		}
		total = total.plus(v)
		if table.Valid {
			label := labels.of(table.String)
			tables[label] = tables[label].plus(v)
		}
		return nil
	}, fmt.Sprintf(tableIOQuery, places), append([]any{s.Schema}, names...)...)
	if err != nil {
		return nil, fmt.Errorf("read table I/O: %w", withNeeds(s, err, c.Needs(nil)))
	}
	if total == (ioRow{}) {
		return nil, checkCounting(ctx, s)
	}
	metrics := total.metrics(serverOpsDesc, serverWaitDesc)
	for table, v := range tables {
		metrics = append(metrics, v.metrics(tableOpsDesc, tableWaitDesc, table)...)
	}
	return metrics, nil
}

// names returns the tables to ask for: those that are there, partitions
// included, and the known ones even where the account may not see them, because
// performance_schema shows them all the same.
func (c TableIO) names(ctx context.Context, s *Session) ([]string, error) {
	list, err := c.Tables.present(ctx, s)
	if class := ClassOf(err); err != nil && class != Permission && class != Schema {
		return nil, err
	}
	names := slices.Clone(list)
	for _, name := range tokentable.Watched() {
		names = append(names, name, strings.ToLower(name))
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// checkCounting looks for the reason why everything is zero. A server that has
// only just started is one; then there is nothing to show yet. Accounts that
// may not read the setup get the benefit of the doubt: absent, not zero.
func checkCounting(ctx context.Context, s *Session) error {
	enabled := true
	err := s.each(ctx, func(r *sql.Rows) error {
		var value string
		err := r.Scan(&value)
		enabled = isOn(value) && !strings.EqualFold(value, "NO")
		return err
	}, "SELECT ENABLED FROM performance_schema.setup_instruments WHERE NAME = 'wait/io/table/sql/handler'")
	if err != nil && ClassOf(err) != Permission {
		return fmt.Errorf("read the setup of performance_schema: %w", err)
	}
	if !enabled {
		return &Failure{Schema, errors.New("performance_schema does not count table I/O: enable its instrument wait/io/table/sql/handler")}
	}
	return nil
}

// plus adds what is counted elsewhere.
func (v ioRow) plus(other ioRow) ioRow {
	for i := range v {
		v[i] += other[i]
	}
	return v
}

func (v ioRow) metrics(operations, wait *prometheus.Desc, labels ...string) []prometheus.Metric {
	metrics := make([]prometheus.Metric, 0, len(v))
	for i, operation := range ioOperations {
		labels := append(labels[:len(labels):len(labels)], operation)
		metrics = append(metrics,
			prometheus.MustNewConstMetric(operations, prometheus.CounterValue, v[i], labels...),
			prometheus.MustNewConstMetric(wait, prometheus.CounterValue, v[len(ioOperations)+i]*picosecond, labels...))
	}
	return metrics
}

var _ SQLCollector = TableIO{}
