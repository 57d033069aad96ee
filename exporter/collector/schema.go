package collector

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

var (
	schemaInfoDesc = family("wso2_token_schema_info",
		"Product whose token tables these are (api_manager, identity_server, unknown) and the generation of the tables: 4.2 for API Manager 4.2 and before, 4.3 for 4.3 and later, "+
			"7 for Identity Server 7 and later, 5.11 for before; unknown when it depends on a table or column that the account may not see. Always 1.", "flavor", "generation")
	indexPresentDesc = family("wso2_token_schema_index_present",
		"Whether an index that the product's definitions give to a token table is there, under its name or over the same columns under another, and usable: 1 or 0. "+
			"Absent where our rights do not tell: MariaDB hides an index unless the account has a right on each of its columns or, as SHOW VIEW, on the whole schema.", "table", "index")
	excessDesc = family("token_persistence_exporter_excess_privileges",
		"Whether the exporter's account may do more than it needs: 1 or 0 by kind. write changes data or tables; token_values reads tokens, their hashes or SQL text that holds them; "+
			"process sees running statements; all can give itself any right; other is every other right.", "kind")
)

// Budgets of the pieces of a pass.
const schemaBudget = 2 * time.Second

// TokenSchema looks at the definitions of the token tables and at the rights of our
// own account. It reads no row of any of them.
type TokenSchema struct {
	interval   time.Duration
	background *Background
	tables     *Tables
	latest     *latest

	mu    sync.Mutex
	notes []string
}

// NewSchema takes the time between two looks, the background connection and the
// tables of its target.
func NewSchema(interval time.Duration, background *Background, tables *Tables) *TokenSchema {
	return &TokenSchema{interval: interval, background: background, tables: tables, latest: newLatest()}
}

// Name is schema.
func (c *TokenSchema) Name() string { return "schema" }

// Descs lists the families.
func (c *TokenSchema) Descs() []*prometheus.Desc {
	return []*prometheus.Desc{schemaInfoDesc, indexPresentDesc, excessDesc}
}

// Run looks until ctx ends.
func (c *TokenSchema) Run(ctx context.Context) error {
	repeat(ctx, c.interval, func(ctx context.Context) error {
		metrics, notes, err := c.pass(ctx)
		if ctx.Err() != nil {
			return nil
		}
		c.latest.put(metrics, err)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.notes = notes
		return err
	})
	return nil
}

// Collect returns what the last look has found.
func (c *TokenSchema) Collect(ctx context.Context) ([]prometheus.Metric, error) {
	return c.latest.get(ctx)
}

// Warnings tells that the account can read token values.
func (c *TokenSchema) Warnings() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.notes
}

// Needs is a right that lets nobody read a row, shows which tables are there
// and which are not, and on MariaDB their indexes. MySQL shows a table's indexes
// to an account with a right on any of its columns.
func (c *TokenSchema) Needs([]string) []Need { return []Need{{Privilege: privilegeShowView}} }

func (c *TokenSchema) pass(ctx context.Context) (metrics []prometheus.Metric, notes []string, err error) {
	var d definitions
	err = c.background.Do(ctx, schemaBudget, func(ctx context.Context, s *Session) (err error) {
		d, err = readDefinitions(ctx, s, c.tables)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	var rights excess
	err = c.background.Do(ctx, schemaBudget, func(ctx context.Context, s *Session) (err error) {
		rights, err = readExcess(ctx, s)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	flavor, generation := d.product()
	metrics = append(d.indexMetrics(), prometheus.MustNewConstMetric(schemaInfoDesc, gauge, 1, flavor, generation))
	return append(metrics, rights.metrics()...), rights.notes(), nil
}

// presence of a table: an account that may not see it cannot know.
type presence int

const (
	isUnknown presence = iota
	isMissing
	isThere
)

// definitions are what we may see of the token tables, by names in upper case.
type definitions struct {
	all     bool // every index of these tables is visible
	tables  map[string]presence
	columns map[string][]string         // visible ones of each table
	indexes map[string]map[string]index // visible ones of each table
}

// newOrganization is a column of the access-token table in Identity Server 7.
const newOrganization = "AUTHORIZED_ORGANIZATION"

// product tells from tables and columns whose they are; versions are not asked.
func (d *definitions) product() (flavor, generation string) {
	any := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return d.tables[name] == isThere })
	}
	none := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return d.tables[name] != isMissing })
	}
	withoutPersistence := []string{
		tokentable.InvalidTokens, tokentable.AppRevokedEvent, tokentable.AMAppRevokedEvent, tokentable.AMSubjectEntityRevokedEvent,
	}
	switch {
	case any(withoutPersistence...):
		return "api_manager", "4.3"
	case any(tokentable.RevokedJWT) && none(withoutPersistence...):
		return "api_manager", "4.2"
	case any(tokentable.RevokedJWT):
		return "api_manager", "unknown"
	case d.seesColumn(tokentable.AccessToken, newOrganization), d.seesColumn(tokentable.ISRefreshToken, newOrganization):
		return "identity_server", "7"
	case any(tokentable.ISRefreshToken, tokentable.ISRefreshTokenScope, tokentable.ISRefreshTokenBinding, tokentable.ISRevokedTokens):
		if d.seesWhole(tokentable.AccessToken) || d.seesWhole(tokentable.ISRefreshToken) {
			return "identity_server", "5.11"
		}
		return "identity_server", "unknown"
	}
	return "unknown", "unknown"
}

// seesColumn reports whether a column is known to be there, of its own or by an
// index over it.
func (d *definitions) seesColumn(table, column string) bool {
	for _, index := range d.indexes[table] {
		if slices.Contains(index.columns, column) {
			return true
		}
	}
	return slices.Contains(d.columns[table], column)
}

// seesWhole reports whether columns that are not visible are not there: nobody
// grants a right on the token itself, column by column, who hides another.
func (d *definitions) seesWhole(table string) bool {
	return slices.Contains(d.columns[table], "REFRESH_TOKEN")
}

// upperTables maps names in upper case to the server's; of two that differ in
// case only, the one in upper case is the product's.
func upperTables(present []string) map[string]string {
	names := map[string]string{}
	for _, name := range present {
		label := strings.ToUpper(name)
		if _, twin := names[label]; !twin || name == label {
			names[label] = name
		}
	}
	return names
}

// indexMetrics shows each expected index of each table that is there. Where
// partitions share a label, the one that lacks the index shows.
func (d *definitions) indexMetrics() []prometheus.Metric {
	type series struct{ table, index string }
	values := map[series]float64{}
	labels := newTableLabels(slices.Collect(maps.Keys(d.indexes)))
	for table := range d.indexes {
		for _, expected := range tokentable.Indexes(table) {
			key := series{labels[table], expected.Name}
			switch d.index(table, expected) {
			case isUnknown:
			case isMissing:
				values[key] = 0
			case isThere:
				if _, shown := values[key]; !shown {
					values[key] = 1
				}
			}
		}
	}
	metrics := make([]prometheus.Metric, 0, len(values))
	for key, value := range values {
		metrics = append(metrics, prometheus.MustNewConstMetric(indexPresentDesc, gauge, value, key.table, key.index))
	}
	return metrics
}

func (d *definitions) index(table string, expected tokentable.Index) presence {
	for name, have := range d.indexes[table] {
		if !have.ignored && have.serves(expected, strings.EqualFold(name, expected.Name)) {
			return isThere
		}
	}
	if !d.all {
		for _, column := range expected.Columns {
			if !slices.Contains(d.columns[table], column) {
				return isUnknown
			}
		}
	}
	return isMissing
}

// index is an index that the server has.
type index struct {
	columns []string
	ignored bool // by the optimizer
}

// serves reports whether the index does what the expected one would: it has its
// name and begins alike, or it begins with all of its columns.
func (i index) serves(expected tokentable.Index, named bool) bool {
	if named && len(i.columns) > 0 {
		return i.columns[0] == expected.Columns[0]
	}
	return len(i.columns) >= len(expected.Columns) && slices.Equal(i.columns[:len(expected.Columns)], expected.Columns)
}

var errNoTokenTable = errors.New("no token table is visible: check --mysqld.database and the account's SELECT privileges")

var (
	_ Collector = (*TokenSchema)(nil)
	_ Runner    = (*TokenSchema)(nil)
	_ Needer    = (*TokenSchema)(nil)
	_ Warner    = (*TokenSchema)(nil)
)
