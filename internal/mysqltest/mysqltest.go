// Package mysqltest starts a private MariaDB or MySQL server: its own data
// directory, a free port on loopback, an account with a random password, the
// performance schema on and the binary log off. Nothing of it outlives the
// process that started it, and no server of the machine is touched.
//
// With DSNVariable, tests that need only SQL run on a server that is there
// already, and leave it as they found it.
//
// It serves the tests of every package that needs a real server, and the
// testbed. It refuses to run where no server program is installed, with an
// error that names the packages.
//
//	server := mysqltest.Run(t, mysqltest.Config{})
//	db := server.Open(t, "")
package mysqltest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/tokenpersistence/toolkit/internal/child"
)

// Config says what kind of server to start; the zero value is a good one.
type Config struct {
	Program             string   // server program; empty: $TOKEN_PERSISTENCE_MYSQLD, else mariadbd or mysqld on PATH
	Dir                 string   // where the server's directory is created; empty: os.TempDir()
	NoPerformanceSchema bool     // start with performance_schema off, MariaDB's own default
	NativeAIO           bool     // leave InnoDB's native asynchronous I/O on; /proc/PID/io does not count its operations
	LowerCaseNames      bool     // lower_case_table_names=1: the server stores and shows table names in lower case
	ExtraArgs           []string // appended to the command line, so that they win
	CPUs                []int    // CPUs the server may use; nil: all of ours. Linux only
	SQLOnly             bool     // of a test: it changes no setting and stops nothing, so that it may run on the server of DSNVariable
}

// Server is a running private server.
type Server struct {
	Addr     string // 127.0.0.1:port
	Socket   string // path of the Unix socket
	Dir      string // everything the server writes
	User     string // an account with every privilege
	Password string
	Flavor   string // MariaDB or MySQL
	Version  string // what it says itself

	config   Config
	program  string
	build    string // what the program says of its version
	process  *child.Process
	host     string        // of ours, as accounts on the server name it
	attached *mysql.Config // of a server that was there already; nil for a private one
}

// How long a server may take to answer after its start, and to end after
// SIGTERM, on a slow and busy machine.
const (
	startLimit = 60 * time.Second
	stopLimit  = 20 * time.Second
)

// Start initialises and starts a server and waits until it answers. Cancelling
// ctx while Start runs ends and removes what was begun; afterwards ctx has no
// effect and the caller must Stop the server.
func Start(ctx context.Context, config Config) (*Server, error) {
	program, err := findProgram(config.Program)
	if err != nil {
		return nil, err
	}
	s := &Server{User: "toolkit", Password: rand.Text(), host: "127.0.0.1", config: config, program: program}
	if s.Flavor, s.build, err = flavour(ctx, program); err != nil {
		return nil, err
	}
	if s.Dir, err = os.MkdirTemp(config.Dir, "token-persistence-db-"); err != nil {
		return nil, fmt.Errorf("create the server's directory: %w", err)
	}
	if err := s.create(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.Dir))
	}
	return s, nil
}

// create fills the server's directory and starts the server in it.
func (s *Server) create(ctx context.Context) error {
	s.Socket = filepath.Join(s.Dir, "socket")
	if len(s.Socket) > 100 {
		return fmt.Errorf("socket path %s is longer than the 107 bytes a Unix socket may have: set TMPDIR to a shorter path", s.Socket)
	}
	if err := s.systemTables(ctx); err != nil {
		return err
	}
	if err := s.writeInitFile(); err != nil {
		return err
	}
	addr, err := freeAddress()
	if err != nil {
		return err
	}
	s.Addr = addr
	return s.launch(ctx)
}

// freeAddress finds a loopback port that was free a moment ago. The server
// cannot be handed a listening socket, so another program may take the port
// first; the server then ends at once and its log says why.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	addr := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return addr, nil
}

// Config returns the driver's configuration for a connection to database, the
// empty string for none.
func (s *Server) Config(database string) *mysql.Config {
	if s.attached != nil {
		c := s.attached.Clone()
		c.DBName = database
		return c
	}
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd, c.DBName = "tcp", s.Addr, s.User, s.Password, database
	c.ParseTime = true
	c.Logger = &mysql.NopLogger{} // what it would print is also returned as an error
	return c
}

// DSN returns the data source name of Config.
func (s *Server) DSN(database string) string { return s.Config(database).FormatDSN() }

// Connect returns a pool of connections to database; it opens none yet.
func (s *Server) Connect(database string) (*sql.DB, error) {
	connector, err := mysql.NewConnector(s.Config(database))
	if err != nil {
		return nil, fmt.Errorf("connect to the private server: %w", err)
	}
	return sql.OpenDB(connector), nil
}

// PID is the server's process id; it changes with Restart.
func (s *Server) PID() int { return s.process.PID() }

// Done is closed when the server process has ended, for whatever reason.
func (s *Server) Done() <-chan struct{} { return s.process.Done() }

// Pause freezes the server: connections stay open and nothing answers. Linux
// only.
func (s *Server) Pause() error {
	if s.attached != nil {
		return errNotOurs
	}
	return s.process.Freeze()
}

// Resume thaws a paused server.
func (s *Server) Resume() error {
	if s.attached != nil {
		return errNotOurs
	}
	return s.process.Thaw()
}

// Kill ends the server as a crash would; its directory stays for Restart.
func (s *Server) Kill() error {
	if s.attached != nil {
		return errNotOurs
	}
	return s.process.Kill()
}

// Restart ends the server unless Kill has, and starts it again on the same
// port with the same data.
func (s *Server) Restart(ctx context.Context) error {
	if s.attached != nil {
		return errNotOurs
	}
	if err := s.process.Stop(stopLimit); err != nil {
		return err
	}
	return s.launch(ctx)
}

// Stop ends the server as a crash would and removes its directory: an orderly
// end takes a second and would save nothing. A server that was there already stays.
func (s *Server) Stop() error {
	if s.attached != nil {
		return nil
	}
	return errors.Join(s.process.Kill(), os.RemoveAll(s.Dir))
}

// Log returns the last lines of the server's error log.
func (s *Server) Log() string {
	text, err := os.ReadFile(filepath.Join(s.Dir, "error.log"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-15):], "\n")
}
