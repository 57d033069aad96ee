package collector

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"sync"
	"time"
)

// Database says which server to watch and who we are there.
type Database struct {
	Network  string // tcp or unix
	Address  string // host:port, or the path of a socket
	User     string
	Password Secret
	Schema   string // the database that holds the token tables

	Login func(context.Context) (Secret, error) `json:"-"` // returns the password for each attempt to log in; nil: Password
	Token bool                                  // Login returns another token each time, to be sent as it is, over TLS only
	TLS   func() (*tls.Config, error)           `json:"-"` // asked for each connection; nil: no TLS
}

// Refused credentials are not tried again before a pause that doubles from the
// first to the last of these, so that a scrape every second cannot lock the
// account or fill the server's log.
const (
	firstPause = 5 * time.Second
	lastPause  = 5 * time.Minute
)

// connectionLag is how long a server may count a connection that has ended
// towards the account's limit: ours, just before.
const connectionLag = 200 * time.Millisecond

// Gate spaces out attempts to log in with credentials that were refused. The
// links to one server share a gate.
type Gate struct {
	mu      sync.Mutex
	pause   time.Duration
	until   time.Time
	refusal error
	refused [sha256.Size]byte // of the password; of nothing for tokens
}

// closed returns why no attempt may be made now, or nil. A password that is not
// the refused one deserves its own attempt.
func (g *Gate) closed(now time.Time, password Secret) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if wait := g.until.Sub(now); wait > 0 && sha256.Sum256([]byte(password)) == g.refused {
		return &Failure{Auth, fmt.Errorf("%w (next attempt in %v)", g.refusal, wait.Round(time.Second))}
	}
	return nil
}

// Open lets the next attempt come at once: the credentials may be others now.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pause, g.until, g.refusal = 0, time.Time{}, nil
}

// learn takes note of how an attempt to log in ended.
func (g *Gate) learn(now time.Time, password Secret, err error) {
	if err == nil {
		g.Open()
		return
	}
	if ClassOf(err) != Auth {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pause = min(max(2*g.pause, firstPause), lastPause)
	g.until, g.refusal, g.refused = now.Add(g.pause), err, sha256.Sum256([]byte(password))
}

// Link is one lasting connection to the database. It opens lazily, stays open
// across scrapes, and is replaced only when it broke or when another server
// answers. One goroutine uses it at a time.
type Link struct {
	db       *sql.DB
	database Database
	gate     *Gate
	session  *Session
	cost     cost
}

// NewLink prepares a link and connects to nothing yet.
func NewLink(d Database, gate *Gate) (*Link, error) {
	connector, err := newConnector(d)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	return &Link{db: db, database: d, gate: gate}, nil
}

// Session returns the open session after asking the server who it is. A lost
// connection is replaced once; so is one behind which another server answers.
func (l *Link) Session(ctx context.Context) (*Session, error) {
	if l.session != nil {
		server, _, err := identify(ctx, l.session.Conn, &l.cost)
		switch {
		case err == nil && server.Instance == l.session.Server.Instance && server.Version == l.session.Server.Version:
			l.session.Server = server
			return l.session, nil
		case err != nil && ctx.Err() != nil:
			l.Drop()
			return nil, err
		}
		l.Drop()
	}
	password := Secret("")
	if !l.database.Token { // tokens differ, and who is refused with one is with the next
		var err error
		if password, err = l.database.password(ctx); err != nil {
			return nil, err
		}
	}
	if err := l.gate.closed(time.Now(), password); err != nil {
		return nil, err
	}
	session, err := l.open(ctx)
	l.gate.learn(time.Now(), password, err)
	if err != nil {
		return nil, err
	}
	l.session = session
	return session, nil
}

// open connects, finds out who answers and prepares the session.
func (l *Link) open(ctx context.Context) (*Session, error) {
	conn, err := l.db.Conn(ctx)
	if (isServerError(err, 1203) || isServerError(err, 1226)) && sleep(ctx, connectionLag) {
		conn, err = l.db.Conn(ctx)
	}
	if err != nil {
		return nil, l.database.connectFailure(err)
	}
	l.cost.connects.Add(1)
	s := &Session{Conn: conn, Schema: l.database.Schema, cost: &l.cost}
	if err = s.exec(ctx, setNames); err == nil {
		s.Server, s.account, err = identify(ctx, conn, &l.cost)
	}
	if err == nil {
		err = s.prepare(ctx)
	}
	if err == nil {
		err = s.readLiteralNames(ctx)
	}
	if err != nil {
		discard(conn)
		return nil, err
	}
	return s, nil
}

// Alive reports whether the session can run another statement. A statement
// that was cut by its deadline leaves it dead.
func (l *Link) Alive() bool {
	return l.session != nil && l.session.Conn.Raw(func(dc any) error {
		if v, ok := dc.(driver.Validator); ok && !v.IsValid() {
			return driver.ErrBadConn
		}
		return nil
	}) == nil
}

// Drop closes the connection; the next Session opens another.
func (l *Link) Drop() {
	if l.session != nil {
		discard(l.session.Conn)
		l.session = nil
	}
}

// Close ends the link.
func (l *Link) Close() error {
	l.Drop()
	return l.db.Close()
}

// discard closes the network connection rather than returning it to the pool.
// Its errors say only that the connection was broken already.
func discard(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = conn.Close()
}
