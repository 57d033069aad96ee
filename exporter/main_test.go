package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"github.com/tokenpersistence/toolkit/exporter/collector"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/programtest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// canary is the password of every exporter that the tests start.
const canary = "c4n4ry-Pa$$w0rd"

func TestMain(m *testing.M) {
	testscript.Main(checked{m}, map[string]func(){"exporter": main})
}

// checked looks for goroutines that tests left behind.
type checked struct{ m *testing.M }

// Run runs the tests. All exporters have the same password, so that tests may
// run side by side, which t.Setenv does not allow.
func (c checked) Run() int {
	if err := os.Setenv(passwordVariable, canary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := c.m.Run()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", UpdateScripts: *update})
}

// running is an exporter that serves within the test's process.
type running struct {
	url    string
	logs   *programtest.Output
	cancel context.CancelFunc
	ended  chan int // receives the exit status
}

var listening = regexp.MustCompile(`Listening on",?(?: address=|"address":")([^\s"]+)`)

// start runs an exporter with these flags until the test's end and proves that
// it never wrote the canary.
func start(t testing.TB, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	r := &running{logs: &programtest.Output{}, cancel: cancel, ended: make(chan int, 1)}
	go func() {
		r.ended <- run(ctx, append([]string{"--web.listen-address=127.0.0.1:0"}, args...), io.Discard, r.logs)
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-r.ended; code != 0 {
			t.Errorf("exit status %d; log:\n%s", code, r.logs)
		}
		if strings.Contains(r.logs.String(), canary) {
			t.Errorf("the log holds the password:\n%s", r.logs)
		}
	})
	r.awaitListening(t)
	return r
}

// awaitListening learns from the log where the exporter listens.
func (r *running) awaitListening(t testing.TB) {
	t.Helper()
	eventually(t, "the exporter listens", func() error {
		found := listening.FindStringSubmatch(r.logs.String())
		if found == nil {
			return errors.New(r.logs.String())
		}
		r.url = "http://" + found[1]
		return nil
	})
}

// eventually waits until try succeeds.
func eventually(t testing.TB, what string, try func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	t.Fatalf("%s: not within a minute: %v", what, err)
}

// get returns the body of a page; timeout is the scrape timeout in seconds, or
// empty for none.
func (r *running) get(t testing.TB, path, timeout string) (status int, body string) {
	t.Helper()
	header := http.Header{"Accept-Encoding": {"identity"}} // to compress takes the detector longest; Prometheus asks for it in a test
	if timeout != "" {
		header.Set(timeoutHeader, timeout)
	}
	return r.do(t, http.MethodGet, path, header)
}

// do makes a request and returns the answer.
func (r *running) do(t testing.TB, method, path string, header http.Header) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), canary) {
		t.Errorf("%s holds the password:\n%s", path, b)
	}
	return response.StatusCode, string(b)
}

// page is a parsed scrape.
type page map[string]*dto.MetricFamily

func (r *running) scrape(t testing.TB) page { return r.scrapeWithin(t, "") }

func (r *running) scrapeWithin(t testing.TB, timeout string) page {
	t.Helper()
	return r.page(t, "/metrics", timeout)
}

// probe scrapes a target of the configuration file.
func (r *running) probe(t testing.TB, target string) page {
	t.Helper()
	return r.page(t, probePath+"?target="+target, "")
}

func (r *running) page(t testing.TB, path, timeout string) page {
	t.Helper()
	status, body := r.get(t, path, timeout)
	if status != http.StatusOK {
		t.Fatalf("%s: status %d: %s", path, status, body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatalf("the page does not parse: %v\n%s", err, body)
	}
	return families
}

// value returns a series' value and whether it is there; labels are pairs.
func (p page) value(name string, labels ...string) (float64, bool) {
	for _, m := range p[name].GetMetric() {
		have := map[string]string{}
		for _, l := range m.Label {
			have[l.GetName()] = l.GetValue()
		}
		matches := true
		for i := 0; i < len(labels); i += 2 {
			matches = matches && have[labels[i]] == labels[i+1]
		}
		if matches {
			return m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue(), true
		}
	}
	return 0, false
}

// slow are collectors that show for minutes what they last saw, whatever befalls
// the database; TestSlowCollectors is that of the first two.
var slow = map[string]bool{"census": true, "schema": true, "statements": true}

// success returns the names of the other collectors by success.
func (p page) success() map[string]bool {
	success := map[string]bool{}
	for _, m := range p["token_persistence_exporter_collector_success"].GetMetric() {
		if name := m.Label[0].GetValue(); !slow[name] {
			success[name] = m.GetGauge().GetValue() == 1
		}
	}
	return success
}

// database is a private server with token tables and an account for exporters
// whose password is the canary.
func database(t testing.TB, config mysqltest.Config) (*mysqltest.Server, *sql.DB) {
	t.Helper()
	server := mysqltest.Run(t, config)
	db := server.Database(t, "apimdb")
	if err := tokentable.Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	server.Account(t, "exporter", canary, "")
	for _, grant := range grants(t, server, db, "apimdb") {
		execute(t, db, grant)
	}
	return server, db
}

// grants are what the exporter's account needs in a database: what check prints.
func grants(t testing.TB, server *mysqltest.Server, db *sql.DB, schema string) []string {
	t.Helper()
	return collector.Grants(collector.Server{Flavor: server.Flavor, Version: server.Version}, schema, server.Named("exporter"),
		column(t, db, "SHOW TABLES FROM "+schema))
}

// column returns the values of a query with one column.
func column(t testing.TB, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var values []string
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return values
}

func execute(t testing.TB, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func databaseFlags(server *mysqltest.Server) []string {
	return []string{"--mysqld.address=" + server.Addr, "--mysqld.username=exporter", "--mysqld.database=apimdb"}
}

// insert adds rows to the token table as password grants do.
func insert(t testing.TB, db *sql.DB, n int) {
	t.Helper()
	for range n {
		execute(t, db, "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, GRANT_TYPE) VALUES (UUID(), 'password')")
	}
}
