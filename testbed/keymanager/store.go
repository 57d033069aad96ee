package keymanager

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// store is the token database and what is cached of it.
type store struct {
	db           *sql.DB
	applications map[string]application // by consumer key
}

// application is one OAuth2 client. API Manager caches applications, so that
// client authentication reaches the database only after a miss.
type application struct {
	key, secret, owner string
	grants             []string
	appSeconds         int64 // validity of a client_credentials token
	userSeconds        int64 // validity of a user's token
	refreshSeconds     int64
}

// openStore connects and fills the cache.
func openStore(ctx context.Context, config Config) (*store, error) {
	parsed, err := mysql.ParseDSN(config.DSN)
	if err != nil {
		// The driver's message may quote the DSN and with it the password.
		return nil, errors.New("key manager: the data source name is not one: want user:password@tcp(host:port)/database")
	}
	parsed.InterpolateParams = true
	parsed.ParseTime = true
	parsed.Logger = &mysql.NopLogger{} // what it would print is also returned as an error
	connector, err := mysql.NewConnector(parsed)
	if err != nil {
		return nil, fmt.Errorf("key manager: database settings: %w", err)
	}
	s := &store{db: sql.OpenDB(connector), applications: map[string]application{}}
	limit := cmp.Or(config.Connections, DefaultConnections)
	s.db.SetMaxOpenConns(limit)
	s.db.SetMaxIdleConns(limit)
	if err := s.cache(ctx); err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

// cache reads the active applications.
func (s *store) cache(ctx context.Context) error {
	rows, err := s.db.QueryContext(ctx, selectApplications)
	if err != nil {
		return fmt.Errorf("key manager: read applications: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var a application
		var grants string
		if err := rows.Scan(&a.key, &a.secret, &a.owner, &grants, &a.appSeconds, &a.userSeconds, &a.refreshSeconds); err != nil {
			return fmt.Errorf("key manager: read applications: %w", err)
		}
		a.grants = strings.Fields(grants)
		s.applications[a.key] = a
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("key manager: read applications: %w", err)
	}
	if len(s.applications) == 0 {
		return errors.New("key manager: IDN_OAUTH_CONSUMER_APPS has no active application")
	}
	return nil
}

// inTransaction runs do in one transaction and commits it unless do fails.
func (s *store) inTransaction(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
