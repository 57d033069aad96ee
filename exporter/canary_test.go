package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/programtest"
	"github.com/tokenpersistence/toolkit/internal/rdstest"
)

// secrets are all that an exporter is told or makes and must not repeat. Half
// of them are refused where they are used, because errors are where secrets
// slip out.
type secrets struct {
	mu    sync.Mutex
	known []string
}

func (s *secrets) add(secret string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = append(s.known, secret)
	return secret
}

// in returns the first secret that the text holds.
func (s *secrets) in(text string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range s.known {
		if strings.Contains(text, secret) {
			return secret, true
		}
	}
	return "", false
}

// TestCanaries runs an exporter as a process of its own, gives it a different
// secret in every place where it takes one, and looks for them in everything
// that leaves it.
func TestCanaries(t *testing.T) {
	server, db := database(t, mysqltest.Config{})
	execute(t, db, "CREATE USER nopassword@'127.0.0.1'")
	var s secrets
	s.add(canary) // the right password of the server
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		writeFile(t, path, text)
		return path
	}
	authority, err := rdstest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	tokens := 0
	front, err := rdstest.Start(server.Addr, "nopassword", authority, "db.example", func(_, token string) bool {
		s.add(token)
		s.add(token[strings.Index(token, "X-Amz-Signature="):])
		tokens++
		return tokens > 2 // the first ones are refused
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := front.Close(); err != nil {
			t.Error(err)
		}
	}()
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("Action") != "AssumeRole" {
			w.WriteHeader(http.StatusForbidden) // whatever was asked of CloudWatch
			return
		}
		fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken>
<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`, s.add("c4n4ry-role-key"), s.add("c4n4ry-role-session"), time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	defer aws.Close()

	mysqld := fmt.Sprintf("    mysqld: {address: %q, username: exporter, ", server.Addr)
	config := newConfigFile(t,
		"  passwordfile:\n"+mysqld+fmt.Sprintf("password_file: %q}\n", file("right", canary)),
		"  wrongfile:\n"+mysqld+fmt.Sprintf("password_file: %q}\n", file("wrong", s.add("c4n4ry-wrong-file"))),
		"  optionfile:\n"+mysqld+fmt.Sprintf("my_cnf: %q}\n", file("my.cnf", "[client]\npassword="+s.add("c4n4ry-wrong-cnf"))),
		fmt.Sprintf("  iam:\n    mysqld: {address: %q, username: iam, iam_auth: true, tls_ca: %q, tls_server_name: db.example}\n", front.Addr(), file("ca.pem", string(authority.PEM))),
		"  cloud:\n    cloudwatch: {rds_instances: [db], assume_role: 'arn:aws:iam::123456789012:role/watcher'}\n")
	web := file("web.yml", "basic_auth_users: {prometheus: "+s.add(webHash)+"}\n")
	s.add(webPassword)

	process := exec.CommandContext(t.Context(), "exporter", append(databaseFlags(server), "--web.listen-address=127.0.0.1:0", "--log.level=debug",
		"--web.enable-pprof", "--web.config.file="+web, "--config.file="+config.path)...)
	process.Env = append(os.Environ(), passwordVariable+"="+s.add("c4n4ry-wrong-environment"), "AWS_REGION=eu-west-3", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL="+aws.URL, "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY="+s.add("c4n4ry-key"), "AWS_SESSION_TOKEN="+s.add("c4n4ry-session"))
	r := &running{logs: &programtest.Output{}}
	process.Stdout, process.Stderr = r.logs, r.logs
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	r.awaitListening(t)

	header := http.Header{}
	request := &http.Request{Header: header}
	request.SetBasicAuth("prometheus", webPassword)
	page := func(method, path string, want int) string {
		t.Helper()
		status, body := r.do(t, method, path, header)
		if status != want {
			t.Errorf("%s %s: %d %s", method, path, status, body)
		}
		if secret, found := s.in(body); found {
			t.Errorf("%s %s shows %s", method, path, secret)
		}
		return body
	}
	for range 3 { // the second scrape meets refusals that are remembered
		for _, name := range []string{"passwordfile", "wrongfile", "optionfile", "iam", "cloud"} {
			page("GET", "/probe?target="+name, 200)
		}
		page("GET", "/metrics", 200)
		page("POST", "/-/reload", 200) // and lets the next one be tried again
	}
	if body := page("GET", "/probe?target=iam", 200); !strings.Contains(body, `collector_success{collector="mysql"} 1`) {
		t.Errorf("IAM does not work in the end:\n%s", r.logs)
	}
	page("GET", "/", 200)
	page("GET", "/probe", 400)
	page("GET", "/debug/pprof/cmdline", 200)
	page("GET", "/debug/pprof/goroutine?debug=2", 200)
	checked := exec.CommandContext(t.Context(), "exporter", append([]string{"check"}, process.Args[1:]...)...)
	checked.Env = process.Env
	if report, err := checked.CombinedOutput(); err == nil || !strings.Contains(string(report), "FAIL") {
		t.Errorf("check finds no fault, so nothing was proved: %v\n%s", err, report)
	} else if secret, found := s.in(string(report)); found {
		t.Errorf("check shows %s:\n%s", secret, report)
	}
	key := file("key.pem", "-----BEGIN PRIVATE KEY-----\n"+s.add("c4n4ry-key-file")+"\n-----END PRIVATE KEY-----\n")
	for flag, text := range map[string]string{
		"web.config.file": "tls_server_config: {cert_file: " + key + ", key_file: " + key + "}\n",
		"mysqld.tls-ca":   s.add("c4n4ry-authority"),
		"config.my-cnf":   "[client]\npassword=" + s.add("c4n4ry-cnf") + "\n" + s.add("c4n4ry-line") + "\n",
		"config.file":     "targets: {a: {mysqld: {passwort: " + s.add("c4n4ry-key-name") + "}}}\n",
		"mysqld.address":  "",
	} {
		value := "exporter:" + s.add("c4n4ry-address") + "@tcp(db:3306)/"
		if text != "" {
			value = file("broken", text)
		}
		args := append(databaseFlags(server), "--"+flag+"="+value)
		if flag != "web.config.file" {
			args = append([]string{"check"}, args...) // which ends where the exporter itself would try again
		}
		broken := exec.CommandContext(t.Context(), "exporter", args...)
		broken.Env = process.Env
		out, err := broken.CombinedOutput()
		if err == nil {
			t.Errorf("--%s is not refused:\n%s", flag, out)
		}
		if secret, found := s.in(string(out)); found {
			t.Errorf("the error of --%s shows %s:\n%s", flag, secret, out)
		}
	}
	config.write(t, "  a:\n    mysqld: {address: x, password: "+s.add("c4n4ry-yaml")+"}\n")
	page("POST", "/-/reload", 500)
	config.write(t, "  a:\n    mysqld: {address: 'exporter:"+s.add("c4n4ry-dsn")+"@db:3306', username: u}\n")
	page("POST", "/-/reload", 500)

	title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", process.Process.Pid))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if secret, found := s.in(string(bytes.ReplaceAll(title, []byte{0}, []byte{' '}))); found {
		t.Errorf("the process's title shows %s", secret)
	}
	// A panic prints every stack; so does this signal.
	if err := process.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	if err := process.Wait(); err == nil || !strings.Contains(r.logs.String(), "goroutine ") {
		t.Errorf("no stacks: %v\n%s", err, r.logs)
	}
	for _, class := range []string{"class=auth", "class=permission"} {
		if !strings.Contains(r.logs.String(), class) {
			t.Errorf("nothing failed with %s, so nothing was proved:\n%s", class, r.logs)
		}
	}
	if secret, found := s.in(r.logs.String()); found {
		t.Errorf("the log shows %s:\n%s", secret, r.logs)
	}
}
