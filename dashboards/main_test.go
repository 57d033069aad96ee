package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/reference"
)

func TestRun(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new")
	experiment := filepath.Join(t.TempDir(), "experiment.yaml")
	if err := os.WriteFile(experiment, []byte(twoWindows), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"--output", folder}, 0, "5 dashboards with"},
		{[]string{"--help"}, 0, "usage: dashboards"},
		{[]string{"--outptu", folder}, 2, "flag provided but not defined"},
		{[]string{"window"}, 2, "window: want flags only, or windows"},
		{[]string{"windows"}, 2, "want one experiment file"},
		{[]string{"windows", "nowhere.yaml"}, 1, "nowhere.yaml"},
		{[]string{"windows", experiment}, 0, "# EOF"},
	} {
		var stdout, stderr bytes.Buffer
		if got := run(c.args, &stdout, &stderr); got != c.status || !strings.Contains(stdout.String()+stderr.String(), c.want) {
			t.Errorf("%v: status %d, want %d and %q:\n%s%s", c.args, got, c.status, c.want, stdout.String(), stderr.String())
		}
	}
	if files, err := filepath.Glob(filepath.Join(folder, "*.json")); err != nil || len(files) != len(boards()) {
		t.Errorf("wrote %v, %v", files, err)
	}
}

const twoWindows = `
warmup: 10s
windows:
  - {grant: password, persistence: off, block: 2, start: "2026-07-01T10:02:00Z", end: "2026-07-01T10:02:20.500Z", jtl: [b.jtl]}
  - {grant: password, persistence: on, start: "2026-07-01T10:00:00Z", end: "2026-07-01T10:00:14Z"}
`

const twoWindowsText = `# HELP token_persistence_test_window_start_timestamp_seconds Start of the test window that lasts, after its warm-up, Unix time.
# TYPE token_persistence_test_window_start_timestamp_seconds gauge
# UNIT token_persistence_test_window_start_timestamp_seconds seconds
token_persistence_test_window_start_timestamp_seconds{grant="password",persistence="on",window="password on"} 1782900010.000 1782900010.000
token_persistence_test_window_start_timestamp_seconds{grant="password",persistence="on",window="password on"} 1782900010.000 1782900014.000
token_persistence_test_window_start_timestamp_seconds{grant="password",persistence="off",window="password off 2"} 1782900130.000 1782900130.000
token_persistence_test_window_start_timestamp_seconds{grant="password",persistence="off",window="password off 2"} 1782900130.000 1782900135.000
token_persistence_test_window_start_timestamp_seconds{grant="password",persistence="off",window="password off 2"} 1782900130.000 1782900140.000
token_persistence_test_window_start_timestamp_seconds{grant="password",persistence="off",window="password off 2"} 1782900130.000 1782900140.500
# HELP token_persistence_test_window_end_timestamp_seconds End of the test window that lasts, Unix time.
# TYPE token_persistence_test_window_end_timestamp_seconds gauge
# UNIT token_persistence_test_window_end_timestamp_seconds seconds
token_persistence_test_window_end_timestamp_seconds{grant="password",persistence="on",window="password on"} 1782900014.000 1782900010.000
token_persistence_test_window_end_timestamp_seconds{grant="password",persistence="on",window="password on"} 1782900014.000 1782900014.000
token_persistence_test_window_end_timestamp_seconds{grant="password",persistence="off",window="password off 2"} 1782900140.500 1782900130.000
token_persistence_test_window_end_timestamp_seconds{grant="password",persistence="off",window="password off 2"} 1782900140.500 1782900135.000
token_persistence_test_window_end_timestamp_seconds{grant="password",persistence="off",window="password off 2"} 1782900140.500 1782900140.000
token_persistence_test_window_end_timestamp_seconds{grant="password",persistence="off",window="password off 2"} 1782900140.500 1782900140.500
# EOF
`

func TestWindows(t *testing.T) {
	found, err := readWindows([]byte(twoWindows))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := writeWindows(&out, found); err != nil {
		t.Fatal(err)
	}
	if out.String() != twoWindowsText {
		t.Errorf("got\n%s", out.String())
	}
	for text, want := range map[string]string{
		"{}":                        "no windows",
		"warmup: soon\nwindows: []": "warmup",
		"windows: [{grant: a, persistence: maybe}]":                                                              "want on or off",
		"windows: [{grant: a, persistence: on, jtl: [x]}]":                                                       "no start and end",
		`windows: [{grant: a, persistence: on, start: "10:00", end: "10:05"}]`:                                   "start",
		`{warmup: 1m, windows: [{persistence: on, start: "2026-07-01T10:00:00Z", end: "2026-07-01T10:01:00Z"}]}`: "nothing is left",
	} {
		if _, err := readWindows([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestPublishedNumbers finds the published cells in the dashboard's text.
func TestPublishedNumbers(t *testing.T) {
	got := published()
	for _, e := range reference.Editions() {
		if !strings.Contains(got, e.Name) {
			t.Errorf("%s is missing in\n%s", e.Name, got)
		}
	}
	for _, want := range []string{"| client_credentials | 764 → 973 (+27 %) |", "229 → 430 (+88 %)", "453 → 357 (-21 %)"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}
