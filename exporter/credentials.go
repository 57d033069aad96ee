package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/tokenpersistence/toolkit/exporter/amazon"
	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// passwordVariable is the environment variable that mysqld_exporter uses too.
const passwordVariable = "MYSQLD_EXPORTER_PASSWORD"

// database finds out where the database is and who we are there. A flag wins
// over the option file. No address at all means no database.
func (t *target) database() (d collector.Database, given bool, err error) {
	m := t.mysqld
	client, err := t.clientOptions()
	if err != nil {
		return d, false, err
	}
	address := cmp.Or(m.address, client.address())
	if address == "" {
		return d, false, nil
	}
	d = collector.Database{User: cmp.Or(m.username, client.user), Schema: m.database}
	if d.Network, d.Address, err = parseAddress(address); err != nil {
		return d, false, err
	}
	if d.User == "" {
		return d, false, usagef("no database account: give --mysqld.username or user in --config.my-cnf")
	}
	if d.TLS, err = t.tls(d, client); err != nil {
		return d, false, err
	}
	if m.iamAuth {
		d.Token = true
		d.Login, err = t.iamLogin(d)
		return d, err == nil, err
	}
	d.Login = func(context.Context) (collector.Secret, error) { return t.password() }
	d.Password, err = t.password()
	return d, err == nil, err
}

// clientOptions reads the option file, if one is given.
func (t *target) clientOptions() (clientOptions, error) {
	if t.mysqld.myCnf == "" {
		return clientOptions{}, nil
	}
	client, err := readMyCnf(t.mysqld.myCnf)
	if err != nil {
		return client, fmt.Errorf("--config.my-cnf: %w", err)
	}
	return client, nil
}

// password reads the password as it is now: the password file's, else the
// environment's, else the option file's. The environment speaks of the flags'
// target only: the password of one server is not for the others to see.
func (t *target) password() (collector.Secret, error) {
	if t.mysqld.passwordFile != "" {
		return readPassword(t.mysqld.passwordFile)
	}
	if password, ok := os.LookupEnv(passwordVariable); ok && t.name == "" {
		return collector.Secret(password), nil
	}
	client, err := t.clientOptions()
	return client.Password, err
}

// iamLogin returns a login with tokens instead of a password.
func (t *target) iamLogin(d collector.Database) (func(context.Context) (collector.Secret, error), error) {
	switch m := t.mysqld; {
	case m.passwordFile != "":
		return nil, usagef("--mysqld.iam-auth and --mysqld.password-file exclude each other")
	case d.Network != "tcp":
		return nil, usagef("--mysqld.iam-auth needs the endpoint of an RDS instance as --mysqld.address")
	case d.TLS == nil:
		return nil, usagef("--mysqld.iam-auth sends a token that others could use: give --mysqld.tls-ca, for RDS its CA bundle")
	}
	// The SDK's own time limits bound what this may take.
	return amazon.NewIAMLogin(context.Background(), d.Address, d.User, t.cloudwatch.region)
}

// parseAddress never repeats an address that it refuses: people paste whole
// DSNs, and those hold a password.
func parseAddress(address string) (network, target string, err error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok && path != "" {
		return "unix", path, nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" || strings.ContainsAny(address, "@/()") {
		return "", "", &usageError{errors.New("--mysqld.address: want HOST:PORT or unix:PATH, without user, password or database")}
	}
	return "tcp", address, nil
}

func readPassword(path string) (collector.Secret, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("--mysqld.password-file: %w", err)
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if password == "" {
		return "", fmt.Errorf("--mysqld.password-file: %s is empty: write the password into it", path)
	}
	return collector.Secret(password), nil
}
