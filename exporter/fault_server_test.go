package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/faultproxy"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// TestDatabaseDownLeavesTheRest: without its database the exporter still shows
// CloudWatch and the logs.
func TestDatabaseDownLeavesTheRest(t *testing.T) {
	access, carbon := filepath.Join(t.TempDir(), "http_access_.log"), filepath.Join(t.TempDir(), "wso2carbon.log")
	writeFile(t, access, "")
	writeFile(t, carbon, "")
	proxy := faultproxy.Run(t, "127.0.0.1:1")
	r := start(t, append(cloudWatchFlags(t), "--mysqld.address="+proxy.Addr(), "--mysqld.username=exporter",
		"--collector.endpoint.access-log="+access, "--collector.carbonlog.log="+carbon)...)
	for _, fault := range []func(){func() {}, proxy.Freeze} {
		fault()
		eventually(t, "the others succeed", func() error {
			success := r.scrapeWithin(t, "1").success()
			for _, name := range []string{"cloudwatch", "endpoint", "carbonlog"} {
				if !success[name] {
					return fmt.Errorf("%s fails:\n%s", name, r.logs)
				}
			}
			return nil
		})
		p := r.scrapeWithin(t, "1")
		if success := p.success(); success["mysql"] || success["tokens"] {
			t.Errorf("success %v without a database", success)
		}
		if _, shown := p.value("rds_cpu_utilization_ratio"); !shown {
			t.Error("CloudWatch is not shown")
		}
		if status, _ := r.get(t, "/-/healthy", ""); status != 200 {
			t.Errorf("unhealthy: %d", status)
		}
	}
}

// TestFailover leads the exporter to a read-only copy of its server and makes
// that the new writer: the counter of rows neither repeats nor loses any.
func TestFailover(t *testing.T) {
	t.Parallel()
	s := newStage(t, mysqltest.Config{ExtraArgs: []string{"--server-id=11"}})
	other, db := database(t, mysqltest.Config{ExtraArgs: []string{"--server-id=12"}})
	r := start(t, append(s.flags(), "--collector.tokens.lateness=2s")...)
	r.green(t)
	insert(t, s.db, 5)
	eventually(t, "5 rows", func() error { return r.rows(t, 5) })
	before := r.scrape(t)
	shows := func(name string, want float64) {
		t.Helper()
		if got, _ := r.scrape(t).value(name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	shows("mysql_read_only", 0)

	for _, row := range column(t, s.db, "SELECT CONCAT('(''', TOKEN_ID, ''',''', GRANT_TYPE, ''',''', TIME_CREATED, ''')') FROM IDN_OAUTH2_ACCESS_TOKEN") {
		execute(t, db, "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, GRANT_TYPE, TIME_CREATED) VALUES "+row)
	}
	execute(t, db, "SET GLOBAL read_only = 1")
	s.proxy.Lead(other.Addr)
	s.proxy.Cut()
	r.green(t)
	shows("mysql_read_only", 1)
	shows("wso2_token_watermark_timestamp_seconds", func() float64 {
		v, _ := before.value("wso2_token_watermark_timestamp_seconds")
		return v
	}())
	if err := r.rows(t, 5); err != nil {
		t.Errorf("after the failover: %v", err)
	}

	execute(t, db, "SET GLOBAL read_only = 0") // it becomes the writer, on the open connection
	shows("mysql_read_only", 0)
	insert(t, db, 2)
	eventually(t, "7 rows", func() error { return r.rows(t, 7) })
	if connects, _ := r.scrape(t).value("token_persistence_exporter_database_connects_total", "connection", "scrape"); connects != 2 {
		t.Errorf("%v connections opened for the scrapes, want one for each server", connects)
	}
}

// TestSteadyScrapesOpenNoConnection asks the server and the exporter.
func TestSteadyScrapesOpenNoConnection(t *testing.T) {
	t.Parallel()
	server, db := database(t, mysqltest.Config{})
	r := start(t, append(databaseFlags(server), "--collector.tokens.lateness=1s")...)
	r.green(t)
	count := func() string {
		t.Helper()
		var name, connections string
		try(t, db.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Connections'").Scan(&name, &connections))
		p := r.scrape(t)
		ours, _ := p.value("token_persistence_exporter_database_connects_total", "connection", "scrape")
		background, _ := p.value("token_persistence_exporter_database_connects_total", "connection", "background")
		return fmt.Sprint(connections, " in the server, ", ours, " and ", background, " of the exporter")
	}
	eventually(t, "the background has connected", func() error {
		if c := count(); !strings.HasSuffix(c, "1 and 1 of the exporter") {
			return fmt.Errorf("%s", c)
		}
		return nil
	})
	before := count()
	for range 100 {
		r.scrape(t)
	}
	if after := count(); after != before {
		t.Errorf("connections before: %s; after 100 scrapes: %s", before, after)
	}
}

// TestFullDigestTable: when the server has no room for another digest, nothing
// that scrapes read is slower or wrong.
func TestFullDigestTable(t *testing.T) {
	server, db := database(t, mysqltest.Config{ExtraArgs: []string{"--performance-schema-digests-size=50"}})
	for i := range 200 {
		execute(t, db, fmt.Sprintf("DO 1 IN (1%s)", strings.Repeat(" + 'x'", i)))
		execute(t, db, fmt.Sprintf("SELECT 1 AS a%d", i))
	}
	var lost int
	var name string
	try(t, db.QueryRowContext(t.Context(), "SHOW GLOBAL STATUS LIKE 'Performance_schema_digest_lost'").Scan(&name, &lost))
	if lost == 0 {
		t.Fatal("the digest table is not full")
	}
	r := start(t, databaseFlags(server)...)
	p := r.scrape(t)
	for _, name := range []string{"mysql", "tableio", "tablesize", "tokens"} {
		if !p.success()[name] {
			t.Errorf("%s fails:\n%s", name, r.logs)
		}
	}
}

// TestNotADatabase: whatever answers at the database's address, the exporter
// says that the connection is no good, in time, and recovers.
func TestNotADatabase(t *testing.T) {
	t.Parallel()
	s := newStage(t, mysqltest.Config{})
	r := start(t, s.flags()...)
	var seed atomic.Uint64 // connections may be answered side by side
	noise := func(conn net.Conn) {
		random := rand.New(rand.NewPCG(3, seed.Add(1)))
		b := make([]byte, 1+random.IntN(300))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		_, _ = conn.Write(b)
	}
	endless := func(header string) func(net.Conn) {
		return func(conn net.Conn) {
			_, err := io.WriteString(conn, header)
			for zeros := make([]byte, 64<<10); err == nil; {
				_, err = conn.Write(zeros)
			}
		}
	}
	says := func(text string) func(net.Conn) {
		return func(conn net.Conn) { _, _ = io.WriteString(conn, text) }
	}
	for name, answer := range map[string]func(net.Conn){
		"a web server":   says("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
		"an SSH server":  says("SSH-2.0-OpenSSH_9.2\r\n"),
		"nothing":        func(net.Conn) {},
		"an old server":  says("\x05\x00\x00\x00\x093.23"),
		"endless packet": endless("\xff\xff\xff\x00"),
		"endless zeros":  endless(""),
		"noise":          noise,
	} {
		t.Run(name, func(t *testing.T) {
			impostor, err := net.Listen("tcp", "127.0.0.1:0")
			try(t, err)
			var conns sync.WaitGroup
			conns.Go(func() {
				for {
					conn, err := impostor.Accept()
					if err != nil {
						return
					}
					conns.Go(func() {
						answer(conn)
						_ = conn.Close() // a client that has gone is no error here
					})
				}
			})
			r.green(t)
			s.proxy.Lead(impostor.Addr().String())
			for range 10 {
				s.proxy.Cut()
				overrun, p := r.overrun(t, "0.5")
				if overrun > busy || len(p.failing()) < 4 {
					t.Errorf("answered %v after the deadline, failing %v", overrun, p.failing())
				}
			}
			for _, m := range r.scrapeWithin(t, "0.5")["token_persistence_exporter_collector_failures_total"].Metric {
				if class := m.Label[0].GetValue(); class == "other" || class == "auth" {
					t.Fatalf("failures of class %s:\n%s", class, r.logs)
				}
			}
			s.proxy.Lead(s.server.Addr)
			s.proxy.Cut()
			r.green(t)
			try(t, impostor.Close())
			conns.Wait()
		})
	}
}
