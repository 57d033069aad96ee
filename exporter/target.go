package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/prometheus/common/config"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// target is one deployment of API Manager to watch: its database, its instances
// in CloudWatch and its logs. The flags describe one, which has no name; the
// configuration file any number.
type target struct {
	name string
	file string // the configuration file, and the line where the target begins
	line int

	mysqld struct {
		address, username, database, passwordFile, myCnf string
		tlsCA, tlsServerName                             string
		iamAuth                                          bool
	}
	cloudwatch struct {
		region, assumeRole string
		rds, ec2           []string
		period, delay      time.Duration
		iopsLimit          int
		timestamps         bool
	}
	accessLogs     []string
	logPattern     string
	carbonLogs     []string
	tokensLateness time.Duration
	census         collector.CensusConfig
	schemaInterval time.Duration

	statementsInterval time.Duration

	enabled map[string]*bool // by collector name
}

// newTarget returns a target in which nothing has been said yet.
func newTarget() *target {
	t := &target{enabled: map[string]*bool{}}
	for _, name := range collectorNames {
		t.enabled[name] = new(bool)
	}
	return t
}

// check finds what is wrong with single values; what depends on files and the
// environment is found when it is used.
func (t *target) check() error {
	switch {
	case t.tokensLateness < time.Second || t.tokensLateness > time.Hour:
		return usagef("--collector.tokens.lateness=%v: want 1s to 1h", t.tokensLateness)
	case t.statementsInterval < time.Second || t.statementsInterval > time.Hour:
		return usagef("--collector.statements.interval=%v: want 1s to 1h", t.statementsInterval)
	case t.census.Interval < time.Minute || t.census.Interval > 24*time.Hour:
		return usagef("--collector.census.interval=%v: want 1m to 24h", t.census.Interval)
	case t.census.MaxRows < 0:
		return usagef("--collector.census.max-rows=%d: want a number of rows, or 0 to count however many there are", t.census.MaxRows)
	case t.census.RowsPerSecond < 100 || t.census.RowsPerSecond > 1_000_000:
		return usagef("--collector.census.rows-per-second=%d: want 100 to 1000000", t.census.RowsPerSecond)
	case t.schemaInterval < time.Minute || t.schemaInterval > 24*time.Hour:
		return usagef("--collector.schema.interval=%v: want 1m to 24h", t.schemaInterval)
	case t.mysqld.database == "":
		return usagef("--mysqld.database is empty: name the database of the token tables")
	}
	return nil
}

// startPathsAt makes relative paths start at a directory.
func (t *target) startPathsAt(dir string) {
	paths := []*string{&t.mysqld.passwordFile, &t.mysqld.myCnf, &t.mysqld.tlsCA}
	for i := range t.accessLogs {
		paths = append(paths, &t.accessLogs[i])
	}
	for i := range t.carbonLogs {
		paths = append(paths, &t.carbonLogs[i])
	}
	for _, path := range paths {
		*path = config.JoinDir(dir, *path)
	}
}

// values returns what the target has been told, in the order of the settings.
func (t *target) values() []string {
	var values []string
	for _, s := range t.settings() {
		values = append(values, fmt.Sprint(reflect.ValueOf(s.into).Elem()))
	}
	return values
}

// untold reports whether every setting has its default.
func (t *target) untold() bool {
	return slices.Equal(t.values(), newTarget().withDefaults().values())
}

// locate says where a target of the configuration file stands, in an error that
// may name flags.
func (t *target) locate(err error) error {
	if t.name == "" {
		return err
	}
	located := fmt.Errorf("%s:%d: target %s: %s", t.file, t.line, t.name, t.inFile(err.Error()))
	if _, ok := errors.AsType[*usageError](err); ok {
		return &usageError{located}
	}
	return located
}
