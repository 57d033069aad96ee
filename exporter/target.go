package main

import "time"

// target is one deployment of API Manager to watch: its database, its instances
// in CloudWatch and its logs.
type target struct {
	mysqld struct {
		address, username, database, passwordFile, myCnf string
	}
	cloudwatch struct {
		region        string
		rds, ec2      []string
		period, delay time.Duration
	}
	accessLogs     []string
	logPattern     string
	tokensLateness time.Duration

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
	case t.mysqld.database == "":
		return usagef("--mysqld.database is empty: name the database of the token tables")
	}
	return nil
}
