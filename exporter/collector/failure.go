package collector

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// serverErrors maps the numbers of MySQL's and MariaDB's error messages that
// say something about our account, our budget or the schema. Sources: MySQL
// 8.4 Error Message Reference and MariaDB Error Codes.
var serverErrors = map[uint16]Class{
	1045: Auth, // access denied, wrong password
	1698: Auth, // access denied, the account uses another plugin
	1820: Auth, // password expired, the session may only change it
	1862: Auth, // password expired
	3118: Auth, // account locked (MySQL)
	4151: Auth, // account locked (MariaDB)

	1044: Permission, // no right on the database
	1142: Permission, // no right on the table
	1143: Permission, // no right on a column
	1227: Permission, // a global privilege is missing

	1205: Timeout, // lock wait timeout, metadata locks included
	1317: Timeout, // query interrupted
	1969: Timeout, // max_statement_time exceeded (MariaDB)
	3024: Timeout, // max_execution_time exceeded (MySQL)

	1049: Schema, // unknown database
	1054: Schema, // unknown column
	1146: Schema, // no such table
	1176: Schema, // no such index
	1193: Schema, // unknown system variable

	1040: Connection, // too many connections
	1053: Connection, // server shutdown in progress
	1129: Connection, // our host is blocked
	1130: Connection, // our host may not connect
	1135: Connection, // the server cannot create a thread
	1152: Connection, // aborted connection
	1158: Connection, // communication packet error
	1159: Connection, // the server got no packet in time
	1160: Connection, // the server could not send a packet
	1161: Connection, // the server could not send a packet in time
	1184: Connection, // aborted by init_connect
	1203: Connection, // the account has its maximum of connections
	1226: Connection, // the account has used up a resource limit
	1927: Connection, // connection was killed (MariaDB)
	2006: Connection, // server has gone away
	2013: Connection, // lost connection during query
	3032: Connection, // offline_mode (MySQL)
	3169: Connection, // session was killed (MySQL)
	4031: Connection, // closed for inactivity
}

// classOf derives a class from what the driver, the network or a context says.
func classOf(err error) Class {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		if class, ok := serverErrors[e.Number]; ok {
			return class
		}
		return Other
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) || errors.Is(err, os.ErrDeadlineExceeded) {
		return Timeout
	}
	for _, lost := range []error{driver.ErrBadConn, mysql.ErrInvalidConn, mysql.ErrMalformPkt, mysql.ErrPktSync, mysql.ErrPktSyncMul,
		sql.ErrConnDone, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, lost) {
			return Connection
		}
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return Connection
	}
	return Other
}

// isServerError reports whether err is the server's error of that number.
func isServerError(err error, number uint16) bool {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && e.Number == number
}

// ToAllow stands between an error of class permission and the statements that
// an administrator has to run.
const ToAllow = "; to allow it: "

// withNeeds adds to a permission error the statements that an administrator has
// to run, and leaves other errors as they are.
func withNeeds(s *Session, err error, needs []Need) error {
	if ClassOf(err) != Permission {
		return err
	}
	var statements []string
	for _, n := range needs {
		if n.Optional == "" && n.suits(s.Server) {
			statements = append(statements, n.statement(s))
		}
	}
	if len(statements) == 0 {
		return err
	}
	return fmt.Errorf("%w%s%s", err, ToAllow, strings.Join(statements, "; "))
}

// refusal finds the account or the host that the server names when it refuses a
// login.
var refusal = regexp.MustCompile(`^(?:Access denied for user '(.*)'@'([^']*)'|Host '([^']*)' is not allowed)`)

// RefusedHost returns the host as which the server knows us, from its refusal of
// a login, or nothing.
func RefusedHost(err error) string {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return ""
	}
	found := refusal.FindStringSubmatch(e.Message)
	if found == nil {
		return ""
	}
	return found[2] + found[3]
}

// QuoteAccount quotes a user and a host for GRANT.
func QuoteAccount(user, host string) string { return quoteAccount(user + "@" + host) }
