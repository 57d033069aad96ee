package deploy_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
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
func database(t *testing.T) (db *sql.DB, address, password string) {
	t.Helper()
	server := mysqltest.Run(t, mysqltest.Config{})
	db = server.Database(t, "apimdb")
	if err := tokentable.Create(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	password = "of-the-package"
	execute(t, db, "CREATE USER 'exporter'@'127.0.0.1' IDENTIFIED BY '"+password+"' WITH MAX_USER_CONNECTIONS 3")
	return db, server.Addr, password
}

func execute(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
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
	wait(t, address, true)
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

// wait waits for a scrape in which the mysql collector has read the database,
// or has not.
func wait(t *testing.T, address string, success bool) {
	t.Helper()
	want := `token_persistence_exporter_collector_success{collector="mysql"} ` + map[bool]string{true: "1", false: "0"}[success] + "\n"
	text := ""
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(text, want); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no scrape with %sin 30 s\n%s", want, text)
		}
		text = get(t, "http://"+address+"/metrics")
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

// unpacked is a folder with what the archive for an architecture holds.
func unpacked(t *testing.T, folder, arch string) string {
	t.Helper()
	root := t.TempDir()
	command(t, 0, "tar", "-xzf", one(t, folder, "one", "dist", "*_linux_"+arch+".tar.gz"), "-C", root, "--strip-components=1")
	return root
}

// TestArchive unpacks the archive and runs what is in it.
func TestArchive(t *testing.T) {
	folder := made(t)
	root := unpacked(t, folder, runtime.GOARCH)
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
	_, address, password := database(t)
	file := filepath.Join(root, "password")
	write(t, file, password, 0o600)
	listen := freeAddress(t)
	scraped(t, listen, filepath.Join(root, "exporter"), "--web.listen-address="+listen, "--mysqld.address="+address,
		"--mysqld.username=exporter", "--mysqld.database=apimdb", "--mysqld.password-file="+file)
}
