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
// even when statistics mislead the optimizer.
const rowsQuery = `SELECT TOKEN_ID, GRANT_TYPE, UNIX_TIMESTAMP(TIME_CREATED) FROM %s FORCE INDEX (%s)
 WHERE TIME_CREATED >= FROM_UNIXTIME(?) AND TIME_CREATED < FROM_UNIXTIME(?)
 AND (TIME_CREATED > FROM_UNIXTIME(?) OR TOKEN_ID >= ?)
 ORDER BY TIME_CREATED, TOKEN_ID LIMIT ?`

// lookQuery finds the ends of the index, one entry each. ORDER BY with LIMIT
// because not every version answers MAX with a condition from the index alone.
const lookQuery = `SELECT UNIX_TIMESTAMP(NOW(6)),
 (SELECT UNIX_TIMESTAMP(TIME_CREATED) FROM %[1]s FORCE INDEX (%[2]s) WHERE TIME_CREATED <= NOW() + INTERVAL ? SECOND ORDER BY TIME_CREATED DESC LIMIT 1),
 (SELECT UNIX_TIMESTAMP(TIME_CREATED) FROM %[1]s FORCE INDEX (%[2]s) ORDER BY TIME_CREATED DESC LIMIT 1),
 (SELECT COUNT(*) FROM (SELECT 1 FROM %[1]s FORCE INDEX (%[2]s) WHERE TIME_CREATED > NOW() + INTERVAL ? SECOND LIMIT ?) AS f)`

// look reads the server's clock and the ends of the index.
func (t *Tokens) look(ctx context.Context, s *Session, offset int64) (sighting, error) {
	var seen sighting
	query := fmt.Sprintf(lookQuery, s.tokenTable(), tokentable.CreatedIndex)
	err := s.each(ctx, func(rows *sql.Rows) error {
		var present, newest sql.NullInt64
		if err := rows.Scan(&seen.now, &present, &newest, &seen.future); err != nil {
			return err
		}
		seen.present, seen.newest = present.Int64, newest.Int64
		return nil
	}, query, futureSlack, offset+futureSlack, futureRowsCap)
	return seen, t.explain(s, "look at the newest rows", err)
}

// readRows reads the rows from a position up to the second before, chunk by
// chunk, and hands each chunk to take. It returns the position from which to
// go on: the start of the last second read, or the exact row after an error.
func (t *Tokens) readRows(ctx context.Context, s *Session, from cursor, before int64, take func([]tokenRow)) (cursor, error) {
	for {
		at, full, err := t.readChunk(ctx, s, from, before, take)
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
func (t *Tokens) readChunk(ctx context.Context, s *Session, from cursor, before int64, take func([]tokenRow)) (cursor, bool, error) {
	query := fmt.Sprintf(rowsQuery, s.tokenTable(), tokentable.CreatedIndex)
	var rows []tokenRow
	at := from
	err := s.each(ctx, func(r *sql.Rows) error {
		var id, grant sql.RawBytes
		var second int64
		if err := r.Scan(&id, &grant, &second); err != nil {
			return err
		}
		rows = append(rows, tokenRow{second: second, key: t.ledger.key(id), grant: grantIndex(grant)})
		at.second = second
		if len(rows) == chunkRows {
			at.id = string(id)
		}
		return nil
	}, query, from.second, before, from.second, from.id, chunkRows)
	if err != nil {
		return from, false, t.explain(s, "read new rows", err)
	}
	take(rows)
	return at, len(rows) == chunkRows, nil
}

// explain adds to an error what the administrator can do about it.
func (t *Tokens) explain(s *Session, doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case isServerError(err, 1176):
		err = fmt.Errorf("%w; create it: CREATE INDEX %s ON %s (TIME_CREATED)", err, tokentable.CreatedIndex, s.tokenTable())
	case isServerError(err, 1146), isServerError(err, 1049):
		err = fmt.Errorf("%w; --mysqld.database must name the database of WSO2's token tables", err)
	}
	err = withGrant(s, err, "SELECT (TOKEN_ID, GRANT_TYPE, TIME_CREATED)", s.tokenTable())
	return fmt.Errorf("%s of %s: %w", doing, tokentable.AccessToken, err)
}
