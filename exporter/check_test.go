package main

import (
	"bytes"
	"database/sql"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
	"github.com/tokenpersistence/toolkit/testbed/cloudwatch"
)

// runCheck runs the check command in this process.
func runCheck(t *testing.T, args ...string) (status int, report string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), append([]string{"check"}, args...), &out, &errs)
	report = out.String()
	if strings.Contains(report+errs.String(), canary) {
		t.Errorf("check printed the password:\n%s%s", report, &errs)
	}
	for line := range strings.Lines(report) {
		if len(line) > 81 && !strings.Contains(line, "`") {
			t.Errorf("a line of %d columns: %s", len(line)-1, line)
		}
	}
	return status, report + errs.String()
}

// printed finds the statements in a report.
var printed = regexp.MustCompile(`(?m)^(?:GRANT|ANALYZE|CREATE USER) [^;]*;$`)

func statements(report string) []string { return printed.FindAllString(report, -1) }

// paste runs statements as an administrator does, who expects that none fails.
func paste(t *testing.T, db *sql.DB, statements []string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s\n%v", s, err)
		}
	}
}

// allow runs what check prints, twice: tables that only some generations have,
// and partitions, are visible to the second.
func allow(t *testing.T, db *sql.DB, flags ...string) {
	t.Helper()
	for range 2 {
		_, report := runCheck(t, flags...)
		paste(t, db, statements(report))
	}
}

// freshAccount is a server with token tables and an account without any right,
// whose password is the canary.
func freshAccount(t *testing.T, config mysqltest.Config) (*mysqltest.Server, *sql.DB) {
	t.Helper()
	server := mysqltest.Run(t, config)
	db := server.Database(t, "apim_db") // the underscore is a wildcard in grants
	if err := tokentable.Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	server.Account(t, "exporter", canary, "WITH MAX_USER_CONNECTIONS 3")
	return server, db
}

func checkFlags(server *mysqltest.Server) []string {
	return []string{"--mysqld.address=" + server.Addr, "--mysqld.username=exporter", "--mysqld.database=apim_db"}
}

// TestCheckFreshAccount: what check prints for an account without any right
// makes it green, in check and in a scrape, and then check has nothing to say.
func TestCheckFreshAccount(t *testing.T) {
	t.Parallel()
	server, db := freshAccount(t, mysqltest.Config{SQLOnly: true})
	execute(t, db, "CREATE TABLE IDN_OAUTH2_ACCESS_TOKEN_ACME LIKE IDN_OAUTH2_ACCESS_TOKEN")
	status, report := runCheck(t, checkFlags(server)...)
	if status != 1 || !strings.Contains(report, "FAIL  tokens      permission: ") {
		t.Errorf("status %d of an account without rights:\n%s", status, report)
	}
	if !strings.Contains(report, "\nRun check again after that") {
		t.Errorf("nothing says that the tables are not known yet:\n%s", report)
	}
	paste(t, db, statements(report))

	// Now the tables are visible, the partition among them.
	status, report = runCheck(t, checkFlags(server)...)
	if status != 1 || !strings.Contains(report, "`IDN_OAUTH2_ACCESS_TOKEN_ACME`") || strings.Contains(report, "Error 1146") {
		t.Errorf("status %d with a partition that cannot be read:\n%s", status, report)
	}
	paste(t, db, statements(report))

	status, report = runCheck(t, checkFlags(server)...)
	if left := statements(report); status != 0 || len(left) > 0 {
		t.Errorf("status %d, %d statements left:\n%s", status, len(left), report)
	}
	for _, word := range []string{"FAIL", "more than it needs", "Paste"} {
		if strings.Contains(report, word) {
			t.Errorf("the report of an account with all it needs has %q:\n%s", word, report)
		}
	}
	r := start(t, checkFlags(server)...)
	r.wait(t, all(true))
	for _, table := range tokentable.Common() {
		if _, ok := r.scrape(t).value("wso2_token_table_data_bytes", "table", table); !ok {
			t.Errorf("the size of %s is not shown", table)
		}
	}
	_, report = runCheck(t, append(checkFlags(server), "--all")...)
	if len(statements(report)) < 4 {
		t.Errorf("check --all prints %d statements:\n%s", len(statements(report)), report)
	}
}

// TestCheckLogin: an account that cannot log in gets a statement that creates
// it, which the server refuses until somebody has written a password into it.
func TestCheckLogin(t *testing.T) {
	server, db := freshAccount(t, mysqltest.Config{})
	status, report := runCheck(t, "--mysqld.address="+server.Addr, "--mysqld.username=new", "--mysqld.database=apim_db")
	found := statements(report)
	if status != 1 || len(found) < 4 || !strings.HasPrefix(found[0], "CREATE USER 'new'@'127.0.0.1' IDENTIFIED BY <") || !strings.Contains(found[0], "WITH MAX_USER_CONNECTIONS 3") {
		t.Fatalf("status %d:\n%s", status, report)
	}
	if _, err := db.ExecContext(t.Context(), found[0]); err == nil || !strings.Contains(err.Error(), "1064") {
		t.Errorf("the statement as printed: %v", err)
	}
	found[0] = strings.Replace(found[0], "<a password>", "'"+canary+"'", 1)
	paste(t, db, found)
	allow(t, db, "--mysqld.address="+server.Addr, "--mysqld.username=new", "--mysqld.database=apim_db")
	if status, report = runCheck(t, "--mysqld.address="+server.Addr, "--mysqld.username=new", "--mysqld.database=apim_db"); status != 0 {
		t.Errorf("status %d:\n%s", status, report)
	}
}

// TestCheckExcess: rights beyond the needs are named and do not make check fail.
func TestCheckExcess(t *testing.T) {
	t.Parallel()
	server, db := freshAccount(t, mysqltest.Config{SQLOnly: true})
	execute(t, db, "GRANT SELECT ON apim_db.* TO "+server.Named("exporter"))
	execute(t, db, "GRANT PROCESS ON *.* TO "+server.Named("exporter"))
	execute(t, db, "GRANT SELECT ON performance_schema.* TO "+server.Named("exporter"))
	status, report := runCheck(t, checkFlags(server)...)
	flat := strings.Join(strings.Fields(report), " ")
	for _, right := range []string{"SELECT ON `apim_db`.*", "PROCESS ON *.*", "SELECT ON `performance_schema`.*"} {
		if !strings.Contains(strings.ReplaceAll(flat, `\_`, "_"), "more than it needs: "+right) {
			t.Errorf("%s is not named:\n%s", right, report)
		}
	}
	if !strings.Contains(flat, "! the account can read token values or statements that hold them") {
		t.Errorf("nothing about token values:\n%s", report)
	}
	if status != 0 || len(statements(report)) > 0 {
		t.Errorf("status %d:\n%s", status, report)
	}
}

// TestCheckWithoutPerformanceSchema prints the parameter.
func TestCheckWithoutPerformanceSchema(t *testing.T) {
	t.Parallel()
	server, db := freshAccount(t, mysqltest.Config{NoPerformanceSchema: true})
	allow(t, db, checkFlags(server)...)
	status, report := runCheck(t, checkFlags(server)...)
	if status != 1 || !strings.Contains(report, "\nperformance_schema=ON\n") || !strings.Contains(report, "FAIL  tableio     schema: performance_schema is off") {
		t.Errorf("status %d:\n%s", status, report)
	}
	if strings.Count(report, "FAIL") != strings.Count(report, "schema: performance_schema is off") {
		t.Errorf("more than performance_schema fails:\n%s", report)
	}
	if !strings.Contains(report, "ok    tokens") {
		t.Errorf("tokens:\n%s", report)
	}
}

// TestEachGrantIsNeeded takes away one printed statement after the other: check
// then prints exactly that one again, and some collector fails, unless the
// statement says that it is for something optional.
func TestEachGrantIsNeeded(t *testing.T) {
	server, db := freshAccount(t, mysqltest.Config{SQLOnly: true})
	execute(t, db, "CREATE TABLE IDN_OAUTH2_ACCESS_TOKEN_ACME LIKE IDN_OAUTH2_ACCESS_TOKEN")
	allow(t, db, checkFlags(server)...)
	status, all := runCheck(t, append(checkFlags(server), "--all")...)
	if status != 0 {
		t.Fatalf("status %d:\n%s", status, all)
	}
	for _, grant := range statements(all) {
		execute(t, db, revoke(grant))
		status, report := runCheck(t, checkFlags(server)...)
		got := statements(report)
		if len(got) != 1 || got[0] != grant {
			t.Errorf("without\n%s\ncheck prints %q", grant, got)
		}
		optional := strings.Contains(all, "-- for "+reasonOf(all, grant)+"\n"+grant)
		if (status == 0) != optional {
			t.Errorf("status %d without\n%s\n%s", status, grant, report)
		}
		for _, failed := range regexp.MustCompile(`(?m)^FAIL  (\w+) +(\w+):`).FindAllStringSubmatch(report, -1) {
			if failed[2] != "permission" && failed[2] != "partial" {
				t.Errorf("%s fails with %s without\n%s\n%s", failed[1], failed[2], grant, report)
			}
		}
		execute(t, db, grant)
	}
}

// reasonOf returns what the comment before a statement says.
func reasonOf(report, statement string) string {
	before, _, _ := strings.Cut(report, "\n"+statement)
	_, reason, found := strings.Cut(before[strings.LastIndexByte(before, '\n')+1:], "-- for ")
	if !found {
		return "\x00"
	}
	return reason
}

// TestCheckCloudWatch: one set of requests tells whether CloudWatch lets us in;
// where it does not, the policy is printed.
func TestCheckCloudWatch(t *testing.T) {
	flags := cloudWatchFlags(t)
	status, report := runCheck(t, flags...)
	if status != 0 || !strings.Contains(report, "ok    cloudwatch  19 metrics every 1m0s: about 8.21 USD a month") {
		t.Errorf("status %d:\n%s", status, report)
	}
	status, report = runCheck(t, append(flags, "--all", "--cloudwatch.assume-role=arn:aws:iam::1:role/reader")...)
	for _, part := range []string{`"Action": "cloudwatch:GetMetricData"`, `"Action": "sts:AssumeRole"`, `"Resource": "arn:aws:iam::1:role/reader"`, "Trust policy"} {
		if !strings.Contains(report, part) {
			t.Errorf("status %d, no %s:\n%s", status, part, report)
		}
	}

	endpoint, err := cloudwatch.Start(cloudwatch.Config{Period: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer endpoint.Close()
	endpoint.Inject(cloudwatch.Fault{Code: cloudwatch.AccessDenied})
	t.Setenv("AWS_ENDPOINT_URL", endpoint.URL())
	status, report = runCheck(t, flags...)
	if status != 1 || !strings.Contains(report, "FAIL  cloudwatch  permission: ") || !strings.Contains(report, `"Action": "cloudwatch:GetMetricData"`) {
		t.Errorf("status %d:\n%s", status, report)
	}
}
