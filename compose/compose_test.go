// Package compose_test holds compose.yaml and what it mounts against the
// repository, and against the programs that are at hand. No container engine
// runs here: docs/compose.md says what that leaves open.
package compose_test

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/composefile"
)

const root = ".."

func read(t *testing.T) composefile.Stack {
	t.Helper()
	stack, err := composefile.Read(filepath.Join(root, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return stack
}

func text(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// listening are the services with their ports.
var listening = []string{
	"mysql:3306", "exporter:9851", "prometheus:9090", "alertmanager:9093", "grafana:3000",
	"testbed:4566", // CloudWatch
	"testbed:9852", // the test windows
}

func TestServices(t *testing.T) {
	stack := read(t)
	want := []string{"alertmanager", "exporter", "grafana", "mysql", "prepare", "prometheus", "testbed"}
	if got := slices.Sorted(maps.Keys(stack.Services)); !slices.Equal(got, want) {
		t.Errorf("services %v, want %v", got, want)
	}
	pinned := regexp.MustCompile(`^docker\.io/[a-z]+/[a-z]+:v?\d+\.\d+\.\d+$`)
	built := map[string]bool{}
	for _, s := range stack.Services {
		if s.Build != nil {
			built[s.Image] = true
		}
	}
	for name, s := range stack.Services {
		if !built[s.Image] && !pinned.MatchString(s.Image) {
			t.Errorf("%s: image %s is neither built here nor pinned by a version", name, s.Image)
		}
		if !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged {
			t.Errorf("%s may do more than it needs", name)
		}
		if s.User == "0:0" != (name == "prepare") || len(s.CapAdd) > 0 != (name == "prepare") {
			t.Errorf("%s: user %q, capabilities %v: only prepare is root, and without a network", name, s.User, s.CapAdd)
		}
		for _, published := range s.Ports {
			_, port, _ := strings.Cut(strings.TrimPrefix(published, "127.0.0.1:"), ":")
			if published != "127.0.0.1:"+port+":"+port || !slices.Contains(listening, name+":"+port) {
				t.Errorf("%s: port %s: want its own on loopback", name, published)
			}
		}
	}
	if mode := stack.Services["prepare"].NetworkMode; mode != "none" {
		t.Errorf("prepare has the network mode %q", mode)
	}
}

// unwatched are the services without a health check.
var unwatched = map[string]string{"prepare": "it ends", "exporter": "its image has no shell"}

func TestHealthAndOrder(t *testing.T) {
	stack := read(t)
	for name, s := range stack.Services {
		if _, excused := unwatched[name]; (s.Healthcheck == nil) != excused {
			t.Errorf("%s: health check %v", name, s.Healthcheck)
		}
		for other, d := range s.DependsOn {
			on, known := stack.Services[other]
			if !known || d.Condition == "service_healthy" && on.Healthcheck == nil ||
				d.Condition == "service_completed_successfully" != (other == "prepare") {
				t.Errorf("%s waits for %s: %s", name, other, d.Condition)
			}
		}
		if other, shares := strings.CutPrefix(s.PID, "service:"); shares && stack.Services[other].User != s.User {
			t.Errorf("%s: reads the processes of %s and is another user", name, other)
		}
	}
}

func TestMounts(t *testing.T) {
	stack := read(t)
	used := map[string]bool{}
	for name, s := range stack.Services {
		for _, m := range s.Volumes {
			switch m.Type {
			case "volume":
				used[m.Source] = true
				if _, declared := stack.Volumes[m.Source]; !declared {
					t.Errorf("%s: volume %s is not declared", name, m.Source)
				}
			case "bind":
				if _, err := os.Stat(filepath.Join(root, m.Source)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if !m.ReadOnly || !strings.HasPrefix(m.Source, "./") {
					t.Errorf("%s: %s: want a path of this repository, read-only", name, m.Source)
				}
			default:
				t.Errorf("%s: mount of type %q", name, m.Type)
			}
		}
		if writes(s, "secrets") != (name == "prepare") {
			t.Errorf("%s: only prepare may write secrets", name)
		}
	}
	for name := range stack.Volumes {
		if !used[name] {
			t.Errorf("volume %s is used by nobody", name)
		}
	}
	for _, pattern := range []string{"alerts/rules/*.yaml", "dashboards/*.json"} {
		if files, err := filepath.Glob(filepath.Join(root, pattern)); err != nil || len(files) == 0 {
			t.Errorf("%s: nothing to mount: %v", pattern, err)
		}
	}
}

// TestDashboards wants Grafana to look where the dashboards are mounted.
func TestDashboards(t *testing.T) {
	grafana := read(t).Services["grafana"]
	at := ""
	for _, m := range grafana.Volumes {
		if m.Source == "./dashboards" {
			at = m.Target
		}
	}
	if !strings.Contains(text(t, "dashboards/provisioning/dashboards/token-persistence.yaml"), "path: "+at+"\n") {
		t.Errorf("the provider does not read %s", at)
	}
	folder, home := filepath.Split(grafana.Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
	if _, err := os.Stat(filepath.Join(root, "dashboards", home)); err != nil || folder != at+"/" {
		t.Errorf("Grafana's home dashboard %s%s: %v", folder, home, err)
	}
}

func writes(s composefile.Service, volume string) bool {
	return slices.ContainsFunc(s.Volumes, func(m composefile.Mount) bool { return m.Source == volume && !m.ReadOnly })
}

// TestSecrets wants every secret in a file that prepare makes.
func TestSecrets(t *testing.T) {
	stack := read(t)
	made := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^secret ([a-z-]+) \d+ \d+`).FindAllStringSubmatch(text(t, "compose/prepare.sh"), -1) {
		made["/secrets/"+found[1]] = true
	}
	if len(made) == 0 {
		t.Fatal("prepare.sh makes no secret")
	}
	secret := regexp.MustCompile(`(?i)password|secret|token`)
	for name, s := range stack.Services {
		for key, value := range s.Environment {
			isFile := strings.HasSuffix(key, "_FILE") && made[value]
			// Our CloudWatch endpoint checks no signature.
			if secret.MatchString(key) && !isFile && (key != "AWS_SECRET_ACCESS_KEY" || value != "testbed") {
				t.Errorf("%s: %s holds %q and no file that prepare.sh makes", name, key, value)
			}
		}
	}
	files := []string{"compose.yaml", "compose/testbed.sh", "compose/mysql/accounts.sh"}
	for _, file := range files {
		for _, path := range regexp.MustCompile(`/secrets/[a-z-]+`).FindAllString(text(t, file), -1) {
			if !made[path] {
				t.Errorf("%s: nobody makes %s", file, path)
			}
		}
	}
}

// TestAddresses wants every address in the stack to be that of a service.
func TestAddresses(t *testing.T) {
	address := regexp.MustCompile(`(?:http://|tcp\(|targets: \['|mysqld\.address=)([a-z0-9.]+):(\d+)`)
	for _, file := range []string{
		"compose.yaml", "compose/testbed.sh", "compose/prometheus.yml", "dashboards/provisioning/datasources/prometheus.yaml",
	} {
		for _, found := range address.FindAllStringSubmatch(text(t, file), -1) {
			host, port := found[1], ":"+found[2]
			known := slices.Contains(listening, host+port)
			if host == "localhost" || host == "127.0.0.1" {
				known = slices.ContainsFunc(listening, func(address string) bool { return strings.HasSuffix(address, port) })
			}
			if !known {
				t.Errorf("%s: nothing listens on %s%s", file, host, port)
			}
		}
	}
}

// TestDockerCompose has the file read by docker-compose, of Debian or as a
// plugin of docker.
func TestDockerCompose(t *testing.T) {
	command := []string{"docker-compose"}
	if _, err := exec.LookPath(command[0]); errors.Is(err, exec.ErrNotFound) {
		command = []string{"docker", "compose"}
		if exec.CommandContext(t.Context(), command[0], "compose", "version").Run() != nil {
			t.Skip("NOT RUN: there is no docker-compose (Debian: docker-compose, which runs no engine)")
		}
	}
	version, err := exec.CommandContext(t.Context(), command[0], append(command[1:], "version")...).CombinedOutput()
	t.Logf("%s%v", version, err)
	args := append(slices.Clone(command[1:]), "-f", filepath.Join(root, "compose.yaml"), "config")
	out, err := exec.CommandContext(t.Context(), command[0], args...).CombinedOutput()
	if err != nil || strings.Contains(strings.ToLower(string(out)), "warning") {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
	for name := range read(t).Services {
		if !strings.Contains(string(out), "\n  "+name+":\n") {
			t.Errorf("service %s is not in what it understood:\n%s", name, out)
		}
	}
}
