package collector

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// chunkRows is the length of one statement's result: a statement stays short,
// and a backlog too long for one scrape is worked off by those that follow.
const chunkRows = 10_000

// futureRowsCap bounds the counting of rows of the future.
const futureRowsCap = 10_000

// endOfTime is the last second that FROM_UNIXTIME takes on every version.
const endOfTime = 1<<31 - 1

// rowsQuery reads rows in the order of the index, whose entries end in the
// primary key: no sort. FORCE INDEX because a full scan must never happen, not
// even when statistics mislead the optimizer. The seconds of the window are
// added to start.
func rowsQuery(table, index, start string) string {
	return fmt.Sprintf(`SELECT TOKEN_ID, GRANT_TYPE, UNIX_TIMESTAMP(TIME_CREATED) FROM %[1]s FORCE INDEX (%[2]s)
 WHERE TIME_CREATED >= FROM_UNIXTIME(%[3]s?) AND TIME_CREATED < FROM_UNIXTIME(%[3]s?)
 AND (TIME_CREATED > FROM_UNIXTIME(%[3]s?) OR TOKEN_ID >= ?)
 ORDER BY TIME_CREATED, TOKEN_ID LIMIT ?`, table, quoteName(index), start)
}

// lookQuery finds the ends of the index, one entry each. ORDER BY with LIMIT
// because not every version answers MAX with a condition from the index alone.
const lookQuery = `SELECT UNIX_TIMESTAMP(NOW(6)),
 (SELECT UNIX_TIMESTAMP(TIME_CREATED) FROM %[1]s FORCE INDEX (%[2]s) WHERE TIME_CREATED <= NOW() + INTERVAL ? SECOND ORDER BY TIME_CREATED DESC LIMIT 1),
 (SELECT UNIX_TIMESTAMP(TIME_CREATED) FROM %[1]s FORCE INDEX (%[2]s) ORDER BY TIME_CREATED DESC LIMIT 1),
 (SELECT COUNT(*) FROM (SELECT 1 FROM %[1]s FORCE INDEX (%[2]s) WHERE TIME_CREATED > NOW() + INTERVAL ? SECOND LIMIT ?) AS f)`

// look reads the server's clock and the ends of the index.
func (t *Tokens) look(ctx context.Context, s *Session, v *visit, offset int64) (sighting, error) {
	seen := sighting{sent: t.monotonic()}
	query := fmt.Sprintf(lookQuery, s.fullName(v.table), quoteName(v.index))
	err := s.each(ctx, func(rows *sql.Rows) error {
		var present, newest sql.NullInt64
		if err := rows.Scan(&seen.now, &present, &newest, &seen.future); err != nil {
			return err
		}
		seen.present, seen.newest = present.Int64, newest.Int64
		return nil
	}, query, futureSlack, offset+futureSlack, futureRowsCap)
	seen.received = t.monotonic()
	return seen, t.explain(s, v, "look at the newest rows", err)
}

// chunkReader reads rows from a position up to the second before, at most
// chunkRows, and returns the position of the last one with whether there may be
// more.
type chunkReader func(ctx context.Context, s *Session, v *visit, from cursor, before int64, take func([]tokenRow, cursor)) (cursor, bool, error)

// readRows reads the rows from a position up to the second before, chunk by
// chunk, and hands each chunk to take with the position of its last row. It
// returns the position from which to go on: the start of the last second read,
// or the exact row after an error. Read is readChunk or readLate.
func (t *Tokens) readRows(ctx context.Context, s *Session, v *visit, read chunkReader, from cursor, before int64, take func([]tokenRow, cursor)) (cursor, error) {
	for {
		at, full, err := read(ctx, s, v, from, before, take)
		if err != nil {
			return from, err
		}
		if !full {
			return cursor{second: at.second}, nil
		}
		from = at
	}
}

// readChunk reads up to chunkRows rows and returns the position of the last one
// with whether there may be more.
func (t *Tokens) readChunk(ctx context.Context, s *Session, v *visit, from cursor, before int64, take func([]tokenRow, cursor)) (cursor, bool, error) {
	var rows []tokenRow
	at := from
	err := s.each(ctx, func(r *sql.Rows) error {
		row, id, err := v.ledger.scan(r)
		if err != nil {
			return err
		}
		rows = append(rows, row)
		at.second = row.second
		if len(rows) == chunkRows {
			at.id = string(id)
		}
		return nil
	}, rowsQuery(s.fullName(v.table), v.index, ""), from.second, before, from.second, from.id, chunkRows)
	if err != nil {
		return from, false, t.explain(s, v, "read new rows", err)
	}
	take(rows, at)
	return at, len(rows) == chunkRows, nil
}

// scan reads a row of rowsQuery with its id, which is good until the next row.
func (l *ledger) scan(r *sql.Rows) (tokenRow, sql.RawBytes, error) {
	var id, grant sql.RawBytes
	var second int64
	if err := r.Scan(&id, &grant, &second); err != nil {
		return tokenRow{}, nil, err
	}
	return tokenRow{second: second, key: l.key(id), grant: grantIndex(grant)}, id, nil
}

// explain adds to an error what the administrator can do about it. The next
// reading asks the optimizer again, in case the table has become another.
func (t *Tokens) explain(s *Session, v *visit, doing string, err error) error {
	if err == nil {
		return nil
	}
	delete(s.indexes, v.table)
	switch {
	case isServerError(err, 1176):
		err = &Failure{Guard, fmt.Errorf("%w; create it: CREATE INDEX %s ON %s (TIME_CREATED)", err, tokentable.CreatedIndex, s.fullName(v.table))}
	case isServerError(err, 1146), isServerError(err, 1049):
		err = fmt.Errorf("%w; --mysqld.database must name the database of WSO2's token tables", err)
	}
	err = withNeeds(s, err, t.Needs([]string{v.table}))
	return fmt.Errorf("%s of %s: %w", doing, v.name, err)
}
