package collector

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What we cost the database, by connection: scrape or background.
var (
	connectsDesc = prometheus.NewDesc("token_persistence_exporter_database_connects_total",
		"Connections that the exporter has opened to the database.", []string{"connection"}, nil)
	statementsDesc = prometheus.NewDesc("token_persistence_exporter_database_statements_total",
		"Statements that the exporter has sent to the database.", []string{"connection"}, nil)
	rowsReturnedDesc = prometheus.NewDesc("token_persistence_exporter_database_rows_returned_total",
		"Rows that the database has returned to the exporter.", []string{"connection"}, nil)
	busyDesc = prometheus.NewDesc("token_persistence_exporter_database_busy_seconds_total",
		"Seconds during which a statement of the exporter was being answered, network and reading included.", []string{"connection"}, nil)
)

func costDescs() []*prometheus.Desc {
	return []*prometheus.Desc{connectsDesc, statementsDesc, rowsReturnedDesc, busyDesc}
}

// cost counts what one link asks of the database.
type cost struct {
	connects, statements, rows atomic.Uint64
	busy                       atomic.Int64 // nanoseconds
}

// statement counts a statement that was sent at start.
func (c *cost) statement(start time.Time) {
	c.statements.Add(1)
	c.busy.Add(int64(time.Since(start)))
}

func (c *cost) metrics(connection string) []prometheus.Metric {
	return []prometheus.Metric{
		prometheus.MustNewConstMetric(connectsDesc, counter, float64(c.connects.Load()), connection),
		prometheus.MustNewConstMetric(statementsDesc, counter, float64(c.statements.Load()), connection),
		prometheus.MustNewConstMetric(rowsReturnedDesc, counter, float64(c.rows.Load()), connection),
		prometheus.MustNewConstMetric(busyDesc, counter, time.Duration(c.busy.Load()).Seconds(), connection),
	}
}
