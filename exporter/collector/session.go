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

// Flavours of a server. They differ in the statement limit, in a few status
// variables and in how they number versions.
const (
	flavorMariaDB = "mariadb"
	flavorMySQL   = "mysql"
)

// mark is in every statement of ours, so that an administrator who finds one
// in the process list knows whom to ask.
const mark = "/* token-persistence-exporter */ "

// The statement limit ends a statement on the server before its deadline ends
// it here, because MySQL does not notice that a client has hung up.
const (
	minLimit    = 5 * time.Millisecond
	limitMargin = 20 * time.Millisecond
)

// identityQuery tells one server from another in one round trip. CURRENT_USER
// is there for messages that name a GRANT.
const identityQuery = `SELECT @@version, @@version_comment, @@server_id, @@hostname, @@port,
 @@read_only, @@innodb_read_only, @@performance_schema, CURRENT_USER()`

// identify reads who answers on this connection.
func identify(ctx context.Context, conn *sql.Conn, c *cost) (Server, string, error) {
	defer c.statement(time.Now())
	var version, comment, id, host, port, readOnly, innodbReadOnly, pfs, account string
	into := []any{&version, &comment, &id, &host, &port, &readOnly, &innodbReadOnly, &pfs, &account}
	names := variable.names()
	values := make([]string, len(names))
	for i := range values {
		into = append(into, &values[i])
	}
	err := conn.QueryRowContext(ctx, mark+identityQuery+variablesColumns(names)).Scan(into...)
	if err != nil {
		return Server{}, "", fmt.Errorf("read the server's identity: %w", err)
	}
	flavor := flavorMySQL
	if strings.Contains(strings.ToLower(version+comment), flavorMariaDB) {
		flavor = flavorMariaDB
	}
	return Server{
		Flavor:            flavor,
		Version:           version,
		ReadOnly:          isOn(readOnly) || isOn(innodbReadOnly), // Aurora's readers show only the second
		Instance:          host + ":" + port + "/" + id,
		PerformanceSchema: isOn(pfs),
		variables:         numbers(names, values),
	}, quoteAccount(account), nil
}

// readLiteralNames finds out how the server takes a schema's name in a GRANT:
// as a pattern, unless MySQL has partial revokes.
func (s *Session) readLiteralNames(ctx context.Context) error {
	if s.Server.Flavor != flavorMySQL || !strings.ContainsAny(s.Schema, "_%") {
		return nil // nothing depends on it
	}
	defer s.cost.statement(time.Now())
	var on bool
	err := s.Conn.QueryRowContext(ctx, mark+"SELECT @@partial_revokes").Scan(&on)
	if err != nil && !isServerError(err, 1193) {
		return fmt.Errorf("read partial_revokes: %w", err)
	}
	s.literalNames = on
	return nil
}

// isOn reads a switch; MariaDB 12 has more values of read_only than 0 and 1.
func isOn(value string) bool {
	switch strings.ToUpper(value) {
	case "", "0", "OFF":
		return false
	}
	return true
}

// setNames is the first statement on a connection: defaults of the server or its
// init_connect may have chosen a character set for results that nobody can read.
const setNames = "SET NAMES utf8mb4"

// prepare gives a new connection the settings that every statement of ours
// relies on, whatever the server's defaults and init_connect say.
func (s *Session) prepare(ctx context.Context) error {
	settings := []string{
		"sql_mode = ''",                           // ORACLE or EMPTY_STRING_IS_NULL would change what our statements mean
		"sql_big_selects = 1",                     // a small max_join_size would refuse them
		"time_zone = '+00:00'",                    // TIMESTAMP columns are converted to it
		"autocommit = 1",                          // never leave a transaction open
		"lock_wait_timeout = 1",                   // seconds, the smallest there is; it bounds waits for metadata locks
		"wait_timeout = 28800",                    // seconds; scrapes may be minutes apart
		"net_write_timeout = 10",                  // seconds; a result that nobody fetches must not hold its table for the default minute
		"sql_select_limit = 18446744073709551615", // a smaller default would truncate results in silence
	}
	if s.Server.Flavor == flavorMySQL && majorVersion(s.Server.Version) >= 8 {
		// The default keeps table statistics for a day.
		settings = append(settings, "information_schema_stats_expiry = 0")
	}
	for _, statement := range []string{
		"SET SESSION " + strings.Join(settings, ", "),
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
	} {
		if err := s.exec(ctx, statement); err != nil {
			return fmt.Errorf("prepare the session: %w", err)
		}
	}
	return nil
}

// bound makes the server end the next statement before ctx does. In a steady
// scrape the limit in force is near enough and no statement is spent on it.
func (s *Session) bound(ctx context.Context) error {
	deadline, ok := ctx.Deadline()
	if !ok {
		return errors.New("a statement of the exporter needs a deadline")
	}
	left := time.Until(deadline)
	most := left - max(limitMargin, left/10)
	if most < minLimit {
		return fmt.Errorf("%v left for a statement: %w", left.Round(time.Millisecond), context.DeadlineExceeded)
	}
	if s.limit > 0 && s.limit <= most && s.limit >= most/4 {
		return nil
	}
	limit := most * 9 / 10
	statement := fmt.Sprintf("SET SESSION max_execution_time = %d", max(1, limit.Milliseconds()))
	if s.Server.Flavor == flavorMariaDB {
		statement = fmt.Sprintf("SET SESSION max_statement_time = %.6f", limit.Seconds())
	}
	if err := s.exec(ctx, statement); err != nil {
		return fmt.Errorf("set the statement limit: %w", err)
	}
	s.limit = limit
	return nil
}

// exec runs a statement without a result.
func (s *Session) exec(ctx context.Context, statement string) error {
	defer s.cost.statement(time.Now())
	_, err := s.Conn.ExecContext(ctx, mark+statement)
	return err
}

// each runs a query and calls row for every row of its result. It is the only
// way a collector reads rows, so that none forgets to ask how the rows ended.
func (s *Session) each(ctx context.Context, row func(*sql.Rows) error, query string, args ...any) (err error) {
	if err := s.bound(ctx); err != nil {
		return err
	}
	defer s.cost.statement(time.Now())
	rows, err := s.Conn.QueryContext(ctx, mark+query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		s.cost.rows.Add(1)
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// fullName quotes the full name of a table of the schema. Sessions have no
// default database, so that an account without rights on it can still connect.
func (s *Session) fullName(table string) string {
	return quoteName(s.Schema) + "." + quoteName(table)
}

// quoteName quotes an identifier.
func quoteName(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// quoteAccount turns user@host into 'user'@'host'; a user name may contain @.
func quoteAccount(account string) string {
	at := strings.LastIndexByte(account, '@')
	if at < 0 {
		return quoteAccountPart(account)
	}
	return quoteAccountPart(account[:at]) + "@" + quoteAccountPart(account[at+1:])
}

// quoteAccountPart quotes as administrators write it, and as an identifier,
// where a backslash has no meaning, what has more than plain characters.
func quoteAccountPart(part string) string {
	if strings.ContainsFunc(part, func(r rune) bool {
		return !strings.ContainsRune("._-%:/@", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return quoteName(part)
	}
	return "'" + part + "'"
}

// majorVersion returns 8 for 8.0.36 and 8.10.1: versions are not floats.
func majorVersion(version string) int {
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	if err != nil {
		return 0
	}
	return n
}
