package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// examplePath is the example that people copy.
var examplePath = filepath.Join("..", "docs", "exporter.yml")

// TestExampleConfig: the example is valid, says everything that can be said,
// and shows the defaults.
func TestExampleConfig(t *testing.T) {
	targets, err := readConfig(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	if len(targets) != 2 || targets[0].name != "prod-eu" || targets[1].name != "staging" {
		t.Fatalf("targets %v", targets)
	}
	text, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	var keys struct {
		Targets map[string]map[string]any
	}
	if err := yaml.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	for _, s := range targets[0].settings() {
		group := any(keys.Targets["prod-eu"])
		for key := range strings.SplitSeq(s.key, ".") {
			switch g := group.(type) {
			case map[string]any:
				group = g[key]
			default:
				group = nil
			}
		}
		if group == nil && !exclusive[s.key] {
			t.Errorf("%s does not show %s", examplePath, s.key)
		}
	}
	o, err := parse(nil, os.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	// What the example says is what the flags do by themselves.
	flags, file := o.target.settings(), targets[0].settings()
	for i, value := range o.target.values() {
		if flags[i].value != "" && value != targets[0].values()[i] {
			t.Errorf("%s: default %s, in the example %s", file[i].key, value, targets[0].values()[i])
		}
	}
}

// exclusive are the settings that the first target of the example cannot have
// beside its others.
var exclusive = map[string]bool{"mysqld.my_cnf": true}

// TestConfigAndFlagsSayTheSame: each setting, given as a flag and as a key, has
// the same effect.
func TestConfigAndFlagsSayTheSame(t *testing.T) {
	targets, err := parseConfig([]byte(`
targets:
  one:
    mysqld: {address: "db:3306", username: u, password_file: p, database: d, my_cnf: m}
    cloudwatch: {region: r, rds_instances: [a, b], ec2_instances: [apim=i-0], period: 5m, delay: 7s}
    collectors:
      tokens: {enabled: false, lateness: 9s}
      statements: {interval: 8s}
      census: {interval: 7m, max_rows: 6, rows_per_second: 500}
      schema: {interval: 4m}
      endpoint: {access_logs: [x, y], log_pattern: common}
`))
	if err != nil {
		t.Fatal(err)
	}
	o, err := parse([]string{"--mysqld.address=db:3306", "--mysqld.username=u", "--mysqld.password-file=p", "--mysqld.database=d", "--config.my-cnf=m",
		"--cloudwatch.region=r", "--cloudwatch.rds-instance=a", "--cloudwatch.rds-instance=b", "--cloudwatch.ec2-instance=apim=i-0",
		"--cloudwatch.period=5m", "--cloudwatch.delay=7s", "--no-collector.tokens", "--collector.tokens.lateness=9s", "--collector.statements.interval=8s",
		"--collector.census.interval=7m", "--collector.census.max-rows=6", "--collector.census.rows-per-second=500", "--collector.schema.interval=4m",
		"--collector.endpoint.access-log=x", "--collector.endpoint.access-log=y", "--collector.endpoint.log-pattern=common"}, os.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o.target.values(), targets[0].values()); diff != "" {
		t.Error(diff)
	}
	if targets[0].tokensLateness != 9*time.Second || *targets[0].enabled["tokens"] {
		t.Errorf("got %v", targets[0].values())
	}
}

// TestConfigPathsStartAtTheFile: wherever the exporter was started.
func TestConfigPathsStartAtTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exporter.yml")
	writeFile(t, path, `targets: {one: {
  mysqld: {password_file: p, my_cnf: ../m, tls_ca: /ca},
  collectors: {endpoint: {access_logs: ["logs/*.log"]}, carbonlog: {logs: [c]}}}}`)
	targets, err := readConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	dir, one := filepath.Dir(path), targets[0]
	got := append([]string{one.mysqld.passwordFile, one.mysqld.myCnf, one.mysqld.tlsCA}, append(one.accessLogs, one.carbonLogs...)...)
	want := []string{filepath.Join(dir, "p"), filepath.Join(filepath.Dir(dir), "m"), "/ca", filepath.Join(dir, "logs", "*.log"), filepath.Join(dir, "c")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConfigMistakes(t *testing.T) {
	const one = "targets:\n  one:\n    "
	for text, want := range map[string]string{
		"":                                                  "the file is empty",
		"# nothing\n":                                       "the file is empty",
		"targets: {}":                                       "no targets",
		"targets:\n":                                        "line 1: targets: want a group of keys",
		"[a]":                                               "line 1: the file: want a group of keys",
		"target: {a: {}}":                                   `line 1: unknown key "target": did you mean targets?`,
		"targets:\n  one:\n  two: {}":                       "line 2: a target: want a group of keys",
		"targets: {a b: {}}":                                "line 1: a target's name has 1 to 64 letters",
		"targets: {one: {}, one: {}}":                       `line 1: key "one" stands in line 1 already`,
		"a: {}\n---\nb: {}":                                 "more than one document",
		"targets: {one: {mysqld: {":                         "line 1: this is not YAML",
		"targets:\n\tone: x":                                "line 2: this is not YAML: found character that cannot start any token",
		one + "mysqld: {user_name: x}":                      `line 3: unknown key "user_name" in mysqld: did you mean username?`,
		one + "mysqld: {address: [x]}":                      "line 3: mysqld.address: want a value",
		one + "mysqld: {address: }":                         "line 3: mysqld.address: want a value",
		one + "mysqld: {password: hush}":                    "line 3: a password does not belong into this file: write it into a file of its own and name that with password_file",
		one + "cloudwach: {}":                               `line 3: unknown key "cloudwach": did you mean cloudwatch?`,
		one + "zzzzzzz: {}":                                 `line 3: unknown key "zzzzzzz": valid are cloudwatch, collectors, mysqld`,
		one + "collectors: {token: {}}":                     `line 3: unknown key "token" in collectors: did you mean tokens?`,
		one + "collectors: {tokens: {latenes: 1s}}":         `line 3: unknown key "latenes" in collectors.tokens: did you mean lateness?`,
		one + "collectors: {tokens: {lateness: hush}}":      "line 3: collectors.tokens.lateness: want a duration such as 90s or 10m",
		one + "collectors: {tokens: {lateness: 1ms}}":       "line 2: collectors.tokens.lateness=1ms: want 1s to 1h",
		one + "collectors: {tokens: {enabled: hush}}":       "line 3: collectors.tokens.enabled: want true or false",
		one + "collectors: {tokens: true}":                  "line 3: collectors.tokens: want a group of keys",
		one + "cloudwatch: {rds_instances: db}":             "line 3: cloudwatch.rds_instances: want a list",
		one + "cloudwatch: {rds_instances: [{a: b}]}":       "line 3: cloudwatch.rds_instances: want a value",
		one + "cloudwatch: {[a]: b}":                        "line 3: cloudwatch: want a plain word as key",
		one + "mysqld: {address: a, username: u, <<: {}}":   `unknown key "<<"`,
		one + "mysqld: {address: *hush}":                    "this is not YAML: unknown anchor",
		one + "mysqld: &a {address: a, username: *a}":       "line 3: mysqld.username: want a value",
		one + "mysqld:\n      address: a\n      address: b": `line 5: key "address" stands in line 4 already`,
	} {
		_, err := parseConfig([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s\ngot %v, want %s and no values", text, err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "exporter.yml")
	writeFile(t, path, "targets:\n  one: {mysql: {}}\n")
	if _, err := readConfig(path); err == nil || err.Error() != path+`:2: unknown key "mysql": did you mean mysqld?` {
		t.Errorf("got %v", err)
	}
}

func FuzzConfigYAML(f *testing.F) {
	example, err := os.ReadFile(examplePath)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	for _, seed := range []string{"", "targets: {a: &a {mysqld: *a}}", "targets: {a: {mysqld: {password: c4n4ry}}}", "a: *c4n4ry", "? [a]\n: b", "%YAML 1.1\n---\n!!map {}\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		targets, err := parseConfig([]byte(text))
		switch {
		case err == nil && len(targets) == 0:
			t.Error("neither a target nor an error")
		case err != nil && len(err.Error()) > 2000+2*len(text):
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
		for _, target := range targets {
			if err == nil && target.check() != nil {
				t.Errorf("%s passed and is wrong: %v", target.name, target.check())
			}
		}
		// A value is never repeated, whatever is wrong with the file.
		secret := "targets:\n  one:\n    mysqld:\n      password: c4n4ry-Pa55w0rd\n" + text
		if _, err := parseConfig([]byte(secret)); err == nil || strings.Contains(err.Error(), "c4n4ry-Pa55w0rd") {
			t.Errorf("got %v", err)
		}
	})
}
