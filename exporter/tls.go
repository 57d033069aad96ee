package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// tls returns what connections need for TLS, or nothing where no CA is given.
// The file is read for each connection, and here to find mistakes early.
func (t *target) tls(d collector.Database, client clientOptions) (func() (*tls.Config, error), error) {
	flag, path := "--mysqld.tls-ca", t.mysqld.tlsCA
	if path == "" {
		flag, path = "ssl-ca in --config.my-cnf", client.sslCA
	}
	name := t.mysqld.tlsServerName
	if path == "" {
		if name != "" {
			return nil, usagef("--mysqld.tls-server-name without --mysqld.tls-ca: without it connections do not use TLS")
		}
		return nil, nil
	}
	if name == "" && d.Network == "tcp" {
		name, _, _ = net.SplitHostPort(d.Address) // parseAddress has split it before
	}
	if name == "" {
		return nil, usagef("--mysqld.tls-ca with a socket: give --mysqld.tls-server-name as well")
	}
	read := func() (*tls.Config, error) {
		pem, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
		cas := x509.NewCertPool()
		if !cas.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s: %s holds no certificate in PEM form", flag, path)
		}
		return &tls.Config{RootCAs: cas, ServerName: name, MinVersion: tls.VersionTLS12}, nil
	}
	_, err := read()
	return read, err
}
