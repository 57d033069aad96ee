package compose_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// debian returns the folder of Debian's programs that a variable names.
func debian(t *testing.T, variable, target string) string {
	t.Helper()
	dir := os.Getenv(variable)
	if dir == "" {
		t.Skipf("%s is not set: make %s", variable, target)
	}
	return dir
}

// flags wants a program to know every flag of a service's command line.
func flags(t *testing.T, service, program string) {
	t.Helper()
	help, err := exec.CommandContext(t.Context(), program, "--help").CombinedOutput()
	if err != nil {
		t.Fatalf("%s --help: %v\n%s", program, err, help)
	}
	for _, arg := range read(t).Services[service].Command {
		flag, _, _ := strings.Cut(arg, "=")
		if !regexp.MustCompile(`(?m)^\s+` + regexp.QuoteMeta(flag) + `\b`).Match(help) {
			t.Errorf("%s does not know %s", filepath.Base(program), flag)
		}
	}
}

// TestPrometheus has Debian's promtool read the configuration, and the rules
// where they lie here.
func TestPrometheus(t *testing.T) {
	dir := debian(t, "TOKEN_PERSISTENCE_PROMETHEUS", "test")
	flags(t, "prometheus", filepath.Join(dir, "prometheus"))
	rules, err := filepath.Abs(filepath.Join(root, "alerts", "rules"))
	if err != nil {
		t.Fatal(err)
	}
	config := strings.ReplaceAll(text(t, "compose/prometheus.yml"), "/etc/prometheus/rules", rules)
	file := filepath.Join(t.TempDir(), "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "promtool"), "check", "config", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), " rules found") {
		t.Errorf("promtool check config: %v\n%s", err, out)
	}
}

// TestAlertmanager has Debian's amtool read the configuration.
func TestAlertmanager(t *testing.T) {
	dir := debian(t, "TOKEN_PERSISTENCE_ALERTMANAGER", "test-alerts")
	flags(t, "alertmanager", filepath.Join(dir, "prometheus-alertmanager"))
	out, err := exec.CommandContext(t.Context(), filepath.Join(dir, "amtool"), "check-config", filepath.Join(root, "alerts", "alertmanager.yaml")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "SUCCESS") {
		t.Errorf("amtool check-config: %v\n%s", err, out)
	}
}
