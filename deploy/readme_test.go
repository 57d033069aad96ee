package deploy_test

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/markdown"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// The password of the account, which the README leaves to its reader.
const chosen = "chosen-by-the-reader"

// TestREADME plays someone who has only the README: the commands of "Use it on
// your own system" run one after the other as they stand there, up to the first
// scrape and the first report, in a world that deploy/test-install.sh has made.
func TestREADME(t *testing.T) {
	lab := os.Getenv("TOKEN_PERSISTENCE_NEWCOMER")
	if lab == "" {
		t.Skip("NOT RUN: the README's three ways are tested by make test-install")
	}
	page, err := os.ReadFile(filepath.Join(lab, "clone", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	section := markdown.Section(string(page), "## Use it on your own system")
	account := markdown.Blocks(section, "sql")
	for _, way := range []struct {
		name  string
		ready func(*testing.T, string) machine
	}{
		{"Native", native},
		{"Container", container},
		{"Deb", deb},
	} {
		t.Run(way.name, func(t *testing.T) {
			_, after, _ := strings.Cut(section, "**"+way.name+"**")
			blocks := markdown.Blocks(after, "sh")
			if len(account) != 1 || len(blocks) == 0 {
				t.Fatal("the README has no such block: the search is at fault")
			}
			server := mysqltest.Run(t, mysqltest.Config{})
			db := server.Database(t, "apimdb")
			if err := tokentable.Create(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			n := newcomer{machine: way.ready(t, lab), db: db, outside: filepath.Join(lab, "outside")}
			n.substitutions = []string{
				"db.example.com:3306", server.Addr, // the database
				"10.0.0.7", "127.0.0.1", // where the exporter runs
				"…", chosen,
				"amd64", runtime.GOARCH, // of the package
			}
			t.Logf("what is put in place of what: %q; in the editor %q", n.substitutions, []string{"localhost:3306", server.Addr})
			n.editor(t, server.Addr)
			n.paste(t, n.substituted(account[0]))
			n.play(t, markdown.Commands(blocks[0]))
		})
	}
}

// machine is where somebody new sits.
type machine struct {
	login []string // what a command is put behind, to run as its user in its clone
	root  string   // its file system
	done  func(t *testing.T)
}

type newcomer struct {
	machine
	db            *sql.DB
	outside       string   // the network of the machine that the test runs on
	substitutions []string // old, new, old, new
}

// native is an account without rights and with empty caches on a Debian with
// Go, make, git and curl, in a fresh clone.
func native(t *testing.T, lab string) machine {
	t.Helper()
	return account(t, lab, "native")
}

// deb is another such account of the same Debian, which may use sudo. No
// systemd runs there: deploy/testdata/systemctl plays it.
func deb(t *testing.T, lab string) machine {
	t.Helper()
	m := account(t, lab, "deb")
	m.done = func(t *testing.T) {
		t.Helper()
		command(t, 0, "chroot", m.root, "systemctl", "stop", "token-persistence-exporter")
	}
	return m
}

func account(t *testing.T, lab, name string) machine {
	t.Helper()
	root := filepath.Join(lab, "machine")
	command(t, 0, "chroot", root, "adduser", "--quiet", "--disabled-password", "--gecos", "", name)
	home := filepath.Join("/home", name)
	clone := filepath.Join(home, "toolkit")
	command(t, 0, "cp", "-R", filepath.Join(lab, "clone"), root+clone)
	command(t, 0, "chroot", root, "chown", "-R", name+":"+name, clone)
	mount(t, "-t", "proc", "none", filepath.Join(root, "proc"))
	return machine{root: root, login: append([]string{
		"chroot", "--userspec=" + name + ":" + name, root, "env", "-i", "--chdir=" + clone, "HOME=" + home, "LANG=C.UTF-8",
		"PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"GOTOOLCHAIN=local", "GOPROXY=" + goEnv(t, "GOPROXY"), "GOSUMDB=" + goEnv(t, "GOSUMDB"),
	}, lent(t, root)...)}
}

// lent gives the accounts below root what this machine's Go has fetched and
// compiled, when CACHES=machine asks for it: then the commands are tested and
// the clock says little. What they write stays apart.
func lent(t *testing.T, root string) (environment []string) {
	t.Helper()
	if os.Getenv("CACHES") != "machine" {
		return nil
	}
	t.Log("with the caches of this machine: the times are not those of someone new")
	for _, name := range []string{"GOMODCACHE", "GOCACHE"} {
		here := goEnv(t, name)
		there, written := filepath.Join(root, here), t.TempDir()
		command(t, 0, "mkdir", "-p", there, filepath.Join(written, "upper"), filepath.Join(written, "work"))
		mount(t, "-t", "overlay", "-o", "lowerdir="+here+",upperdir="+written+"/upper,workdir="+written+"/work", "none", there)
		command(t, 0, "find", there, "-maxdepth", "1", "-type", "d", "-exec", "chmod", "a+rwx", "{}", "+")
		environment = append(environment, name+"="+here)
	}
	command(t, 0, "find", filepath.Join(root, goEnv(t, "GOMODCACHE"), "cache"), "(", "-type", "d", "-o", "-name", "*lock", ")", "-exec", "chmod", "a+rwX", "{}", "+")
	command(t, 0, "chmod", "a+x", filepath.Join(root, "root"))
	return environment
}

// container is root in a fresh clone here; deploy/testdata/docker plays docker.
func container(t *testing.T, lab string) machine {
	t.Helper()
	shim, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	play := []string{"env", "--chdir=" + filepath.Join(lab, "clone"), "PATH=" + shim + ":" + os.Getenv("PATH"), "BUILDAH=" + filepath.Join(lab, "buildah"), "RUNNING=" + filepath.Join(lab, "running")}
	if os.Getenv("CACHES") == "machine" {
		play = append(play, "BUILD_FLAGS=--volume "+goEnv(t, "GOMODCACHE")+":/go/pkg/mod --volume "+goEnv(t, "GOCACHE")+":/root/.cache/go-build")
	}
	return machine{root: "/", login: play, done: func(t *testing.T) {
		t.Helper()
		command(t, 0, play[0], append(play[1:len(play):len(play)], "docker", "rm", "-f", "exporter")...)
	}}
}

// goEnv is what the machine's Go is set to.
func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// editor makes a program that changes the address, as the reader would by hand.
func (n newcomer) editor(t *testing.T, address string) {
	t.Helper()
	if n.root == "/" {
		return
	}
	script := "#!/bin/sh\nexec sed -i s/localhost:3306/" + address + "/ \"$1\"\n"
	write(t, filepath.Join(n.root, "usr/local/bin/editor"), script, 0o755)
}

func (n newcomer) substituted(command string) string {
	return strings.NewReplacer(n.substitutions...).Replace(command)
}

// paste runs statements as an administrator with `mysql --force` does: a table
// that this generation of API Manager does not have (error 1146) is passed over.
func (n newcomer) paste(t *testing.T, text string) {
	t.Helper()
	for _, s := range regexp.MustCompile(`(?m)^(?:GRANT|ANALYZE|CREATE USER) [^;]*;$`).FindAllString(text, -1) {
		if _, err := n.db.ExecContext(t.Context(), s); err != nil && !strings.Contains(err.Error(), "Error 1146") {
			t.Fatalf("%s\n%v", s, err)
		}
	}
}

// play runs a block. A command is followed by the next when it has ended, but
// for one whose successor belongs "in another terminal".
func (n newcomer) play(t *testing.T, commands []string) {
	t.Helper()
	began := time.Now()
	var report, scrape time.Duration
	for i, line := range commands {
		t.Log("$ " + n.substituted(line))
		switch {
		case i+1 < len(commands) && strings.Contains(commands[i+1], "# in another terminal"):
			n.keep(t, line)
		case strings.Contains(line, " check "):
			status, out := n.run(t, line)
			for range 2 { // tables that only some generations have are visible to the second
				if status != 0 {
					n.paste(t, out)
					status, out = n.run(t, line)
				}
			}
			if status != 0 {
				t.Fatalf("status %d with what it has asked for:\n%s", status, out)
			}
		case strings.HasPrefix(line, "curl "):
			n.scrape(t, line)
			scrape = time.Since(began)
		case strings.Contains(line, " compare "):
			if status, out := n.run(t, line); status != 10 || !strings.Contains(out, "PASS client_credentials") {
				t.Errorf("status %d, want 10 and a report:\n%s", status, out)
			}
			report = time.Since(began)
		default:
			if status, out := n.run(t, line); status != 0 {
				t.Fatalf("status %d:\n%s", status, out)
			}
		}
	}
	if scrape == 0 || report == 0 {
		t.Fatal("the block has no scrape or no report")
	}
	if n.done != nil {
		n.done(t)
	}
	t.Logf("first scrape after %.1f minutes, first report after %.1f", scrape.Minutes(), report.Minutes())
}

// run runs a command to its end. What it reads is the password.
func (n newcomer) run(t *testing.T, line string) (status int, out string) {
	t.Helper()
	cmd := n.command(t.Context(), line)
	cmd.Stdin = strings.NewReader(chosen + "\n")
	began := time.Now()
	text, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	t.Logf("  %.1f s, %.1f s of CPU", time.Since(began).Seconds(), (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds())
	return cmd.ProcessState.ExitCode(), string(text)
}

// command is a command of the README as its reader runs it. Only what has to
// fetch something sees the network of the machine; all else shares a loopback with
// the database and nobody else.
func (n newcomer) command(ctx context.Context, line string) *exec.Cmd {
	args := append(append([]string{}, n.login...), "bash", "-c", n.substituted(line))
	if strings.HasPrefix(line, "make ") || strings.HasPrefix(line, "sudo apt ") {
		args = append([]string{"nsenter", "--net=" + n.outside}, args...)
	}
	return exec.CommandContext(ctx, args[0], args[1:]...)
}

// keep runs a command until the test ends.
func (n newcomer) keep(t *testing.T, line string) {
	t.Helper()
	var log bytes.Buffer
	cmd := n.command(context.WithoutCancel(t.Context()), line)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) // it may have ended, which Wait says
		if err := cmd.Wait(); err != nil {
			t.Errorf("it ends with %v\n%s", err, log.String())
		}
	})
}

// scrape repeats a command, which a person types more slowly than a test, until
// every collector has read its source.
func (n newcomer) scrape(t *testing.T, line string) {
	t.Helper()
	var out []byte
	green := regexp.MustCompile(`^([^#\n]* 1\n|#.*\n)+$`)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		out, _ = n.command(t.Context(), line).Output() // nobody listens yet
		if green.Match(out) && bytes.Contains(out, []byte(`{collector="mysql"} 1`)) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not every collector is at 1:\n%s", out)
		}
	}
}
