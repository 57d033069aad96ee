package collector

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// A list of names, because a pattern or a function around the column would open
// every table of the schema.
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
type TableSize struct{ Tables *Tables }

// Name is tablesize.
func (TableSize) Name() string { return "tablesize" }

// Descs lists the families.
func (TableSize) Descs() []*prometheus.Desc { return tableSizeDescs[:] }

// sizeRow holds the figures of a table, or the sum of several.
type sizeRow [len(tableSizeDescs)]sql.NullFloat64

// Collect reads information_schema, where a session of ours asks MySQL 8 for
// fresh figures rather than those of the last day. A schema without any token
// table is an error of class schema.
func (c TableSize) Collect(ctx context.Context, s *Session) ([]prometheus.Metric, error) {
	list, err := c.Tables.present(ctx, s)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errNoTables(s)
	}
	labels := newTableLabels(list)
	places, names := marks(list)
	sizes := map[string]sizeRow{}
	err = s.each(ctx, func(rows *sql.Rows) error {
		var name string
		var v sizeRow
		if err := rows.Scan(&name, &v[0], &v[1], &v[2], &v[3]); err != nil {
			return err
		}
		label := labels.of(name)
		sizes[label] = sizes[label].plus(v)
		return nil
	}, fmt.Sprintf(tableSizeQuery, places), append([]any{s.Schema}, names...)...)
	if err != nil {
		return nil, fmt.Errorf("read the sizes of the token tables: %w", err)
	}
	if len(sizes) == 0 {
		// The list is older than what happened to the tables or to our rights.
		c.Tables.forget()
		return nil, errNoTables(s)
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

func errNoTables(s *Session) error {
	return &Failure{Schema, fmt.Errorf("no token table is visible in %s: check --mysqld.database and the account's SELECT privileges", quoteName(s.Schema))}
}

// plus adds what is known of a table that shares the label.
func (r sizeRow) plus(other sizeRow) sizeRow {
	for i, v := range other {
		if v.Valid {
			r[i] = sql.NullFloat64{Float64: r[i].Float64 + v.Float64, Valid: true}
		}
	}
	return r
}

var _ SQLCollector = TableSize{}
