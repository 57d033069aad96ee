package main

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/tokenpersistence/toolkit/testbed/cloudwatch"
)

// networkFaults are what the proxy does.
func (w *soakWorld) networkFaults() []soakFault {
	p := w.proxy
	return []soakFault{
		{"freeze the network", true, func(context.Context, *rand.Rand) func() { p.Freeze(); return p.Thaw }},
		{"cut the connections", false, func(context.Context, *rand.Rand) func() { p.Cut(); return nil }},
		{"cut, then freeze", true, func(context.Context, *rand.Rand) func() { p.Cut(); p.Freeze(); return p.Thaw }},
		{"slow the network", false, func(_ context.Context, random *rand.Rand) func() {
			p.Trickle(100 + random.IntN(20_000))
			return func() { p.Trickle(0) }
		}},
		{"refuse connections", true, func(context.Context, *rand.Rand) func() {
			p.Refuse(true)
			p.Cut()
			return func() { p.Refuse(false) }
		}},
		{"cut after some bytes", false, func(_ context.Context, random *rand.Rand) func() {
			p.CutAfter(random.Int64N(20_000))
			p.Cut()
			return func() { p.CutAfter(-1); p.Cut() }
		}},
	}
}

// serverFaults are what happens to the database.
func (w *soakWorld) serverFaults() []soakFault {
	statement := func(name, broken, repaired string) soakFault {
		return soakFault{name, false, func(context.Context, *rand.Rand) func() {
			w.sql(broken)
			return func() { w.sql(repaired) }
		}}
	}
	forget := func(name string, statements ...string) soakFault {
		return soakFault{name, false, func(context.Context, *rand.Rand) func() {
			w.forgets()
			w.sql(statements...)
			return w.forgets
		}}
	}
	const account = "exporter@'127.0.0.1'"
	return []soakFault{
		{"kill the server", true, func(context.Context, *rand.Rand) func() {
			w.forgets()
			w.check(w.server.Kill())
			return func() { w.check(w.server.Restart(context.WithoutCancel(w.t.Context()))); w.forgets() }
		}},
		{"freeze the server", true, func(context.Context, *rand.Rand) func() {
			w.check(w.server.Pause())
			return func() { w.check(w.server.Resume()) }
		}},
		{"lock the token table", false, w.lock},
		{"lead to another server", false, w.lie},
		statement("change the server's time zone", "SET GLOBAL time_zone = '-05:00'", "SET GLOBAL time_zone = 'SYSTEM'"),
		statement("odd defaults", "SET GLOBAL sql_mode = 'ANSI'", "SET GLOBAL sql_mode = DEFAULT"),
		statement("one connection for the account", "ALTER USER "+account+" WITH MAX_USER_CONNECTIONS 1", "ALTER USER "+account+" WITH MAX_USER_CONNECTIONS 3"),
		statement("lock the account", "ALTER USER "+account+" ACCOUNT LOCK", "ALTER USER "+account+" ACCOUNT UNLOCK"),
		statement("break init_connect", "SET GLOBAL init_connect = 'nonsense'", "SET GLOBAL init_connect = ''"),
		{"revoke everything", false, func(context.Context, *rand.Rand) func() {
			w.sql("REVOKE ALL PRIVILEGES, GRANT OPTION FROM " + account)
			return func() { w.sql(w.grants...) }
		}},
		forget("truncate table I/O", "TRUNCATE TABLE performance_schema.table_io_waits_summary_by_table"),
		forget("truncate digests", "TRUNCATE TABLE performance_schema.events_statements_summary_by_digest"),
		forget("truncate statement totals", "TRUNCATE TABLE performance_schema.events_statements_summary_global_by_event_name"),
		forget("flush the status", "FLUSH STATUS"),
		{"kill the exporter's sessions", false, func(context.Context, *rand.Rand) func() { w.killSessions(); return nil }},
	}
}

// otherFaults are what happens to CloudWatch, the logs and the exporter itself.
func (w *soakWorld) otherFaults() []soakFault {
	faults := []soakFault{
		{"stop the exporter", false, func(context.Context, *rand.Rand) func() {
			w.stops(syscall.SIGSTOP)
			return func() { w.stops(syscall.SIGCONT) }
		}},
		{"reload", false, func(context.Context, *rand.Rand) func() { w.check(w.exporter.Signal(syscall.SIGHUP)); return nil }},
		{"rotate the access log", false, func(context.Context, *rand.Rand) func() {
			w.logging.Lock()
			defer w.logging.Unlock()
			w.check(os.Rename(w.accessLog(), w.accessLog()+time.Now().Format("150405.000000")))
			return nil
		}},
		{"truncate the access log", false, w.truncate},
	}
	for name, fault := range map[string]cloudwatch.Fault{
		"throttle CloudWatch":       {Code: cloudwatch.Throttled},
		"deny CloudWatch":           {Code: cloudwatch.AccessDenied},
		"expire the AWS token":      {Code: cloudwatch.ExpiredToken},
		"break CloudWatch":          {Code: cloudwatch.InternalFault},
		"forbid a metric":           {Result: "Forbidden", Metric: "ReadIOPS"},
		"partial data":              {Result: "PartialData"},
		"empty results":             {Empty: true},
		"late datapoints":           {Late: 3 * time.Second},
		"one datapoint per page":    {MaxDatapoints: 1},
		"break one metric's result": {Result: "InternalError", Metric: "WriteIOPS"},
	} {
		faults = append(faults, soakFault{name, false, func(context.Context, *rand.Rand) func() {
			w.aws.Inject(fault)
			return w.aws.ClearFaults
		}})
	}
	slices.SortFunc(faults, func(a, b soakFault) int { return cmp.Compare(a.name, b.name) }) // maps have no order, seeds need one
	return faults
}

// check reports trouble of the soak itself.
func (w *soakWorld) check(err error) {
	if err != nil {
		w.violate("the soak itself: %v", err)
	}
}

// sql runs statements of the administrator. A server that a fault restarts
// needs a second try.
func (w *soakWorld) sql(statements ...string) {
	for _, statement := range statements {
		var err error
		for range 50 {
			if _, err = w.db.ExecContext(context.WithoutCancel(w.t.Context()), statement); err == nil {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if err != nil {
			w.violate("the soak itself: %s: %v", statement, err)
		}
	}
}

// forgets takes note that counters of the server may go down around now.
func (w *soakWorld) forgets() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.resets = time.Now()
}

func (w *soakWorld) stops(signal syscall.Signal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.check(w.exporter.Signal(signal))
	w.stopped = time.Now().Add(soakSlack)
	if signal == syscall.SIGSTOP {
		w.stopped = time.Now().Add(time.Hour) // until it is continued
	}
}

func (w *soakWorld) lock(ctx context.Context, _ *rand.Rand) func() {
	conn, err := w.db.Conn(context.WithoutCancel(ctx))
	if err != nil {
		w.check(err)
		return nil
	}
	_, err = conn.ExecContext(context.WithoutCancel(ctx), "LOCK TABLES IDN_OAUTH2_ACCESS_TOKEN WRITE")
	w.check(err)
	return func() {
		_, err := conn.ExecContext(context.WithoutCancel(ctx), "UNLOCK TABLES")
		w.check(errors.Join(err, conn.Close()))
	}
}

// lie puts another server behind the address: its tables are empty and its
// counters others. Rows that come into a table while another one is looked at
// cannot be counted for sure, so none come.
func (w *soakWorld) lie(context.Context, *rand.Rand) func() {
	w.writing.Lock()
	if !w.settledRows() {
		w.writing.Unlock()
		return nil
	}
	w.forgets()
	w.proxy.Lead(w.other.Addr)
	w.proxy.Cut()
	return func() {
		w.forgets()
		w.proxy.Lead(w.server.Addr)
		w.proxy.Cut()
		w.forgets()
		w.writing.Unlock()
	}
}

// settledRows waits until the exporter has counted what is there and reports
// whether another fault kept it from doing so.
func (w *soakWorld) settledRows() bool {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if w.stoppedSince(time.Now()) {
			continue
		}
		p, err := w.look()
		if err != nil {
			continue
		}
		if rowsIn(p) >= float64(w.must.Load()) {
			return true
		}
	}
	w.note("not all rows are counted: no other server this time")
	return false
}

// look scrapes once beside the scrapers.
func (w *soakWorld) look() (page, error) {
	body, err := w.ask("1")
	if err != nil {
		return nil, err
	}
	return parsePage(body)
}

// truncate empties the access log in place after what is in it was read: the
// loss of what was not is documented.
func (w *soakWorld) truncate(context.Context, *rand.Rand) func() {
	w.logging.Lock()
	defer w.logging.Unlock()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		p, err := w.look()
		if err != nil {
			continue
		}
		if requests, _ := p.value("wso2_token_endpoint_requests_total", "endpoint", "token"); requests == float64(w.requests.Load()) {
			w.check(os.Truncate(w.accessLog(), 0))
			return nil
		}
	}
	w.violate("the access log was not read within 10 s")
	return nil
}

func (w *soakWorld) killSessions() {
	rows, err := w.db.QueryContext(w.t.Context(), "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'exporter'")
	if err != nil {
		return // the server is down
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		w.check(rows.Scan(&id))
		ids = append(ids, id)
	}
	w.check(rows.Err())
	for _, id := range ids {
		_, _ = w.db.ExecContext(w.t.Context(), "KILL "+id) // it may have gone by itself
	}
}
