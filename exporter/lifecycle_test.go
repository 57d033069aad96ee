package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/programtest"
	"github.com/tokenpersistence/toolkit/internal/rdstest"
)

// nowhere are the flags of an exporter whose database does not answer.
var nowhere = []string{"--mysqld.address=127.0.0.1:1", "--mysqld.username=exporter"}

const (
	webPassword = "c4n4ry-web"
	webHash     = "$2a$04$zU9K83BuDgE/.7y77UmWjeF7xA.sl4HWGsvGLt7EJdoxylwrjXRa6" // bcrypt of it
)

// TestWebConfig: with TLS and basic auth nothing is shown and nothing done for
// those who do not know the password.
func TestWebConfig(t *testing.T) {
	authority, err := rdstest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	certificate, key, err := authority.Issue("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "cert.pem"), string(certificate))
	writeFile(t, filepath.Join(dir, "key.pem"), string(key))
	writeFile(t, filepath.Join(dir, "web.yml"), "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\nbasic_auth_users: {prometheus: "+webHash+"}\n")
	r := start(t, append(nowhere, "--web.config.file="+filepath.Join(dir, "web.yml"), "--log.level=debug")...)
	cas := x509.NewCertPool()
	cas.AppendCertsFromPEM(authority.PEM)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: cas}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	url := strings.Replace(r.url, "http://", "https://", 1)
	for _, tc := range []struct {
		method, path, user, password string
		want                         int
	}{
		{"GET", "/metrics", "", "", 401},
		{"GET", "/metrics", "prometheus", "wrong", 401},
		{"GET", "/metrics", "other", webPassword, 401},
		{"POST", "/-/reload", "", "", 401},
		{"GET", "/probe?target=x", "", "", 401},
		{"GET", "/metrics", "prometheus", webPassword, 200},
		{"POST", "/-/reload", "prometheus", webPassword, 200},
	} {
		request, err := http.NewRequestWithContext(t.Context(), tc.method, url+tc.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tc.user != "" {
			request.SetBasicAuth(tc.user, tc.password)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err := errors.Join(err, response.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != tc.want || strings.Contains(string(body), "mysql_") || strings.Contains(string(body), webPassword) {
			t.Errorf("%s %s as %q: %d %s", tc.method, tc.path, tc.user, response.StatusCode, body)
		}
	}
	if strings.Contains(r.logs.String(), webPassword) {
		t.Error("the log holds the password of the web page")
	}
}

// TestOddHeaders: whatever a client asks for, it gets a page that parses.
func TestOddHeaders(t *testing.T) {
	r := start(t, nowhere...)
	for i, header := range []http.Header{
		{timeoutHeader: {"abc"}}, {timeoutHeader: {"-1"}}, {timeoutHeader: {"NaN"}}, {timeoutHeader: {"1e308"}}, {timeoutHeader: {"0.001"}},
		{timeoutHeader: {"5", "nonsense"}}, {timeoutHeader: {strings.Repeat("9", 100_000)}},
		{"Accept": {"nonsense"}}, {"Accept": {"text/html;q=x"}}, {"Accept": {"*/*;q=0"}}, {"Accept": {strings.Repeat("a/b,", 10_000)}},
		{"Accept-Encoding": {"gzip;q=0"}}, {"Accept-Encoding": {"br, zstd;q=nonsense"}}, {"Accept-Encoding": {"identity;q=0"}},
		{"Authorization": {"Basic " + strings.Repeat("A", 10_000)}}, {"X-Forwarded-Host": {"\"><script>"}}, {"Content-Length": {"0"}},
	} {
		if header.Get("Accept-Encoding") == "" {
			header.Set("Accept-Encoding", "identity")
		}
		status, body := r.do(t, http.MethodGet, "/metrics", header)
		if status != http.StatusOK {
			t.Errorf("%d: status %d: %.200s", i, status, body)
			continue
		}
		parser := expfmt.NewTextParser(model.UTF8Validation)
		if _, err := parser.TextToMetricFamilies(strings.NewReader(body)); err != nil && header.Get("Accept-Encoding") == "identity" {
			t.Errorf("%d: %v\n%.200s", i, err, body)
		}
	}
}

func TestJSONLog(t *testing.T) {
	r := start(t, append(nowhere, "--log.format=json")...)
	r.scrape(t)
	for line := range strings.Lines(r.logs.String()) {
		var entry struct{ Msg string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Msg == "" {
			t.Errorf("%v: %s", err, line)
		}
	}
}

// TestMistakesEndWithTwo: what is wrong with the command or the configuration
// file is said at once, with the nearest valid name.
func TestMistakesEndWithTwo(t *testing.T) {
	config := filepath.Join(t.TempDir(), "exporter.yml")
	for _, tc := range []struct{ arg, yaml, want string }{
		{"--mysqld.adress=x", "", "did you mean --mysqld.address?"},
		{"--collector.tokenz", "", "did you mean --collector.tokens?"},
		{"--no-collector.table-io", "", "did you mean --no-collector.tableio?"},
		{"--cloudwatch.rds-iops-limit=many", "", "many"},
		{"--mysqld.iam-auth", "", "--mysqld.iam-auth sends a token that others could use: give --mysqld.tls-ca"},
		{"--mysqld.tls-server-name=x", "", "without --mysqld.tls-ca"},
		{"--config.file=" + config, "targets: {a: {collectors: {tokenz: {enabled: true}}}}", config + `:1: unknown key "tokenz" in collectors: did you mean tokens?`},
		{"--config.file=" + config, "targets: {a: {}}", config + ":1: target a: nothing to collect: give mysqld.address, cloudwatch.rds_instances"},
		{"--config.file=" + config, "targets: {a: {mysqld: {address: 'db:1', username: u, iam_auth: true}}}", "target a: mysqld.iam_auth sends a token that others could use: give mysqld.tls_ca"},
		{"--config.file=" + config, "targets: {a: {mysqld: {address: 'c4n4ry@db:1', username: u}}}", "target a: mysqld.address: want HOST:PORT"},
		{"--config.file=" + config, "targets: {a: {cloudwatch: {region: x, rds_instances: [db], period: 7s}}}", "target a: cloudwatch.period=7s: CloudWatch has periods"},
	} {
		writeFile(t, config, tc.yaml)
		var output programtest.Output
		if code := run(t.Context(), append(nowhere, tc.arg, "--web.listen-address=127.0.0.1:0"), &output, &output); code != 2 {
			t.Errorf("%s: exit status %d", tc.arg, code)
		}
		if !strings.Contains(output.String(), tc.want) || strings.Contains(output.String(), "c4n4ry") {
			t.Errorf("%s\ngot  %swant %s", tc.arg, &output, tc.want)
		}
	}
}

// TestRotatedFiles: a password and a CA that are replaced on disk are used
// without a restart; one that is broken changes nothing.
func TestRotatedFiles(t *testing.T) {
	server, _ := database(t, mysqltest.Config{SQLOnly: true})
	authority, err := rdstest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	front, err := rdstest.Start(server.Addr, "nopassword", authority, "db.example", func(string, string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := front.Close(); err != nil {
			t.Error(err)
		}
	}()
	password, ca := filepath.Join(t.TempDir(), "password"), filepath.Join(t.TempDir(), "ca.pem")
	writeFile(t, password, "wrong\n")
	other, err := rdstest.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, ca, string(other.PEM))
	config := newConfigFile(t, fmt.Sprintf("  secure:\n    mysqld: {address: %q, username: exporter, password_file: %q, tls_ca: %q, tls_server_name: db.example}\n", front.Addr(), password, ca))
	r := start(t, append(databaseFlags(server), "--mysqld.password-file="+password, "--config.file="+config.path)...)
	// Of the flags' target only mysql is looked at: it needs no second connection.
	if r.scrape(t).success()["mysql"] {
		t.Error("the wrong password works")
	}
	writeFile(t, password, canary+"\n")
	if !r.scrape(t).success()["mysql"] {
		t.Errorf("with the right password:\n%s", r.logs)
	}

	if n, _ := r.probe(t, "secure").value("token_persistence_exporter_collector_failures_total", "collector", "mysql", "class", "connection"); n != 1 || !strings.Contains(r.logs.String(), "--mysqld.tls-ca has to hold the CA") {
		t.Errorf("with the wrong CA: %v failures\n%s", n, r.logs)
	}
	writeFile(t, ca, string(authority.PEM))
	// The CA is right now, and the front asks for the password in clear.
	if n, _ := r.probe(t, "secure").value("token_persistence_exporter_collector_failures_total", "collector", "mysql", "class", "auth"); n != 1 {
		t.Errorf("with the right CA: %v failures of class auth\n%s", n, r.logs)
	}
	writeFile(t, ca, "no certificate")
	if status, body := r.reload(t); status != 500 || !strings.Contains(body, "target secure: mysqld.tls_ca: "+ca+" holds no certificate in PEM form") {
		t.Errorf("%d %s", status, body)
	}
	writeFile(t, password, "")
	if status, body := r.reload(t); status != 500 || !strings.Contains(body, "--mysqld.password-file: "+password+" is empty") {
		t.Errorf("%d %s", status, body)
	}
	if !r.scrape(t).success()["mysql"] {
		t.Errorf("after a reload that failed:\n%s", r.logs)
	}
}
