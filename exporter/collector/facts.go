package collector

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// Facts is what the check command tells of a server and our account there.
type Facts struct {
	Server  Server
	Account string // quoted for GRANT

	Cipher      string        // of TLS; empty without
	Ahead       time.Duration // by which the server's clock is ahead of ours
	Connections int           // that our account may have; 0 for no limit
	TimeZone    string        // of the server's sessions

	Tables     []string  // token tables that our account sees
	AllVisible bool      // whether there can be no others
	Newest     time.Time // creation of the newest token row, as UTC; zero where there is none or no right to look
	Histograms []string  // statements that drop statistics which show values of columns that we may not read
	Disabled   []string  // options that let performance_schema count what we read and it does not
	NoCPU      bool      // the server can count the processor time of statements and does not
}

// Facts reads them.
func (s *Session) Facts(ctx context.Context) (Facts, error) {
	f := Facts{Server: s.Server, Account: s.account}
	for _, read := range []func(context.Context, *Facts) error{s.readClock, s.readTLS, s.readTables, s.readNewest, s.readHistograms, s.readInstruments} {
		if err := read(ctx, &f); err != nil {
			return f, err
		}
	}
	return f, nil
}

// readClock compares the clocks at the middle of the round trip.
func (s *Session) readClock(ctx context.Context, f *Facts) error {
	begin := time.Now()
	var now float64
	err := s.each(ctx, func(rows *sql.Rows) error {
		return rows.Scan(&now, &f.Connections, &f.TimeZone)
	}, "SELECT UNIX_TIMESTAMP(NOW(6)), @@max_user_connections, IF(@@global.time_zone = 'SYSTEM', @@system_time_zone, @@global.time_zone)")
	if err != nil {
		return fmt.Errorf("read the server's clock: %w", err)
	}
	ours := begin.Add(time.Since(begin) / 2)
	f.Ahead = time.Duration((now - float64(ours.UnixMicro())/1e6) * float64(time.Second))
	return nil
}

func (s *Session) readTLS(ctx context.Context, f *Facts) error {
	err := s.each(ctx, func(rows *sql.Rows) error {
		var name string
		return rows.Scan(&name, &f.Cipher)
	}, "SHOW SESSION STATUS WHERE Variable_name = 'Ssl_cipher'")
	if err != nil {
		return fmt.Errorf("read whether the connection is encrypted: %w", err)
	}
	return nil
}

func (s *Session) readTables(ctx context.Context, f *Facts) error {
	var err error
	if f.AllVisible, err = s.showsAll(ctx); err != nil {
		return err
	}
	f.Tables, err = new(Tables).present(ctx, s)
	if class := ClassOf(err); class == Permission || class == Schema && !f.AllVisible {
		return nil // no right on any table; MariaDB says so of a schema that is not there, too
	}
	return err
}

// readNewest looks at the end of the index on TIME_CREATED, one entry.
func (s *Session) readNewest(ctx context.Context, f *Facts) error {
	err := s.each(ctx, func(rows *sql.Rows) error {
		var second int64
		err := rows.Scan(&second)
		f.Newest = time.Unix(second, 0)
		return err
	}, fmt.Sprintf("SELECT UNIX_TIMESTAMP(TIME_CREATED) FROM %s FORCE INDEX (%s) ORDER BY TIME_CREATED DESC LIMIT 1",
		s.fullName(tokentable.AccessToken), tokentable.CreatedIndex))
	if class := ClassOf(err); class == Permission || class == Schema {
		return nil // the tokens collector will say so
	}
	return err
}

// readHistograms looks for histograms of columns that we may not read. MySQL
// shows all histograms of a table, with values, to everybody who has any right
// on it.
func (s *Session) readHistograms(ctx context.Context, f *Facts) error {
	if s.Server.Flavor != flavorMySQL || majorVersion(s.Server.Version) < 8 {
		return nil
	}
	err := s.each(ctx, func(rows *sql.Rows) error {
		var table, column string
		err := rows.Scan(&table, &column)
		f.Histograms = append(f.Histograms, fmt.Sprintf("ANALYZE TABLE %s.%s DROP HISTOGRAM ON %s",
			quoteName(s.Schema), quoteName(table), quoteName(column)))
		return err
	}, `SELECT h.TABLE_NAME, h.COLUMN_NAME FROM information_schema.COLUMN_STATISTICS h
 LEFT JOIN information_schema.COLUMNS c ON c.TABLE_SCHEMA = h.SCHEMA_NAME AND c.TABLE_NAME = h.TABLE_NAME AND c.COLUMN_NAME = h.COLUMN_NAME
 WHERE h.SCHEMA_NAME = ? AND c.COLUMN_NAME IS NULL ORDER BY 1, 2`, s.Schema)
	if err != nil {
		return fmt.Errorf("look for histograms: %w", err)
	}
	return nil
}

// wantedInstruments are what the collectors read of performance_schema: the
// table, the name of the switch, and the option that sets it at the start.
var wantedInstruments = []struct{ table, name, option string }{
	{"setup_instruments", "wait/io/table/sql/handler", "performance-schema-instrument='wait/io/table/sql/handler=ON'"},
	{"setup_instruments", "statement/sql/select", "performance-schema-instrument='statement/%=ON'"},
	{"setup_consumers", "global_instrumentation", "performance-schema-consumer-global-instrumentation=ON"},
	{"setup_consumers", "thread_instrumentation", "performance-schema-consumer-thread-instrumentation=ON"},
	{"setup_consumers", "statements_digest", "performance-schema-consumer-statements-digest=ON"},
}

// readInstruments finds what performance_schema does not count. Without the
// right to look nothing is said.
func (s *Session) readInstruments(ctx context.Context, f *Facts) error {
	if !s.Server.PerformanceSchema {
		f.Disabled = []string{"performance_schema=ON"}
		return nil
	}
	for _, w := range wantedInstruments {
		enabled, err := s.column(ctx, "SELECT ENABLED FROM performance_schema."+w.table+" WHERE NAME = ?", w.name)
		switch {
		case ClassOf(err) == Permission:
		case err != nil:
			return fmt.Errorf("read the setup of performance_schema: %w", err)
		case len(enabled) == 1 && enabled[0] == "NO":
			f.Disabled = append(f.Disabled, w.option)
		}
	}
	cpu, err := s.column(ctx, "SELECT ENABLED FROM performance_schema.setup_consumers WHERE NAME = 'events_statements_cpu'")
	if err != nil && ClassOf(err) != Permission {
		return fmt.Errorf("read the setup of performance_schema: %w", err)
	}
	f.NoCPU = len(cpu) == 1 && cpu[0] == "NO"
	return nil
}

// Excess returns the rights of our account that no need covers.
func (s *Session) Excess(ctx context.Context, needs []Need) ([]Right, error) {
	rights, err := s.Rights(ctx)
	if err != nil {
		return nil, err
	}
	var asked []Need
	for _, n := range needs {
		// A table's columns may be spread over needs; its grants are not.
		n.Flavor, n.Since, n.Optional = "", 0, ""
		asked = append(asked, n)
	}
	asked = MergeNeeds(asked)
	return slices.DeleteFunc(rights, func(r Right) bool {
		return slices.ContainsFunc(asked, func(n Need) bool { return r.within(n, s.Schema) })
	}), nil
}

// within reports whether the need covers all of the right.
func (r Right) within(n Need, schema string) bool {
	if n.Privilege != r.Privilege || (len(n.Columns) == 0) != (len(r.Columns) == 0) {
		return false
	}
	switch n.Schema {
	case "*":
		return r.Schema == "*"
	case "":
		n.Schema = schema
	}
	// A right on a whole schema names it by a pattern.
	pattern := n.Table == "" && likeSchema(r.Schema, n.Schema) && !strings.Contains(r.Schema, "%")
	if !pattern && !strings.EqualFold(r.Schema, n.Schema) {
		return false
	}
	if n.Table != "" && !strings.EqualFold(n.Table, r.Table) || n.Table == "" && r.Table != "*" && n.Privilege != privilegeShowView {
		return false
	}
	for _, c := range r.Columns {
		if !slices.ContainsFunc(n.Columns, func(have string) bool { return strings.EqualFold(have, c) }) {
			return false
		}
	}
	return true
}
