package main

import (
	"io"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/composefile"
)

// TestFlagsOfTheStack takes the command line that compose.yaml gives the demo.
func TestFlagsOfTheStack(t *testing.T) {
	stack, err := composefile.Read("../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	args := stack.Services["testbed"].Command
	o, err := parseFlags("demo", demoOptions(), args, io.Discard)
	if err == nil {
		err = o.Check()
	}
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	if !o.Serve || o.PrometheusURL == "" || o.CloudWatch == "" || o.WindowsListen == "" {
		t.Errorf("compose.yaml's testbed ends with its report, or has a Prometheus, a CloudWatch or windows of its own: %q", args)
	}
}
