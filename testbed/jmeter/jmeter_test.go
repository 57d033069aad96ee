package jmeter_test

import (
	"database/sql"
	"encoding/csv"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/internal/buildtest"
	"github.com/tokenpersistence/toolkit/internal/child"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
	"github.com/tokenpersistence/toolkit/testbed/credentials"
	"github.com/tokenpersistence/toolkit/testbed/keymanager"
	"github.com/tokenpersistence/toolkit/testbed/keymanager/keymanagertest"
	"github.com/tokenpersistence/toolkit/testbed/users"
)

// jmeterVariable names the script that starts JMeter 2.13, as `testbed/install.sh
// jmeter` leaves it. Without it the plans are not run.
const jmeterVariable = "TOKEN_PERSISTENCE_JMETER"

// newer are the settings that JMeter 2.13 does not know.
var newer = strings.NewReplacer(
	`properties="5.0" jmeter="5.6.3"`, `properties="2.8" jmeter="2.13"`,
	"            <sentBytes>true</sentBytes>\n", "",
	"            <idleTime>true</idleTime>\n", "",
)

// TestJMeter runs every plan for some seconds against a key manager, through TLS: analyze reads every row, all of them are good, the
// tables hold as many tokens as there are rows, and each thread keeps its
// connection.
func TestJMeter(t *testing.T) {
	program := os.Getenv(jmeterVariable)
	if program == "" {
		t.Skipf("%s is not set: make test-jmeter", jmeterVariable)
	}
	const threads, applications = 6, 3
	server := mysqltest.Run(t, mysqltest.Config{})
	analyze := filepath.Join(buildtest.Programs(t, "analyze"), "analyze")
	first := map[string]int{"Obtain_First_Token": threads}
	for _, c := range []struct {
		grant, mode string
		others      map[string]int // labels of requests that prepare
		issued      string
	}{
		{"client_credentials", "on", nil, "SELECT COUNT(*) FROM IDN_OAUTH2_ACCESS_TOKEN WHERE GRANT_TYPE = 'client_credentials'"},
		{"password", "on", nil, "SELECT COUNT(*) FROM IDN_OAUTH2_ACCESS_TOKEN WHERE GRANT_TYPE = 'password'"},
		// Every refresh moves the row it replaces to the audit table.
		{"refresh_token", "on", first, "SELECT COUNT(*) FROM IDN_OAUTH2_ACCESS_TOKEN_AUDIT"},
		// Refresh tokens are JWTs, and every refresh voids the one it used.
		{"refresh_token", "off", first, "SELECT COUNT(*) FROM IDN_INVALID_TOKENS"},
	} {
		name := c.grant + "_" + c.mode
		t.Run(name, func(t *testing.T) {
			grant, label := c.grant, users.Label(c.grant)
			db := server.Database(t, name)
			set := credentials.Make(applications, 2*applications)
			base, connections := secure(t, keyManager(t, db, server.DSN(name), c.mode == "on", set))
			out := filepath.Join(t.TempDir(), name+"-1.jtl")
			runJMeter(t, program, grant, "-Jprotocol="+base.Scheme, "-Jhost="+base.Hostname(), "-Jport="+base.Port(),
				"-Jcredentials="+credentialsFile(t, set), fmt.Sprintf("-Jconcurrency=%d", threads), "-JrampUpPeriod=1", "-Jtime=6", "-Jout="+out)

			labels, failures := count(t, out)
			samples := labels[label]
			if delete(labels, label); len(labels) == 0 {
				labels = nil
			}
			if diff := cmp.Diff(c.others, labels); diff != "" || failures > 0 || samples < 5*threads {
				t.Errorf("%d samples, %d failures, others (-want +got):\n%s", samples, failures, diff)
			}
			if issued := number(t, db, c.issued); issued != samples {
				t.Errorf("the key manager issued %d tokens for %d samples", issued, samples)
			}
			if n := connections.Load(); n != threads {
				t.Errorf("%d connections of %d threads", n, threads)
			}
			if used := number(t, db, "SELECT COUNT(DISTINCT CONSUMER_KEY_ID) FROM IDN_OAUTH2_ACCESS_TOKEN"); c.mode == "on" && used != applications {
				t.Errorf("%d of %d applications were used", used, applications)
			}
			if scopes := number(t, db, "SELECT COUNT(DISTINCT TOKEN_SCOPE) FROM IDN_OAUTH2_ACCESS_TOKEN_SCOPE WHERE TOKEN_SCOPE REGEXP '^device_[0-9]{10}$'"); grant != "refresh_token" && scopes != samples {
				t.Errorf("%d device scopes for %d samples", scopes, samples)
			}
			text, err := exec.CommandContext(t.Context(), analyze, "inspect", out).CombinedOutput()
			if err != nil || !strings.Contains(string(text), " rows, 0 could not be read, ") || !strings.Contains(string(text), label[:20]) {
				t.Errorf("analyze inspect: %v\n%s", err, text)
			}
			t.Logf("%s: %d samples", name, samples)
		})
	}
}

// runJMeter runs a copy of the plan that JMeter 2.13 can read.
func runJMeter(t *testing.T, program, grant string, properties ...string) {
	t.Helper()
	text, _ := readPlan(t, grant)
	dir := t.TempDir()
	plan := filepath.Join(dir, grant+".jmx")
	if err := os.WriteFile(plan, []byte(newer.Replace(text)), 0o600); err != nil {
		t.Fatal(err)
	}
	console, err := os.Create(filepath.Join(dir, "console"))
	if err != nil {
		t.Fatal(err)
	}
	defer console.Close()
	log := filepath.Join(dir, "jmeter.log")
	cmd := exec.Command(program, append([]string{"-n", "-t", plan, "-j", log}, properties...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, console, console
	p, err := child.Start(cmd, nil)
	if err != nil {
		t.Fatal(err)
	}
	failed := "it ended"
	select {
	case <-p.Done():
		if err = p.Err(); err == nil {
			return
		}
	case <-time.After(2 * time.Minute):
		failed = "it did not end"
		_ = p.Kill() // the test fails anyway
	}
	said, _ := os.ReadFile(console.Name())
	logged, _ := os.ReadFile(log)
	t.Fatalf("JMeter: %s, %v\n%s\n%s", failed, err, said, logged)
}

// secure puts TLS in front of a key manager, with a certificate that nobody
// knows, and counts the connections.
func secure(t *testing.T, base *url.URL) (*url.URL, *atomic.Int64) {
	t.Helper()
	var connections atomic.Int64
	front := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(base))
	front.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	front.StartTLS()
	t.Cleanup(front.Close)
	there, err := url.Parse(front.URL)
	if err != nil {
		t.Fatal(err)
	}
	return there, &connections
}

// keyManager runs one until the end of the test.
func keyManager(t *testing.T, db *sql.DB, dsn string, persistence bool, set credentials.Set) *url.URL {
	t.Helper()
	if err := tokentable.Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if err := keymanager.Provision(t.Context(), db, set); err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(keymanagertest.Serve(t, keymanager.Config{DSN: dsn, Persistence: persistence, Logs: t.TempDir()}))
	if err != nil {
		t.Fatal(err)
	}
	return base
}

func credentialsFile(t *testing.T, set credentials.Set) string {
	t.Helper()
	text := "consumer_key,consumer_secret,username,password\n"
	for i, u := range set.Users {
		a := set.Applications[i%len(set.Applications)]
		text += strings.Join([]string{a.Key, a.Secret, u.Name, u.Password}, ",") + "\n"
	}
	path := filepath.Join(t.TempDir(), "credentials.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// count reads a result file: rows per label, and those without success.
func count(t *testing.T, path string) (labels map[string]int, failures int) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	labels = map[string]int{}
	for _, row := range rows[1:] {
		labels[row[column["label"]]]++
		if row[column["success"]] != "true" {
			failures++
		}
	}
	return labels, failures
}

func number(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
