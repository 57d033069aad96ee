// Package collector turns the token tables and MySQL's counters into Prometheus
// metrics, and runs the collectors of other sources, of packages amazon and logs,
// beside them. A collector reads all of its source or returns an error; it never
// emits part of what it meant to read.
package collector

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Collector reads one source other than the database: CloudWatch or a log.
type Collector interface {
	// Name is the collector's name in flags and in the collector label.
	Name() string
	// Descs lists every family the collector can emit, for the contract.
	Descs() []*prometheus.Desc
	// Collect returns everything or an error; a class other than "other" comes
	// from wrapping the cause in a *Failure. It may return metrics that stay
	// true beside an error (a tail's counters), never part of a failed read.
	Collect(ctx context.Context) ([]prometheus.Metric, error)
}

// SQLCollector reads the database on the scrape's connection.
type SQLCollector interface {
	Name() string
	Descs() []*prometheus.Desc
	Collect(ctx context.Context, s *Session) ([]prometheus.Metric, error)
}

// Runner is work that goes on between scrapes until ctx ends. A collector that
// has such work implements it; main starts it once.
type Runner interface {
	Run(ctx context.Context) error
}

// Session is the scrape's database connection with what is known of its server.
type Session struct {
	Conn   *sql.Conn
	Schema string // the database that holds the token tables
	Server Server

	account      string        // our own account as the server knows it, quoted for GRANT
	literalNames bool          // whether a schema's name in a GRANT is no pattern
	limit        time.Duration // the statement limit in force on this connection
	cost         *cost
	indexes      map[string]string // what guard has found, by table

	noInnoDBMetrics bool // the account lacks PROCESS
}

// Server is the identity of the server behind a connection.
type Server struct {
	Flavor   string // mysql or mariadb
	Version  string
	ReadOnly bool

	Instance          string // host, port and server id: another value is another server
	PerformanceSchema bool   // whether performance_schema is on

	variables map[string]float64 // those of mysqlRows, by lower-case name
}

// Class is the bounded reason of a failure.
type Class string

// The classes of rule 4: what went wrong, never why in free text.
const (
	Connection Class = "connection"
	Auth       Class = "auth"
	Permission Class = "permission"
	Timeout    Class = "timeout"
	Throttled  Class = "throttled"
	Schema     Class = "schema"
	Partial    Class = "partial"
	Guard      Class = "guard"
	Other      Class = "other"
)

// Failure is an error whose class is known where it happened.
type Failure struct {
	Class Class
	Err   error
}

func (f *Failure) Error() string { return f.Err.Error() }
func (f *Failure) Unwrap() error { return f.Err }

// ClassOf returns the class of err: the one a *Failure names, else what a
// database, network or context error says by itself, else Other.
func ClassOf(err error) Class {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f.Class
	}
	return classOf(err)
}
