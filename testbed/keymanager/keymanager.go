// Package keymanager issues OAuth2 tokens the way WSO2 API Manager's resident
// key manager does, with token persistence on or off, so that the database sees
// the statements and the processor the signatures of the real product.
//
// It answers POST /oauth2/token for the grants client_credentials, password and
// refresh_token, /oauth2/revoke, /oauth2/introspect and GET /oauth2/jwks, signs
// RS256 with 2048 bits, and writes Tomcat's access log. It has API Manager's
// defaults: JWT access tokens, token cleanup on, revoked tokens retained for
// audit, refresh tokens renewed. It refuses opaque access tokens, consent and
// every other grant: they are not part of the published experiment.
//
//	err := keymanager.Serve(ctx, keymanager.Config{DSN: dsn, Persistence: true, Logs: "logs"}, ready)
package keymanager

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Config is what one key manager process needs; it travels as JSON.
type Config struct {
	DSN         string `json:"dsn"`         // go-sql-driver data source name of the token database
	Persistence bool   `json:"persistence"` // [oauth.token_persistence] enable
	Listen      string `json:"listen"`      // host:port; empty: a free port on loopback
	Logs        string `json:"logs"`        // folder of the access log http_access_<date>.log
	LogDuration bool   `json:"logDuration"` // append %D, milliseconds as in Tomcat 9, to the combined pattern
	Connections int    `json:"connections"` // limit of the connection pool; 0: DefaultConnections
}

// DefaultConnections is the pool limit (maxActive) that API Manager's
// installation guides give for the token database. 100 users on 50 connections
// wait for a connection as they would there.
const DefaultConnections = 50

// Tenant, store and provider of every user and application of the testbed: the
// super tenant's primary user store and its resident identity provider.
const (
	tenantID    = -1234
	tenant      = "carbon.super"
	userDomain  = "PRIMARY"
	idpName     = "LOCAL"
	noBinding   = "NONE"
	noState     = "NONE"
	signingBits = 2048
)

// Serve answers requests until ctx ends, then finishes those in flight. It
// calls ready once, with the base URL, when it accepts connections.
func Serve(ctx context.Context, config Config, ready func(url string)) error {
	store, err := openStore(ctx, config)
	if err != nil {
		return err
	}
	defer store.db.Close() // idle connections only: the server has drained
	key, err := rsa.GenerateKey(rand.Reader, signingBits)
	if err != nil {
		return fmt.Errorf("make a signing key: %w", err)
	}
	log, err := openAccessLog(config.Logs, config.LogDuration, time.Now)
	if err != nil {
		return err
	}
	listen := config.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return errors.Join(fmt.Errorf("key manager: %w", err), log.Close())
	}
	url := "http://" + listener.Addr().String()
	server := &http.Server{
		Handler:           log.record(newHandler(store, newSigner(key, url+"/oauth2/token"), config.Persistence)),
		ReadHeaderTimeout: 10 * time.Second,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	ready(url)
	select {
	case err = <-failed:
	case <-ctx.Done():
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = server.Shutdown(drain)
		<-failed //nolint:errcheck // http.ErrServerClosed
	}
	return errors.Join(err, log.Close())
}
