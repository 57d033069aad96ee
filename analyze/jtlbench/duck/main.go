// The duck program reads a JMeter result file with DuckDB and prints every
// count, one to a line. The schema is given, so nothing is sniffed; the file is
// read once, for both groupings.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2" // the driver
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "duck:", err)
		os.Exit(1)
	}
}

// rows are the columns that the counts need; DuckDB skips the others.
const rows = `SELECT label, success, elapsed, (timeStamp + elapsed) // 1000 AS second FROM read_csv('%s',
	auto_detect = false, header = true, delim = ',', quote = '"', escape = '"', columns = {
	timeStamp: 'BIGINT', elapsed: 'INTEGER', label: 'VARCHAR', responseCode: 'VARCHAR', responseMessage: 'VARCHAR', threadName: 'VARCHAR',
	dataType: 'VARCHAR', success: 'BOOLEAN', failureMessage: 'VARCHAR', bytes: 'BIGINT', sentBytes: 'BIGINT', grpThreads: 'INTEGER',
	allThreads: 'INTEGER', URL: 'VARCHAR', Latency: 'INTEGER', IdleTime: 'INTEGER', "Connect": 'INTEGER'})`

const counts = `SELECT label, second, elapsed, GROUPING(second) AS by_elapsed,
	count(*) FILTER (WHERE success) AS successes, count(*) FILTER (WHERE NOT success) AS errors
	FROM (%s) GROUP BY GROUPING SETS ((label, second), (label, elapsed))`

func run(ctx context.Context, files []string, stdout io.Writer) error {
	if len(files) != 1 {
		return errors.New("give one result file")
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	w := bufio.NewWriter(stdout)
	err = query(ctx, db, files[0], w)
	return errors.Join(err, w.Flush(), db.Close())
}

func query(ctx context.Context, db *sql.DB, file string, w io.Writer) error {
	for _, set := range []string{"SET threads = 2", "SET preserve_insertion_order = false"} {
		if _, err := db.ExecContext(ctx, set); err != nil {
			return err
		}
	}
	found, err := db.QueryContext(ctx, fmt.Sprintf(counts, fmt.Sprintf(rows, strings.ReplaceAll(file, "'", "''"))))
	if err != nil {
		return err
	}
	defer found.Close() //nolint:errcheck // read to its end, and Err is asked
	type total struct{ rows, errors int64 }
	totals := map[string]total{}
	for found.Next() {
		var label string
		var second, elapsed sql.NullInt64
		var byElapsed, successes, failures int64
		if err := found.Scan(&label, &second, &elapsed, &byElapsed, &successes, &failures); err != nil {
			return err
		}
		if byElapsed == 1 {
			if successes > 0 {
				fmt.Fprintf(w, "ms %s %d %d\n", label, elapsed.Int64, successes)
			}
			continue
		}
		t := totals[label]
		totals[label] = total{t.rows + successes + failures, t.errors + failures}
		fmt.Fprintf(w, "second %s %d %d %d\n", label, second.Int64, successes, failures)
	}
	for label, t := range totals {
		fmt.Fprintf(w, "label %s %d %d\n", label, t.rows, t.errors)
	}
	return found.Err()
}
