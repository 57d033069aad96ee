package main

import (
	"fmt"
	"time"

	"github.com/alecthomas/kingpin/v2"
)

// setting is one thing that can be said of a target: by a flag of the default
// target, and by a key of the configuration file for the others.
type setting struct {
	flag  string // its name without --
	key   string // its path in the configuration file below targets.NAME
	into  any    // *string, *bool, *int, *time.Duration or *[]string
	value string // the default
	help  string
}

// settings is the one list of everything that a target can be told. To add a
// setting, add its row here and its field in target.
func (t *target) settings() []setting {
	m, c := &t.mysqld, &t.cloudwatch
	rows := []setting{
		{"mysqld.address", "mysqld.address", &m.address, "", "Address of the MySQL or MariaDB server: HOST:PORT or unix:PATH. Without it the SQL collectors are off."},
		{"mysqld.username", "mysqld.username", &m.username, "", "Account of the exporter."},
		{"mysqld.password-file", "mysqld.password_file", &m.passwordFile, "", "File that holds the account's password."},
		{"mysqld.database", "mysqld.database", &m.database, "apimdb", "Database that holds the token tables."},
		{"config.my-cnf", "mysqld.my_cnf", &m.myCnf, "", "MySQL option file; user, password, host, port, socket and ssl-ca of [client] are used where no flag says otherwise."},
		{"mysqld.tls-ca", "mysqld.tls_ca", &m.tlsCA, "", "PEM file with the CAs of the server's certificate, for example RDS's bundle. With it connections use TLS and nothing else."},
		{"mysqld.tls-server-name", "mysqld.tls_server_name", &m.tlsServerName, "", "Name in the server's certificate, where it is not the host of the address."},
		{"mysqld.iam-auth", "mysqld.iam_auth", &m.iamAuth, "false", "Log in to RDS with a token signed by this process's AWS credentials instead of a password; needs TLS."},

		{"cloudwatch.region", "cloudwatch.region", &c.region, "", "AWS region; without it the SDK's own configuration decides."},
		{"cloudwatch.rds-instance", "cloudwatch.rds_instances", &c.rds, "", "RDS instance to watch through CloudWatch; repeatable."},
		{"cloudwatch.ec2-instance", "cloudwatch.ec2_instances", &c.ec2, "", "EC2 instance to watch through CloudWatch as ROLE=ID, for example apim=i-0123; repeatable."},
		{"cloudwatch.period", "cloudwatch.period", &c.period, "60s", "Period of a datapoint."},
		{"cloudwatch.delay", "cloudwatch.delay", &c.delay, "120s", "Time after the end of a period until its datapoint is complete."},
		{"cloudwatch.assume-role", "cloudwatch.assume_role", &c.assumeRole, "", "ARN of a role to assume for CloudWatch."},
		{"cloudwatch.timestamps", "cloudwatch.timestamps", &c.timestamps, "false", "Give CloudWatch samples the time of their datapoint, two minutes old and more. Prometheus then cannot mark them stale, and drops what CloudWatch revises."},
		{"cloudwatch.rds-iops-limit", "cloudwatch.rds_iops_limit", &c.iopsLimit, "0", "Provisioned IOPS of the RDS instances, shown as rds_iops_limit; 0 for none."},

		{"collector.endpoint.access-log", "collectors.endpoint.access_logs", &t.accessLogs, "", "Access log of API Manager, a path or a glob; repeatable."},
		{"collector.endpoint.log-pattern", "collectors.endpoint.log_pattern", &t.logPattern, "combined", "Pattern of the access log: combined, common or a pattern of Tomcat's AccessLogValve."},
		{"collector.carbonlog.log", "collectors.carbonlog.logs", &t.carbonLogs, "", "Server log of one API Manager node, wso2carbon.log, a path or a glob; repeatable."},
		{"collector.tokens.lateness", "collectors.tokens.lateness", &t.tokensLateness, "30s", "Longest time between the creation of a token row and its commit, clock differences included."},
		{"collector.statements.interval", "collectors.statements.interval", &t.statementsInterval, "60s", "Time between two readings of the statement summaries."},
		{"collector.census.interval", "collectors.census.interval", &t.census.Interval, "10m", "Time from one start of the census to the next."},
		{"collector.census.max-rows", "collectors.census.max_rows", &t.census.MaxRows, "5000000", "Estimated rows of its tables above which the census refuses; 0 counts however many there are."},
		{"collector.census.rows-per-second", "collectors.census.rows_per_second", &t.census.RowsPerSecond, "20000", "Rows that the census reads in a second at most."},
		{"collector.schema.interval", "collectors.schema.interval", &t.schemaInterval, "10m", "Time between two looks at the definitions of the token tables."},
	}
	for _, name := range collectorNames {
		rows = append(rows, setting{"collector." + name, "collectors." + name + ".enabled", t.enabled[name], "true",
			"Enable the " + name + " collector where what it needs is given."})
	}
	return rows
}

// withDefaults gives every setting its default.
func (t *target) withDefaults() *target {
	for _, s := range t.settings() {
		if s.value == "" {
			continue
		}
		if err := s.set(s.value); err != nil {
			panic(fmt.Sprintf("the default of --%s: %v", s.flag, err))
		}
	}
	return t
}

// addFlags makes flags fill the target.
func (t *target) addFlags(app *kingpin.Application) {
	for _, s := range t.settings() {
		flag := app.Flag(s.flag, s.help)
		if s.value != "" {
			flag = flag.Default(s.value)
		}
		switch into := s.into.(type) {
		case *string:
			flag.StringVar(into)
		case *bool:
			flag.BoolVar(into)
		case *int:
			flag.IntVar(into)
		case *time.Duration:
			flag.DurationVar(into)
		case *[]string:
			flag.StringsVar(into)
		default:
			panic(fmt.Sprintf("--%s has the type %T, which no flag can fill", s.flag, into))
		}
	}
}
