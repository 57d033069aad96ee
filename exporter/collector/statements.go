package collector

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const sinceStart = " Counted from our first reading on: what ran while the exporter was down is missing, and neither a truncated summary nor a restart of the server shows as use."

// statementDescs describe the resources of the kinds, and of all statements.
var statementDescs = [resourceCount]struct{ kind, server *prometheus.Desc }{
	executions: {
		statementDesc("wso2_token_statement_executions_total", "Executions of token statements."),
		serverDesc("mysql_statement_executions_total", "Executions of statements of all clients, those inside stored procedures left out."),
	},
	statementTime: {
		statementDesc("wso2_token_statement_seconds_total", "Seconds that token statements took, waiting for locks and disks included. Most of a write's time ends in kind commit."),
		serverDesc("mysql_statement_seconds_total", "Seconds that statements of all clients took."),
	},
	lockTime: {
		statementDesc("wso2_token_statement_lock_seconds_total", "Seconds that token statements waited for locks. InnoDB's row locks are in it on MySQL (seen on 9.7) and not on MariaDB (10.11)."),
		serverDesc("mysql_statement_lock_seconds_total", "Seconds that statements of all clients waited for locks."),
	},
	cpuTime: {
		statementDesc("wso2_token_statement_cpu_seconds_total", "Processor seconds of token statements. Absent unless the server measures them: MySQL from 8.0.28 on with the consumer events_statements_cpu enabled."),
		serverDesc("mysql_statement_cpu_seconds_total", "Processor seconds of statements of all clients. Absent unless the server measures them."),
	},
	rowsExamined: {
		statementDesc("wso2_token_statement_rows_examined_total", "Rows that token statements read in the storage engine."),
		serverDesc("mysql_statement_rows_examined_total", "Rows that statements of all clients read in the storage engine."),
	},
	rowsAffected: {
		statementDesc("wso2_token_statement_rows_affected_total", "Rows that token statements inserted, changed or deleted, rolled back or not; cascades are not in it."),
		serverDesc("mysql_statement_rows_affected_total", "Rows that statements of all clients inserted, changed or deleted."),
	},
	statementErrors: {
		statementDesc("wso2_token_statement_errors_total", "Token statements that ended in an error, duplicate keys among them."),
		serverDesc("mysql_statement_errors_total", "Statements of all clients that ended in an error."),
	},
}

func statementDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help+sinceStart, []string{"kind", "purpose"}, nil)
}

func serverDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(name, help+sinceStart, nil, nil)
}

var (
	statementMissingDesc = prometheus.NewDesc("wso2_token_statement_unattributed_total",
		"Executions whose statement is unknown, by reason: digest_lost found the digest table full, binary_protocol and prepared are prepared statements (MariaDB gives them no digest), "+
			"text_cut has no table within max_digest_length, uncounted ran in sessions that performance_schema leaves out."+sinceStart,
		[]string{"reason"}, nil)
	statementReadDesc = prometheus.NewDesc("wso2_token_statement_read_timestamp_seconds",
		"Database time of the last reading of the statement summaries.", nil, nil)
)

// Statements counts what token statements cost the database, by kind, and from
// it the persistence tax. It reads the digests in the background: a full digest
// table takes the server a tenth of a second.
type Statements struct {
	interval   time.Duration
	background *Background
	latest     *latest
	ledger     statementLedger // of Run's goroutine only
}

// NewStatements takes the time between two readings and the connection for
// background reading.
func NewStatements(interval time.Duration, background *Background) *Statements {
	return &Statements{interval: interval, background: background, latest: newLatest()}
}

// Name is statements.
func (c *Statements) Name() string { return "statements" }

// Descs lists the families.
func (c *Statements) Descs() []*prometheus.Desc {
	descs := []*prometheus.Desc{statementMissingDesc, statementReadDesc, taxDesc}
	for _, d := range statementDescs {
		descs = append(descs, d.kind, d.server)
	}
	return descs
}

// statementsBudget bounds a reading on a busy server.
const statementsBudget = 5 * time.Second

// Run reads until ctx ends.
func (c *Statements) Run(ctx context.Context) error {
	repeat(ctx, c.interval, func(ctx context.Context) error {
		metrics, err := c.pass(ctx)
		if ctx.Err() == nil {
			c.latest.put(metrics, err)
		}
		return err
	})
	return nil
}

// Collect returns what the last reading brought. Where the guard withholds the
// tax, its error comes with the counters, which stay true.
func (c *Statements) Collect(ctx context.Context) ([]prometheus.Metric, error) {
	return c.latest.get(ctx)
}

// pass reads once and adds it up.
func (c *Statements) pass(ctx context.Context) ([]prometheus.Metric, error) {
	var r reading
	err := c.background.Do(ctx, statementsBudget, func(ctx context.Context, s *Session) error {
		since := c.ledger.last.at
		if s.Server.Instance != c.ledger.last.instance {
			since = time.Time{}
		}
		var err error
		r, err = readStatements(ctx, s, since)
		return err
	})
	if err != nil {
		return nil, err
	}
	withCPU := r.withCPU && c.ledger.last.withCPU // over the whole interval
	interval, known := c.ledger.enter(r)
	metrics := c.ledger.metrics(r.withCPU)
	if !known {
		return metrics, nil
	}
	if err := interval.unattributed(); err != nil {
		return metrics, err
	}
	return append(metrics, interval.taxMetrics(withCPU)...), nil
}

// metrics returns the counters: every kind, so that the first execution of a
// kind is an increase that rate() sees.
func (l *statementLedger) metrics(withCPU bool) []prometheus.Metric {
	metrics := []prometheus.Metric{
		prometheus.MustNewConstMetric(statementReadDesc, prometheus.GaugeValue, float64(l.last.at.UnixMicro())/1e6),
	}
	for i, desc := range statementDescs {
		r := resource(i)
		if r == cpuTime && !withCPU {
			continue
		}
		metrics = append(metrics, prometheus.MustNewConstMetric(desc.server, prometheus.CounterValue, l.sums.total.value(r)))
		for k := kindNone + 1; k < kindCount; k++ {
			metrics = append(metrics, prometheus.MustNewConstMetric(desc.kind, prometheus.CounterValue,
				l.sums.kinds[k].value(r), statementKinds[k].name, string(statementKinds[k].purpose)))
		}
	}
	for i, reason := range missingReasons {
		metrics = append(metrics, prometheus.MustNewConstMetric(statementMissingDesc, prometheus.CounterValue, float64(l.sums.missing[i]), reason))
	}
	return metrics
}

var (
	_ Collector = (*Statements)(nil)
	_ Runner    = (*Statements)(nil)
)
