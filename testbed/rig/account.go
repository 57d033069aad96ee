package rig

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// exporterUser is the account of the exporter on a private server.
const exporterUser = "exporter"

// exporterAccount returns the settings the exporter connects with. On a private
// server they are those of an account of its own with what exporter check asks
// for; on a server of the user's they are the user's, since nobody asked us to
// create accounts there.
func (d *database) exporterAccount(ctx context.Context) (*mysql.Config, error) {
	config := d.config.Clone()
	if !d.own {
		return config, nil
	}
	grants, err := d.exporterGrants(ctx)
	if err != nil {
		return nil, err
	}
	config.User, config.Passwd = exporterUser, rand.Text()
	create := "CREATE USER " + exporterQuoted + " IDENTIFIED BY '" + config.Passwd + "' WITH MAX_USER_CONNECTIONS 3"
	for _, statement := range append([]string{create}, grants...) {
		if _, err := d.db.ExecContext(ctx, statement); err != nil {
			return nil, fmt.Errorf("create the exporter's account: %w", err)
		}
	}
	return config, nil
}

const exporterQuoted = "'" + exporterUser + "'@'127.0.0.1'"

// exporterGrants are the statements of exporter check for this database.
func (d *database) exporterGrants(ctx context.Context) ([]string, error) {
	tables, err := d.tables(ctx)
	if err != nil {
		return nil, err
	}
	server := collector.Server{Flavor: "mysql", Version: d.version}
	if strings.Contains(strings.ToLower(d.version), "mariadb") {
		server.Flavor = "mariadb"
	}
	return collector.Grants(server, d.config.DBName, exporterQuoted, slices.Sorted(maps.Keys(tables))), nil
}
