package collector

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// BenchmarkCensus goes through a million tokens at the default budget beside a
// writer of one token at a time, and without it: how long a pass takes, what
// processor time it costs the database and how much longer an insert takes.
//
//	go test ./exporter/collector -run '^$' -bench Census -benchtime 1x -timeout 30m
func BenchmarkCensus(b *testing.B) {
	const rows = 1_000_000
	server := mysqltest.Run(b, mysqltest.Config{ExtraArgs: []string{"--innodb-buffer-pool-size=1G", "--innodb-flush-log-at-trx-commit=2"}})
	db := server.Database(b, "apimdb")
	if err := tokentable.Create(b.Context(), db); err != nil {
		b.Fatal(err)
	}
	fillTokens(b, db, rows)
	link, err := NewLink(account(server, "apimdb"), &Gate{})
	if err != nil {
		b.Fatal(err)
	}
	background := NewBackground(link)
	defer background.Close()
	c := NewCensus(CensusConfig{Interval: time.Hour, RowsPerSecond: 20_000}, background, &Tables{})
	for b.Loop() {
		quiet := cpuSeconds(b, server)
		time.Sleep(10 * time.Second)
		quiet = (cpuSeconds(b, server) - quiet) / 10

		cpu, start := cpuSeconds(b, server), time.Now()
		if _, _, err := c.pass(b.Context()); err != nil {
			b.Fatal(err)
		}
		took := time.Since(start)
		b.ReportMetric(took.Seconds(), "s/pass")
		b.ReportMetric(1e6*(cpuSeconds(b, server)-cpu-quiet*took.Seconds())/rows, "server-cpu-µs/row")

		without := insertFor(b, db, func() { time.Sleep(20 * time.Second) })
		with := insertFor(b, db, func() {
			if _, _, err := c.pass(b.Context()); err != nil {
				b.Error(err)
			}
		})
		for _, at := range []int{50, 99} {
			b.ReportMetric(percentile(without, at), fmt.Sprintf("p%d-insert-ms-without", at))
			b.ReportMetric(percentile(with, at), fmt.Sprintf("p%d-insert-ms-with", at))
		}
	}
}

// fillTokens doubles the table until it has so many rows or more.
func fillTokens(b *testing.B, db *sql.DB, rows int) {
	b.Helper()
	const insert = `INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, ACCESS_TOKEN, GRANT_TYPE, TIME_CREATED, VALIDITY_PERIOD, REFRESH_TOKEN_TIME_CREATED,
		REFRESH_TOKEN_VALIDITY_PERIOD, TOKEN_STATE, ACCESS_TOKEN_HASH, REFRESH_TOKEN_HASH, TOKEN_STATE_ID) `
	values := `UUID(), UUID(), ELT(1 + FLOOR(3*RAND()), 'password', 'client_credentials', 'refresh_token'), NOW() - INTERVAL FLOOR(100*RAND()) HOUR, 3600000,
		NOW() - INTERVAL FLOOR(100*RAND()) HOUR, 86400000, ELT(1 + FLOOR(3*RAND()), 'ACTIVE', 'ACTIVE', 'INACTIVE'), SHA2(UUID(), 256), SHA2(UUID(), 256), UUID()`
	execB := func(statement string) {
		if _, err := db.ExecContext(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	execB(insert + "VALUES (" + values + ")")
	for n := 1; n < rows; {
		step := min(n, 50_000, rows-n)
		execB(insert + "SELECT " + values + " FROM (SELECT 1 FROM IDN_OAUTH2_ACCESS_TOKEN LIMIT " + strconv.Itoa(step) + ") AS n")
		n += step
	}
}

// insertFor inserts a token every few milliseconds while work goes on, and
// returns the milliseconds that each took, sorted.
func insertFor(b *testing.B, db *sql.DB, work func()) []float64 {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	var group sync.WaitGroup
	var took []float64
	group.Go(func() {
		for ctx.Err() == nil {
			start := time.Now()
			if err := insertToken(b.Context(), db, "password", 0); err != nil {
				b.Error(err)
				return
			}
			took = append(took, time.Since(start).Seconds()*1000)
			time.Sleep(3 * time.Millisecond)
		}
	})
	work()
	cancel()
	group.Wait()
	slices.Sort(took)
	return took
}

func percentile(sorted []float64, p int) float64 { return sorted[(len(sorted)-1)*p/100] }

// cpuSeconds is the processor time that the server has used.
func cpuSeconds(b *testing.B, server *mysqltest.Server) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", server.PID()))
	if err != nil {
		b.Skip(err)
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	var ticks float64
	for _, field := range fields[11:13] { // utime and stime, in hundredths of a second
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return ticks / 100
}
