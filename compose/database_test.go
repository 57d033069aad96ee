package compose_test

import (
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/exporter/collector"
	"github.com/tokenpersistence/toolkit/internal/buildtest"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

var update = flag.Bool("update", false, "write mysql/grants.sql")

const account = "'exporter'@'%'"

// TestGrants wants mysql/grants.sql to be what the exporter's collectors need.
func TestGrants(t *testing.T) {
	image := read(t).Services["mysql"].Image
	_, version, _ := strings.Cut(image, ":")
	var tables []string
	for _, found := range regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`).FindAllStringSubmatch(strings.Join(tokentable.Statements(), "\n"), -1) {
		tables = append(tables, found[1])
	}
	slices.Sort(tables)
	statements := collector.Grants(collector.Server{Flavor: "mysql", Version: version}, "apimdb", account, tables)
	want := "-- What `exporter check` asks for on a new MySQL " + version + "; written by `go test ./compose -update`.\n" +
		strings.Join(statements, ";\n") + ";\n"
	if *update {
		if err := os.WriteFile(filepath.Join("mysql", "grants.sql"), []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if got := text(t, "compose/mysql/grants.sql"); got != want {
		t.Errorf("mysql/grants.sql is stale: run go test ./compose -update\nhave\n%s\nwant\n%s", got, want)
	}
}

// TestDatabase starts a MySQL with the stack's flags, initialises it as the
// image's entrypoint does, and has the exporter check its account. It needs a
// MySQL: `make test-mysql`.
func TestDatabase(t *testing.T) {
	mysql := read(t).Services["mysql"]
	if flavor, err := mysqltest.ProgramFlavor(t.Context()); err != nil || flavor != mysqltest.MySQL {
		t.Skip("the stack has MySQL: make test-mysql")
	}
	// The PID file lies in a volume.
	own := append(slices.Clone(mysql.Command), "--pid-file="+filepath.Join(t.TempDir(), "mysqld.pid"))
	server := mysqltest.Run(t, mysqltest.Config{ExtraArgs: own})
	secrets := t.TempDir()
	password := filepath.Join(secrets, "exporter")
	if err := os.WriteFile(password, []byte("c4n4ry"), 0o600); err != nil {
		t.Fatal(err)
	}
	setUp(t, server, mysql.Environment["MYSQL_DATABASE"], secrets)

	args := []string{"check", "--mysqld.address=" + server.Addr, "--mysqld.password-file=" + password}
	for _, arg := range read(t).Services["exporter"].Command {
		name, _, _ := strings.Cut(arg, "=")
		if name == "--mysqld.username" || name == "--mysqld.database" || strings.HasPrefix(name, "--collector.tokens") {
			args = append(args, arg)
		}
	}
	exporter := filepath.Join(buildtest.Programs(t, "exporter"), "exporter")
	out, err := exec.CommandContext(t.Context(), exporter, args...).CombinedOutput()
	if err != nil {
		t.Errorf("exporter %v: %v\n%s", args, err, out)
	}
	if strings.Contains(string(out), "c4n4ry") {
		t.Errorf("the password is in the output:\n%s", out)
	}
}

// setUp does what the entrypoint of the image does with the files that are
// mounted into its init folder, in their order.
func setUp(t *testing.T, server *mysqltest.Server, database, secrets string) {
	t.Helper()
	db := server.Open(t, "")
	run := func(sql string) {
		t.Helper()
		for statement := range strings.SplitSeq(sql, ";\n") {
			statement = regexp.MustCompile(`(?m)^--.*$`).ReplaceAllString(statement, "")
			if statement = strings.TrimSpace(statement); statement == "" {
				continue
			}
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
	run("CREATE DATABASE " + database + ";\nCREATE USER 'testbed'@'%' IDENTIFIED BY 'c4n4ry';\nGRANT ALL ON `" + database + "`.* TO 'testbed'@'%';\n")
	db = server.Open(t, database)
	mounted := map[string]string{}
	for _, m := range read(t).Services["mysql"].Volumes {
		if folder, name := filepath.Split(m.Target); folder == "/docker-entrypoint-initdb.d/" {
			mounted[name] = m.Source
		}
	}
	for _, name := range slices.Sorted(maps.Keys(mounted)) {
		sql := text(t, mounted[name])
		if strings.HasSuffix(name, ".sh") {
			// The entrypoint sources it; its function feeds a client.
			script := "docker_process_sql() { cat; }\n" + strings.ReplaceAll(sql, "/secrets/", secrets+"/")
			out, err := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script).Output()
			if err != nil {
				t.Fatalf("%s: %v", mounted[name], err)
			}
			sql = string(out)
		}
		run(sql)
	}
}
