package main

import (
	"io"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/composefile"
)

// TestFlagsOfTheStack takes the command line that compose.yaml gives the exporter.
func TestFlagsOfTheStack(t *testing.T) {
	stack, err := composefile.Read("../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	args := stack.Services["exporter"].Command
	o, err := parse(args, io.Discard)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	if o.target.mysqld.address != "mysql:3306" || len(o.target.accessLogs) != 1 || len(o.target.cloudwatch.rds) != 1 {
		t.Errorf("compose.yaml leaves the exporter without a database, an access log or an RDS instance: %+v", o.target)
	}
}
