package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
)

// events are what go test -json says of one package, shortened.
const events = `{"Action":"output","Package":"m/exporter","Test":"TestA","Output":"    a_test.go:7: on the server mariadb 10.11.19\n"}
{"Action":"pass","Package":"m/exporter","Test":"TestA"}
{"Action":"pass","Package":"m/exporter","Test":"TestPure"}
{"Action":"output","Package":"m/exporter","Test":"TestB/part","Output":"    a_test.go:9: on the server mariadb 10.11.19\n"}
{"Action":"output","Package":"m/exporter","Test":"TestB/part","Output":"    a_test.go:10: wrong\n"}
{"Action":"fail","Package":"m/exporter","Test":"TestB/part"}
{"Action":"fail","Package":"m/exporter","Test":"TestB"}
{"Action":"output","Package":"m/exporter","Test":"TestC","Output":"    run.go:30: it needs a server of its own\n"}
{"Action":"skip","Package":"m/exporter","Test":"TestC"}
{"Action":"skip","Package":"m/exporter","Test":"TestA/part"}
{"Action":"output","Package":"m/exporter","Test":"TestStuck","Output":"panic: test timed out\n"}
{"Action":"fail","Package":"m/exporter","Elapsed":3}
{"Action":"fail","Package":"m/other","Elapsed":0}
`

func tallied(t *testing.T, text string) (all *tally, shown string) {
	t.Helper()
	all = newTally("MariaDB")
	for line := range strings.Lines(text) {
		var e event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		shown += all.add(e)
	}
	return all, shown
}

func TestTally(t *testing.T) {
	all, shown := tallied(t, events)
	if want := "    a_test.go:9: on the server mariadb 10.11.19\n    a_test.go:10: wrong\nFAIL  m/exporter  3 s\nFAIL  m/other  0 s\n"; shown != want {
		t.Errorf("shown:\n%s\nwant:\n%s", shown, want)
	}
	var out bytes.Buffer
	status := write(&out, []*tally{all}, []string{"MySQL of Debian sid"})
	want := `
NOT RUN on MariaDB, it needs a server of its own:
  exporter.TestC

NOT RUN on MariaDB, no reason given:
  exporter.TestA/part

FAIL on MariaDB: m/other failed outside its tests

server               version           passed  failed  not run
MariaDB              mariadb 10.11.19  1       3       2
MySQL of Debian sid  NOT RUN: it cannot be fetched from here
`
	if out.String() != want || status != 1 {
		t.Errorf("status %d:\n%s\nwant:\n%s", status, &out, want)
	}
}

// TestNothingMetIsNoSuccess: tests that pass without a server prove nothing.
func TestNothingMetIsNoSuccess(t *testing.T) {
	all, _ := tallied(t, `{"Action":"pass","Package":"m/exporter","Test":"TestPure"}`)
	if status := write(&bytes.Buffer{}, []*tally{all}, nil); status != 1 {
		t.Errorf("status %d", status)
	}
	all, _ = tallied(t, strings.Join(strings.SplitAfter(events, "\n")[:2], ""))
	if status := write(&bytes.Buffer{}, []*tally{all}, nil); status != 0 {
		t.Errorf("status %d of a passed test", status)
	}
}

// TestServerThatCannotBeReached ends with a failure that does not show the password.
func TestServerThatCannotBeReached(t *testing.T) {
	for _, dsn := range []string{"root:c4n4ry@tcp(127.0.0.1:1)/", "root:c4n4ry@127.0.0.1"} {
		t.Setenv(mysqltest.DSNVariable, dsn)
		var out, errs bytes.Buffer
		if status := run(t.Context(), nil, &out, &errs); status != 1 || !strings.Contains(out.String(), "FAIL on DSN: ") {
			t.Errorf("status %d:\n%s", status, &out)
		}
		if strings.Contains(out.String()+errs.String(), "c4n4ry") {
			t.Errorf("the password shows:\n%s%s", &out, &errs)
		}
	}
}

// TestNoServer is a wrong command and no success.
func TestNoServer(t *testing.T) {
	t.Setenv(mysqltest.DSNVariable, "")
	for _, args := range [][]string{nil, {"name"}, {"--nothing"}} {
		if status := run(t.Context(), args, &bytes.Buffer{}, &bytes.Buffer{}); status != 2 {
			t.Errorf("%q: status %d", args, status)
		}
	}
}

// TestLook finds a schema, an account and a setting that were not there before.
func TestLook(t *testing.T) {
	server := mysqltest.Run(t, mysqltest.Config{})
	db := server.Open(t, "")
	before, err := look(t.Context(), server.DSN(""))
	if err != nil {
		t.Fatal(err)
	}
	if same := changes(before, before); same != nil {
		t.Errorf("of the same: %q", same)
	}
	for _, statement := range []string{"CREATE DATABASE left_behind", "CREATE USER 'left'@'%'", "SET GLOBAL max_connections = 77"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	after, err := look(t.Context(), server.DSN(""))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(changes(before, after), "\n")
	for _, name := range []string{"schema left_behind", "account left@%", "setting max_connections"} {
		if !strings.Contains(got, name) {
			t.Errorf("%s is not named: %s", name, got)
		}
	}
}

// TestPackages: the target runs what test-mysql runs.
func TestPackages(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "-timeout 12m " + strings.Join(packages, " ") + "\n"; !strings.Contains(string(text), want) {
		t.Errorf("test-mysql does not end with %q", want)
	}
}
