package collector

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// guardRows is the most rows that one lateness window may hold by the
// optimizer's estimate; they are remembered, at 35 to 55 bytes each.
const guardRows = 1_000_000

// errUnusable is an index that does not serve.
var errUnusable = errors.New("the index does not serve")

// guard returns the index through which to read a table, after asking the
// optimizer, once per connection and table: no query with a window of time is
// sent before it said that an index serves it without a scan and without a
// sort. The window is as long as lateness and lies offset seconds from UTC.
//
// EXPLAIN needs no more rights than the query itself, on both flavours.
func (s *Session) guard(ctx context.Context, table string, lateness time.Duration, offset int64) (string, error) {
	if index, ok := s.indexes[table]; ok {
		return index, nil
	}
	index, err := s.choose(ctx, table, lateness, offset)
	if errors.Is(err, errUnusable) {
		return "", &Failure{Guard, fmt.Errorf("%w, and without one the table would be scanned; create it: CREATE INDEX %s ON %s (TIME_CREATED)",
			err, tokentable.CreatedIndex, s.fullName(table))}
	}
	if err != nil {
		return "", err
	}
	if s.indexes == nil {
		s.indexes = map[string]string{}
	}
	s.indexes[table] = index
	return index, nil
}

// choose tries WSO2's index, which nearly always is there, and then any other
// that begins with TIME_CREATED.
func (s *Session) choose(ctx context.Context, table string, lateness time.Duration, offset int64) (string, error) {
	err := s.try(ctx, table, tokentable.CreatedIndex, lateness, offset)
	if !errors.Is(err, errUnusable) {
		return tokentable.CreatedIndex, err
	}
	others, listErr := s.timeIndexes(ctx, table)
	if listErr != nil {
		return "", listErr
	}
	for _, index := range others {
		if err := s.try(ctx, table, index, lateness, offset); !errors.Is(err, errUnusable) {
			return index, err
		}
	}
	return "", err
}

// timeIndexes lists other indexes that begin with TIME_CREATED. An account sees
// the index columns on which it has a right.
func (s *Session) timeIndexes(ctx context.Context, table string) (indexes []string, err error) {
	err = s.each(ctx, func(rows *sql.Rows) error {
		var index string
		err := rows.Scan(&index)
		indexes = append(indexes, index)
		return err
	}, `SELECT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?
 AND COLUMN_NAME = 'TIME_CREATED' AND SEQ_IN_INDEX = 1 ORDER BY INDEX_NAME LIMIT 4`, s.Schema, table)
	return indexes, err
}

// estimateQuery is for its plan only. Without FORCE, with which MySQL would not
// look into the index for an estimate, and answered by the index alone.
const estimateQuery = `SELECT TIME_CREATED FROM %s USE INDEX (%s)
 WHERE TIME_CREATED >= FROM_UNIXTIME(UNIX_TIMESTAMP() + ?) AND TIME_CREATED < FROM_UNIXTIME(UNIX_TIMESTAMP() + ?)`

// try asks the optimizer whether an index serves and how much it would read.
func (s *Session) try(ctx context.Context, table, index string, lateness time.Duration, offset int64) error {
	first, before := offset-seconds(lateness), offset+futureSlack+1
	a, err := s.explain(ctx, rowsQuery(s.fullName(table), index, "UNIX_TIMESTAMP() + "), first, before, first, "", chunkRows)
	switch {
	case isServerError(err, 1176): // there is none, or it is hidden from the optimizer
		return fmt.Errorf("%w: %w", errUnusable, err)
	case err != nil:
		return err
	case a.how != "range" || !strings.EqualFold(a.index, index) || len(a.columns) == 0 || !strings.EqualFold(a.columns[0], "TIME_CREATED"):
		return fmt.Errorf("%w: instead of a range of %s the optimizer would read %q", errUnusable, index, a.how)
	case a.sorted:
		return fmt.Errorf("%w: %s is not in the order of TIME_CREATED and TOKEN_ID", errUnusable, index)
	}
	a, err = s.explain(ctx, fmt.Sprintf(estimateQuery, s.fullName(table), quoteName(index)), first, before)
	if err == nil && a.rows > guardRows {
		err = &Failure{Guard, fmt.Errorf("its newest window holds about %.0f rows, more than %d: wait until they are older, or lower --collector.tokens.lateness", a.rows, guardRows)}
	}
	return err
}

// explain returns the plan of a query of one table.
func (s *Session) explain(ctx context.Context, query string, args ...any) (access, error) {
	var answer []byte
	if err := s.each(ctx, func(rows *sql.Rows) error { return rows.Scan(&answer) }, "EXPLAIN FORMAT=JSON "+query, args...); err != nil {
		return access{}, err
	}
	a, err := parseExplain(answer)
	if err != nil {
		return a, &Failure{Guard, fmt.Errorf("read the plan: %w", err)}
	}
	return a, nil
}
