package collector

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// mysqlQueries read a list of names from each source but the variables, which
// come with the server's identity. MySQL answers from
// performance_schema.global_status in half of the time of SHOW GLOBAL STATUS,
// but that table has no Com_ variables.
var mysqlQueries = [...]string{
	status: "SHOW GLOBAL STATUS WHERE Variable_name IN ('%s')",
	innodb: "SELECT NAME, COUNT FROM information_schema.INNODB_METRICS WHERE STATUS = 'enabled' AND NAME IN ('%s')",
}

var (
	serverInfoDesc = family("mysql_server_info", "Flavour (mysql or mariadb) and version of the server; always 1.", "flavor", "version")
	readOnlyDesc   = family("mysql_read_only", "Whether the server refuses writes, as replicas do: 1 or 0.")
)

// MySQL reads the server's own counters, listed in mysqlRows.
type MySQL struct{}

// Name is mysql.
func (MySQL) Name() string { return "mysql" }

// Descs lists the families.
func (MySQL) Descs() []*prometheus.Desc {
	descs := []*prometheus.Desc{serverInfoDesc, readOnlyDesc}
	for _, row := range mysqlRows {
		if !slices.Contains(descs, row.family) {
			descs = append(descs, row.family)
		}
	}
	return descs
}

// Collect reads the counters. What this flavour or version does not have is
// absent, as is what needs the PROCESS privilege where the account lacks it.
func (MySQL) Collect(ctx context.Context, s *Session) ([]prometheus.Metric, error) {
	values := [len(mysqlQueries)]map[string]float64{variable: s.Server.variables}
	var err error
	if values[status], err = readNames(ctx, s, status); err != nil {
		return nil, err
	}
	// MariaDB has all of it in the status. A global privilege granted later
	// reaches new connections only, so that one refusal is enough.
	if s.Server.Flavor == flavorMySQL && !s.noInnoDBMetrics {
		values[innodb], err = readNames(ctx, s, innodb)
		s.noInnoDBMetrics = ClassOf(err) == Permission
		if err != nil && !s.noInnoDBMetrics {
			return nil, err
		}
	}
	readOnly := 0.0
	if s.Server.ReadOnly {
		readOnly = 1
	}
	metrics := []prometheus.Metric{
		prometheus.MustNewConstMetric(serverInfoDesc, gauge, 1, s.Server.Flavor, s.Server.Version),
		prometheus.MustNewConstMetric(readOnlyDesc, gauge, readOnly),
	}
	return append(metrics, mysqlMetrics(values[:])...), nil
}

// mysqlMetrics turns what was read, by source, into the rows' series.
func mysqlMetrics(values []map[string]float64) []prometheus.Metric {
	type series struct {
		family *prometheus.Desc
		label  string
	}
	var metrics []prometheus.Metric
	done := map[series]bool{}
	for _, row := range mysqlRows {
		value, ok := row.value(values[row.from])
		if !ok || done[series{row.family, row.label}] {
			continue
		}
		done[series{row.family, row.label}] = true
		var labels []string
		if row.label != "" {
			labels = []string{row.label}
		}
		metrics = append(metrics, prometheus.MustNewConstMetric(row.family, row.kind, value, labels...))
	}
	return metrics
}

// value returns what the row shows, given what its source says under
// lower-case names.
func (row mysqlRow) value(of map[string]float64) (float64, bool) {
	name, less, difference := strings.Cut(strings.ToLower(row.name), "-")
	value, ok := of[name]
	if difference {
		subtrahend, there := of[less]
		value, ok = value-subtrahend, ok && there
	}
	if row.scale != 0 {
		value *= row.scale
	}
	return value, ok
}

// names lists what rows want from a source.
func (from source) names() []string {
	var names []string
	for _, row := range mysqlRows {
		if row.from == from {
			names = append(names, strings.Split(row.name, "-")...)
		}
	}
	return names
}

// variablesColumns continues a list of columns. SHOW GLOBAL VARIABLES would make
// the server render all of its hundreds of variables first.
func variablesColumns(names []string) string {
	columns := ""
	for _, name := range names {
		columns += ", @@GLOBAL." + name
	}
	return columns
}

// numbers maps lower-case names to values. A value that is not a number is left
// out: some versions show text where others show a count.
func numbers(names, values []string) map[string]float64 {
	m := map[string]float64{}
	for i, name := range names {
		if v, err := strconv.ParseFloat(values[i], 64); err == nil {
			m[strings.ToLower(name)] = v
		}
	}
	return m
}

// readNames reads the values that rows want from one source, under lower-case
// names.
func readNames(ctx context.Context, s *Session, from source) (map[string]float64, error) {
	var names, values []string
	err := s.each(ctx, func(rows *sql.Rows) error {
		var name, value string
		err := rows.Scan(&name, &value)
		names, values = append(names, name), append(values, value)
		return err
	}, fmt.Sprintf(mysqlQueries[from], strings.Join(from.names(), "', '")))
	if err != nil {
		return nil, fmt.Errorf("read the server's counters: %w", err)
	}
	return numbers(names, values), nil
}

var _ SQLCollector = MySQL{}
