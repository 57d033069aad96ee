package main

import (
	"time"

	"github.com/alecthomas/kingpin/v2"
)

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

// addFlags makes flags fill the target.
func (t *target) addFlags(app *kingpin.Application) {
	m := &t.mysqld
	app.Flag("mysqld.address", "Address of the MySQL or MariaDB server: HOST:PORT or unix:PATH. Without it the SQL collectors are off.").StringVar(&m.address)
	app.Flag("mysqld.username", "Account of the exporter.").StringVar(&m.username)
	app.Flag("mysqld.password-file", "File that holds the account's password.").StringVar(&m.passwordFile)
	app.Flag("mysqld.database", "Database that holds the token tables.").Default("apimdb").StringVar(&m.database)
	app.Flag("config.my-cnf", "MySQL option file; user, password, host, port and socket of [client] are used where no flag says otherwise.").StringVar(&m.myCnf)

	c := &t.cloudwatch
	app.Flag("cloudwatch.region", "AWS region; without it the SDK's own configuration decides.").StringVar(&c.region)
	app.Flag("cloudwatch.rds-instance", "RDS instance to watch through CloudWatch; repeatable.").StringsVar(&c.rds)
	app.Flag("cloudwatch.ec2-instance", "EC2 instance to watch through CloudWatch as ROLE=ID, for example apim=i-0123; repeatable.").StringsVar(&c.ec2)
	app.Flag("cloudwatch.period", "Period of a datapoint.").Default("60s").DurationVar(&c.period)
	app.Flag("cloudwatch.delay", "Time after the end of a period until its datapoint is complete.").Default("120s").DurationVar(&c.delay)

	app.Flag("collector.endpoint.access-log", "Access log of API Manager, a path or a glob; repeatable.").StringsVar(&t.accessLogs)
	app.Flag("collector.endpoint.log-pattern", "Pattern of the access log: combined, common or a pattern of Tomcat's AccessLogValve.").Default("combined").StringVar(&t.logPattern)
	app.Flag("collector.tokens.lateness", "Longest time between the creation of a token row and its commit, clock differences included.").Default("30s").DurationVar(&t.tokensLateness)

	for _, name := range collectorNames {
		t.enabled[name] = app.Flag("collector."+name, "Enable the "+name+" collector where what it needs is given.").Default("true").Bool()
	}
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
