package collector

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The tables of performance_schema that are read, with the columns of the first.
const (
	digestTable      = "events_statements_summary_by_digest"
	eventTable       = "events_statements_summary_global_by_event_name"
	consumersTable   = "setup_consumers"
	instrumentsTable = "setup_instruments"
)

// digestQuery reads what has been used since a moment. The server builds every
// row of the table whatever we ask for; texts of idle digests would cost it as
// much again. Measured with 10,000 digests of 1 kB on MySQL 9.7: 71 ms for the
// rows alone, 72 ms with this condition and 173 ms without; filtering by LIKE
// in the server takes 206 ms. Never QUERY_SAMPLE_TEXT: it holds token values.
const digestQuery = `SELECT COALESCE(SCHEMA_NAME, ''), COALESCE(DIGEST, ''), COALESCE(LEFT(DIGEST_TEXT, %d), ''), FIRST_SEEN, %s
 FROM performance_schema.events_statements_summary_by_digest WHERE LAST_SEEN >= ?`

const eventQuery = `SELECT EVENT_NAME, %s FROM performance_schema.events_statements_summary_global_by_event_name WHERE COUNT_STAR > 0`

// statusQuery needs no right: the status is everybody's.
const statusQuery = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Uptime', 'Questions')"

// readStatements reads what has been used since a moment of the server's clock,
// the zero time for all there is.
func readStatements(ctx context.Context, s *Session, since time.Time) (reading, error) {
	if !s.Server.PerformanceSchema {
		return reading{}, errNoStatements
	}
	r := reading{instance: s.Server.Instance, binaryDigests: s.Server.Flavor == flavorMySQL, events: map[string]usage{}}
	if err := r.readSetup(ctx, s); err != nil {
		return r, err
	}
	// Digests before totals: what runs between the two reads makes a share too
	// small by a moment, never larger than it is.
	err := r.readDigests(ctx, s, since)
	if r.withCPU && ClassOf(err) == Permission {
		// Processor time has a column of its own, and a right of its own.
		r.withCPU, r.rows = false, nil
		err = r.readDigests(ctx, s, since)
	}
	if err != nil {
		return r, err
	}
	if err := r.readEvents(ctx, s); err != nil {
		return r, err
	}
	return r, r.readStatus(ctx, s)
}

var errNoStatements = &Failure{Schema, errors.New(
	"performance_schema is off: set performance_schema=ON in the server's configuration (on RDS in the parameter group) and restart it, or run with --no-collector.statements")}

// readSetup reads the clock and whether the server counts statements at all.
func (r *reading) readSetup(ctx context.Context, s *Session) error {
	counted := map[string]bool{}
	err := s.each(ctx, func(rows *sql.Rows) error {
		var name, enabled, now string
		if err := rows.Scan(&name, &enabled, &now); err != nil {
			return err
		}
		counted[name] = strings.EqualFold(enabled, "YES")
		var err error
		r.at, err = time.Parse("2006-01-02 15:04:05.999999", now)
		return err
	}, "SELECT NAME, ENABLED, CAST(UTC_TIMESTAMP(6) AS CHAR) FROM performance_schema."+consumersTable)
	if err != nil {
		return fmt.Errorf("read the setup of performance_schema: %w", withNeeds(s, err, statementNeeds()))
	}
	for _, need := range []string{"global_instrumentation", "thread_instrumentation", "statements_digest"} {
		if !counted[need] {
			return &Failure{Schema, fmt.Errorf("performance_schema does not count statements: UPDATE performance_schema.setup_consumers SET ENABLED = 'YES' WHERE NAME = '%s', "+
				"and for the next start performance-schema-consumer-%s=ON in the server's configuration", need, strings.ReplaceAll(need, "_", "-"))}
		}
	}
	r.withCPU = counted["events_statements_cpu"]
	off := 0
	err = s.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&off) },
		"SELECT COUNT(*) FROM performance_schema."+instrumentsTable+" WHERE NAME LIKE 'statement/sql/%' AND (ENABLED = 'NO' OR TIMED = 'NO')")
	if err != nil {
		return fmt.Errorf("read the setup of performance_schema: %w",
			withNeeds(s, err, statementNeeds()))
	}
	if off > 0 {
		return &Failure{Schema, fmt.Errorf("performance_schema does not count or time %d kinds of statements: "+
			"UPDATE performance_schema.setup_instruments SET ENABLED = 'YES', TIMED = 'YES' WHERE NAME LIKE 'statement/sql/%%', "+
			"and for the next start performance-schema-instrument='statement/sql/%%=ON' in the server's configuration", off)}
	}
	return nil
}

// usageColumns are the columns of a usage. Processor time is asked for only
// where it is measured: older servers have no such column.
func usageColumns(withCPU bool) string {
	var columns []string
	for i := range resourceCount {
		if i == cpuTime && !withCPU {
			columns = append(columns, "0")
			continue
		}
		columns = append(columns, i.column())
	}
	return strings.Join(columns, ", ")
}

// targets are where a row's usage is scanned to.
func (u *usage) targets() []any {
	var list []any
	for i := range u {
		list = append(list, &u[i])
	}
	return list
}

func (r *reading) readDigests(ctx context.Context, s *Session, since time.Time) error {
	from := "1970-01-01 00:00:01"
	if !since.IsZero() {
		from = firstSeenText(since)
	}
	err := s.each(ctx, func(rows *sql.Rows) error {
		var row digestRow
		var text string
		if err := rows.Scan(append([]any{&row.key.schema, &row.key.digest, &text, &row.first}, row.targets()...)...); err != nil {
			return err
		}
		row.lost = row.key.digest == ""
		row.digest = classify(text, row.key.schema, s.Schema)
		if row.counts() {
			r.rows = append(r.rows, row)
		}
		return nil
	}, fmt.Sprintf(digestQuery, maxDigestText, usageColumns(r.withCPU)), from)
	if err != nil {
		return fmt.Errorf("read statement digests: %w",
			withNeeds(s, err, statementNeeds()))
	}
	return nil
}

// digestColumns are the columns of the digest table that are read, beside those
// of a usage.
func digestColumns() []string {
	return []string{"SCHEMA_NAME", "DIGEST", "DIGEST_TEXT", "FIRST_SEEN", "LAST_SEEN"}
}

// measuredColumns are the columns of a usage that are read.
func measuredColumns(withCPU bool) []string {
	var columns []string
	for i := range resourceCount {
		if i != cpuTime || withCPU {
			columns = append(columns, i.column())
		}
	}
	return columns
}

func (r *reading) readEvents(ctx context.Context, s *Session) error {
	err := s.each(ctx, func(rows *sql.Rows) error {
		var name string
		var u usage
		if err := rows.Scan(append([]any{&name}, u.targets()...)...); err != nil {
			return err
		}
		r.events[name] = u
		return nil
	}, fmt.Sprintf(eventQuery, usageColumns(r.withCPU)))
	if err != nil {
		return fmt.Errorf("read statement totals: %w", withNeeds(s, err, statementNeeds()))
	}
	return nil
}

func (r *reading) readStatus(ctx context.Context, s *Session) error {
	found := 0
	err := s.each(ctx, func(rows *sql.Rows) error {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return err
		}
		n, err := strconv.ParseUint(value, 10, 63)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		found++
		if strings.EqualFold(name, "Uptime") {
			r.started = r.at.Add(-time.Duration(n) * time.Second)
		} else {
			r.asked = n
		}
		return nil
	}, statusQuery)
	if err == nil && found != 2 {
		err = fmt.Errorf("%d of 2 variables found", found)
	}
	if err != nil {
		return fmt.Errorf("read the server's status: %w", err)
	}
	return nil
}
