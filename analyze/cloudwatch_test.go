package main

import (
	"net/http/httptest"
	"time"

	"github.com/prometheus/common/model"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tokenpersistence/toolkit/testbed/cloudwatch"
)

// serveCloudWatch is the script command
//
//	cloudwatch FILE [CODE]
//
// It serves the points in FILE, whose series are named after CloudWatch's
// metrics and have the labels namespace and instance, and points the AWS SDK at
// them; with CODE every request gets that error.
func serveCloudWatch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: cloudwatch FILE [CODE]")
	}
	s, err := cloudwatch.New(cloudwatch.Config{Period: time.Minute})
	ts.Check(err)
	for _, one := range series(ts, args[0]) {
		for _, p := range one.Samples {
			s.Put(one.Labels.Get("namespace"), one.Labels.Get(model.MetricNameLabel), one.Labels.Get("instance"), time.UnixMilli(p.T), p.V)
		}
	}
	if len(args) == 2 {
		s.Inject(cloudwatch.Fault{Code: args[1]})
	}
	server := httptest.NewServer(s)
	ts.Defer(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "canary-secret",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		ts.Setenv(name, value)
	}
}
