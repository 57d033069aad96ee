package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// passwordVariable is the environment variable that mysqld_exporter uses too.
const passwordVariable = "MYSQLD_EXPORTER_PASSWORD"

// database finds out where the database is and who we are there. A flag wins
// over the option file; of the passwords the file's, then the environment's,
// then the option file's is used. No address at all means no database.
func (t *target) database() (d collector.Database, given bool, err error) {
	m := t.mysqld
	var client clientOptions
	if m.myCnf != "" {
		if client, err = readMyCnf(m.myCnf); err != nil {
			return d, false, fmt.Errorf("--config.my-cnf: %w", err)
		}
	}
	address := m.address
	if address == "" {
		address = client.address()
	}
	if address == "" {
		return d, false, nil
	}
	d = collector.Database{User: m.username, Schema: m.database, Password: client.password}
	if d.Network, d.Address, err = parseAddress(address); err != nil {
		return d, false, err
	}
	if d.User == "" {
		d.User = client.user
	}
	if d.User == "" {
		return d, false, usagef("no database account: give --mysqld.username or user in --config.my-cnf")
	}
	if password, ok := os.LookupEnv(passwordVariable); ok {
		d.Password = collector.Secret(password)
	}
	if m.passwordFile != "" {
		if d.Password, err = readPassword(m.passwordFile); err != nil {
			return d, false, err
		}
	}
	return d, true, nil
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
