package deploy_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// made returns the folder in which deploy/test-packages.sh has put what is to
// be tested, and skips a test where nothing has been made.
func made(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("TOKEN_PERSISTENCE_PACKAGES")
	if folder == "" {
		t.Skip("NOT RUN: packages and images are tested by make test-packages")
	}
	return folder
}

// one returns the file that a pattern names.
func one(t *testing.T, pattern ...string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(pattern...))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v (%v), want one file", filepath.Join(pattern...), found, err)
	}
	return found[0]
}

// command runs a program to its end and wants the exit status.
func command(t *testing.T, status int, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	out, err := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != status {
		t.Fatalf("%s %v: status %d, want %d (%v)\n%s", name, args, got, status, err, out)
	}
	return string(out)
}

// database is a server with the token tables and the README's account, which
// has no right on any of them.
func database(t *testing.T) (address, password string) {
	t.Helper()
	server := mysqltest.Run(t, mysqltest.Config{})
	db := server.Database(t, "apimdb")
	if err := tokentable.Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	password = "of-the-package"
	if _, err := db.ExecContext(t.Context(), "CREATE USER 'exporter'@'127.0.0.1' IDENTIFIED BY '"+password+"' WITH MAX_USER_CONNECTIONS 3"); err != nil {
		t.Fatal(err)
	}
	return server.Addr, password
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// scraped starts an exporter, waits for a scrape in which the mysql collector
// has read the database, and ends it as a service manager would.
func scraped(t *testing.T, address, name string, args ...string) {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), name, args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	defer func() {
		if !ended {
			_ = cmd.Process.Kill() // it did not start, or not end
			_ = cmd.Wait()
		}
	}()
	const want = `token_persistence_exporter_collector_success{collector="mysql"} 1`
	text := ""
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(text, want); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no scrape with %s\n%s\n%s", want, text, log.String())
		}
		text = get(t, "http://"+address+"/metrics")
	}
	if got := get(t, "http://"+address+"/-/healthy"); got != "healthy\n" {
		t.Errorf("the probe says %q", got)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	ended = true
	if err != nil {
		t.Errorf("it ends with %v\n%s", err, log.String())
	}
}

// get returns an answer's text, or nothing while nobody listens.
func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestChecksums verifies the signature and the sums as docs/install.md says.
func TestChecksums(t *testing.T) {
	folder := made(t)
	public, err := os.ReadFile(filepath.Join(folder, "key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	signers := filepath.Join(t.TempDir(), "allowed_signers")
	if err := os.WriteFile(signers, append([]byte("toolkit "), public...), 0o600); err != nil {
		t.Fatal(err)
	}
	verify := "cd " + filepath.Join(folder, "one", "dist") + " && ssh-keygen -Y verify -f " + signers +
		" -I toolkit -n file -s SHA256SUMS.sig <%s && sha256sum -c SHA256SUMS"
	command(t, 0, "sh", "-c", fmt.Sprintf(verify, "SHA256SUMS"))
	command(t, 255, "sh", "-c", fmt.Sprintf(verify, "/dev/null"))
}

// TestArchive unpacks the archive and runs what is in it.
func TestArchive(t *testing.T) {
	folder := made(t)
	root := t.TempDir()
	command(t, 0, "tar", "-xzf", one(t, folder, "one", "dist", "*_linux_*.tar.gz"), "-C", root, "--strip-components=1")
	for _, name := range []string{
		"README.md", "LICENSE", "alerts/rules/record.yaml", "alerts/runbooks/TokenPersistenceDatabaseDown.md", "dashboards/overview.json",
		"docs/operating.md", "deploy/systemd/token-persistence-exporter.service", "exporter.cdx.json", "analyze.licenses.txt",
	} {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Error(err)
		}
	}
	report := command(t, 10, filepath.Join(root, "analyze"), "compare", filepath.Join(root, "docs/case-study/data/experiment.yaml"))
	if !strings.Contains(report, "PASS client_credentials") {
		t.Errorf("the report says\n%s", report)
	}
	address, password := database(t)
	file := filepath.Join(root, "password")
	if err := os.WriteFile(file, []byte(password), 0o600); err != nil {
		t.Fatal(err)
	}
	listen := freeAddress(t)
	scraped(t, listen, filepath.Join(root, "exporter"), "--web.listen-address="+listen, "--mysqld.address="+address,
		"--mysqld.username=exporter", "--mysqld.database=apimdb", "--mysqld.password-file="+file)
}

// TestDeb installs both packages into a Debian of their own, starts the
// exporter as its unit does, upgrades, removes and purges it.
func TestDeb(t *testing.T) {
	folder := made(t)
	root := filepath.Join(t.TempDir(), "debian")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, 0, "tar", "-xf", filepath.Join(folder, "debian.tar"), "-C", root, "--exclude=./dev/*")
	if err := os.WriteFile(filepath.Join(root, "dev", "null"), nil, 0o666); err != nil { // scripts write to it
		t.Fatal(err)
	}
	chroot := func(status int, args ...string) string {
		return command(t, status, "chroot", append([]string{root}, args...)...)
	}
	exporter := one(t, folder, "one", "dist", "token-persistence-exporter_*.deb")
	for _, deb := range []string{exporter, one(t, folder, "one", "dist", "token-persistence-analyze_*.deb")} {
		command(t, 0, "cp", deb, root)
		chroot(0, "dpkg", "-i", "/"+filepath.Base(deb))
	}
	const name = "token-persistence-exporter"
	if got := chroot(0, "stat", "-c", "%a %U %G", "/etc/"+name); got != "2750 root "+name+"\n" {
		t.Errorf("the folder of the password is %s", got)
	}
	verifyUnit(t, root, name)

	address, password := database(t)
	if err := os.WriteFile(filepath.Join(root, "etc", name, "password"), []byte(password), 0o640); err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(root, "etc/default", name)
	text, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	listen := freeAddress(t)
	changed := strings.Replace(string(text), "localhost:3306", address+" --web.listen-address="+listen, 1)
	if err := os.WriteFile(settings, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"--userspec=" + name + ":" + name, root}
	scraped(t, listen, "chroot", append(args, asUnit(t, root, name)...)...)

	chroot(0, "dpkg", "-i", "--force-confold", "/"+filepath.Base(exporter))
	if text, err := os.ReadFile(settings); err != nil || string(text) != changed {
		t.Errorf("an upgrade has changed the settings (%v)", err)
	}
	report := command(t, 10, "chroot", "--userspec=nobody:nogroup", root, "token-persistence-analyze", "compare",
		"/usr/share/token-persistence-analyze/case-study/data/experiment.yaml")
	if !strings.Contains(report, "PASS client_credentials") {
		t.Errorf("the report says\n%s", report)
	}

	chroot(0, "dpkg", "--remove", name)
	if _, err := os.Stat(settings); err != nil {
		t.Errorf("removing the package has removed its settings: %v", err)
	}
	chroot(0, "dpkg", "--purge", name, "token-persistence-analyze")
	left := chroot(0, "find", "/etc", "/usr", "/lib", "/var/lib/dpkg/info", "-xdev", "-name", "token-persistence*")
	if left != "" {
		t.Errorf("after purging there is still\n%s", left)
	}
}

// verifyUnit lets systemd read the unit, with the program where it lies here.
func verifyUnit(t *testing.T, root, name string) {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Log("NOT RUN: systemd-analyze verify (there is none)")
		return
	}
	unit, err := os.ReadFile(filepath.Join(root, "lib/systemd/system", name+".service"))
	if err != nil {
		t.Fatal(err)
	}
	here := filepath.Join(t.TempDir(), name+".service")
	there := strings.Replace(string(unit), "ExecStart="+name, "ExecStart="+filepath.Join(root, "usr/bin", name), 1)
	if err := os.WriteFile(here, []byte(there), 0o644); err != nil {
		t.Fatal(err)
	}
	// It ends with 0 for a key that it does not know, too.
	if said := command(t, 0, "systemd-analyze", "verify", "--man=no", here); said != "" {
		t.Errorf("systemd says about the unit\n%s", said)
	}
}

// asUnit is the command that systemd makes of ExecStart and EnvironmentFile: a
// variable without braces is split into words.
func asUnit(t *testing.T, root, name string) []string {
	t.Helper()
	unit, err := os.ReadFile(filepath.Join(root, "lib/systemd/system", name+".service"))
	if err != nil {
		t.Fatal(err)
	}
	value := func(key string) string {
		found := regexp.MustCompile(`(?m)^` + key + `=(.*)$`).FindSubmatch(unit)
		if found == nil {
			t.Fatalf("the unit has no %s", key)
		}
		return string(found[1])
	}
	if value("User") != name || value("Group") != name {
		t.Errorf("the unit runs as %s:%s", value("User"), value("Group"))
	}
	environment, err := os.ReadFile(filepath.Join(root, value("EnvironmentFile")))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^ARGS="(.*)"$`).FindSubmatch(environment)
	if found == nil {
		t.Fatalf("no ARGS in %s", environment)
	}
	return strings.Fields(strings.ReplaceAll(value("ExecStart"), "$ARGS", string(found[1])))
}
