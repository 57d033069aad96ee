package collector

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// The names are given in both cases: servers with lower_case_table_names or a
// schema created in lower case show them so, and a function around the column
// would open every table of the schema.
const tableSizeQuery = `SELECT TABLE_NAME, TABLE_ROWS, DATA_LENGTH, INDEX_LENGTH, DATA_FREE
 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' AND TABLE_NAME IN (%s)`

// tableSizeDescs are in the order of the query's columns.
var tableSizeDescs = [...]*prometheus.Desc{
	prometheus.NewDesc("wso2_token_table_rows_estimated",
		"Rows of the token table as the storage engine estimates them; InnoDB's estimate may be off by half.", []string{"table"}, nil),
	prometheus.NewDesc("wso2_token_table_data_bytes",
		"Bytes allocated to the rows of the token table.", []string{"table"}, nil),
	prometheus.NewDesc("wso2_token_table_index_bytes",
		"Bytes allocated to the secondary indexes of the token table.", []string{"table"}, nil),
	prometheus.NewDesc("wso2_token_table_free_bytes",
		"Bytes allocated to the token table and not used; of a shared tablespace those of the whole tablespace.", []string{"table"}, nil),
}

// TableSize reads how large the token tables are.
type TableSize struct{}

// Name is tablesize.
func (TableSize) Name() string { return "tablesize" }

// Descs lists the families.
func (TableSize) Descs() []*prometheus.Desc { return tableSizeDescs[:] }

// Collect reads information_schema, where a session of ours asks MySQL 8 for
// fresh figures rather than those of the last day. A schema without any token
// table is an error of class schema.
func (TableSize) Collect(ctx context.Context, s *Session) ([]prometheus.Metric, error) {
	marks, names := tableNames()
	sizes := map[string][len(tableSizeDescs)]sql.NullFloat64{}
	err := s.each(ctx, func(rows *sql.Rows) error {
		var name string
		var v [len(tableSizeDescs)]sql.NullFloat64
		if err := rows.Scan(&name, &v[0], &v[1], &v[2], &v[3]); err != nil {
			return err
		}
		label := strings.ToUpper(name)
		if _, twin := sizes[label]; !twin || name == label {
			sizes[label] = v
		}
		return nil
	}, fmt.Sprintf(tableSizeQuery, marks), append([]any{s.Schema}, names...)...)
	if err != nil {
		return nil, fmt.Errorf("read the sizes of the token tables: %w", err)
	}
	if len(sizes) == 0 {
		return nil, &Failure{Schema, fmt.Errorf("no token table is visible in %s: check --mysqld.database and the account's SELECT privileges", quoteName(s.Schema))}
	}
	var metrics []prometheus.Metric
	for table, values := range sizes {
		for i, v := range values {
			if v.Valid {
				metrics = append(metrics, prometheus.MustNewConstMetric(tableSizeDescs[i], prometheus.GaugeValue, v.Float64, table))
			}
		}
	}
	return metrics, nil
}

// tableNames returns the watched tables in both cases with as many marks.
func tableNames() (marks string, names []any) {
	for _, name := range tokentable.Watched() {
		names = append(names, name, strings.ToLower(name))
	}
	return strings.TrimSuffix(strings.Repeat("?, ", len(names)), ", "), names
}

var _ SQLCollector = TableSize{}
