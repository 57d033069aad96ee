package mysqltest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/internal/child"
)

func (s *Server) data() string { return filepath.Join(s.Dir, "data") }

// common are the arguments that initialisation and server share.
func (s *Server) common() []string {
	args := []string{"--no-defaults", "--datadir=" + s.data(), "--tmpdir=" + s.Dir}
	if os.Getuid() == 0 {
		// Both servers refuse to run as root unless told so; a throw-away server
		// on loopback gains nothing from an account of its own.
		args = append(args, "--user=root")
	}
	if s.config.LowerCaseNames { // MySQL wants it from the first initialisation on
		args = append(args, "--lower-case-table-names=1")
	}
	if s.Flavor == MariaDB {
		return append(args, "--innodb-log-file-size=64M")
	}
	return append(args, "--innodb-redo-log-capacity=128M")
}

// initialise creates the system tables. Root may then enter through the socket
// only, which lies in a directory nobody else can open.
func (s *Server) initialise(ctx context.Context) error {
	// nosync: nothing in the directory is worth the wait for the disk yet.
	program, args := s.program, append(s.common(), "--initialize-insecure", "--innodb-flush-method=nosync", "--innodb-doublewrite=OFF")
	if s.Flavor == MariaDB {
		script, err := installer(s.program)
		if err != nil {
			return err
		}
		program, args = script, append(s.common(), "--auth-root-authentication-method=socket", "--skip-test-db",
			"--skip-name-resolve", "--innodb-flush-method=nosync")
	}
	cmd := exec.Command(program, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := child.Start(cmd, s.config.CPUs)
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		_ = p.Kill() // the reason to report is ctx's
		return fmt.Errorf("initialise a private server: %w", ctx.Err())
	}
	if err := p.Err(); err != nil {
		return fmt.Errorf("initialise a private server: %s: %w\n%s", program, err, strings.TrimSpace(out.String()))
	}
	return nil
}

// writeInitFile writes the statements the server runs before it accepts the
// first connection: our account. They hold for a restart too.
func (s *Server) writeInitFile() error {
	var b strings.Builder
	for _, host := range []string{"127.0.0.1", "localhost"} {
		fmt.Fprintf(&b, "CREATE USER IF NOT EXISTS '%s'@'%s' IDENTIFIED BY '%s';\n", s.User, host, s.Password)
		fmt.Fprintf(&b, "GRANT ALL ON *.* TO '%s'@'%s' WITH GRANT OPTION;\n", s.User, host)
	}
	if err := os.WriteFile(s.initFile(), []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("write the server's start statements: %w", err)
	}
	return nil
}

func (s *Server) initFile() string { return filepath.Join(s.Dir, "init.sql") }

func (s *Server) serverArgs() []string {
	_, port, _ := net.SplitHostPort(s.Addr) // freeAddress made it
	schema, native := "ON", "0"
	if s.config.NoPerformanceSchema {
		schema = "OFF"
	}
	if s.config.NativeAIO {
		native = "1"
	}
	args := append(s.common(),
		"--bind-address=127.0.0.1", "--port="+port, "--socket="+s.Socket, "--skip-name-resolve",
		"--pid-file="+filepath.Join(s.Dir, "pid"), "--log-error="+filepath.Join(s.Dir, "error.log"),
		"--init-file="+s.initFile(), "--secure-file-priv="+s.Dir,
		"--performance-schema="+schema, "--innodb-use-native-aio="+native, "--skip-log-bin",
		"--max-connections=200", "--innodb-buffer-pool-size=256M")
	if s.Flavor == MySQL {
		args = append(args, "--mysqlx=0")
	}
	return append(args, s.config.ExtraArgs...)
}

// launch starts the server process and waits until it answers a query.
func (s *Server) launch(ctx context.Context) error {
	p, err := child.Start(exec.Command(s.program, s.serverArgs()...), s.config.CPUs)
	if err != nil {
		return err
	}
	s.process = p
	if err := s.answers(ctx); err != nil {
		_ = p.Kill() // the reason to report is the one found
		return fmt.Errorf("start %s: %w\n%s", s.program, err, s.Log())
	}
	return nil
}

// answers waits for the first successful connection.
func (s *Server) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	db, err := s.Connect("")
	if err != nil {
		return err
	}
	defer db.Close() // holds idle connections only
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		last := db.QueryRowContext(ctx, "SELECT VERSION()").Scan(&s.Version)
		if last == nil {
			return nil
		}
		select {
		case <-s.process.Done():
			return fmt.Errorf("the server ended: %w", s.process.Err())
		case <-ctx.Done():
			return fmt.Errorf("no answer (%w): %w", last, ctx.Err())
		case <-poll.C:
		}
	}
}
