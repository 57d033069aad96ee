package main

import (
	"errors"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"
)

const (
	commandServe   = "serve"
	commandMetrics = "metrics"
)

const help = "Prometheus exporter for OAuth2 token persistence of WSO2 API Manager. " +
	"The database password comes from the environment variable " + passwordVariable + ", --mysqld.password-file or --config.my-cnf."

// options is the command line.
type options struct {
	command string
	log     promslog.Config

	web           *web.FlagConfig
	telemetryPath string
	pprof         bool

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

// errAnswered ends a command line that asked for help or the version.
var errAnswered = errors.New("answered")

// parse reads the command line; help and version go to stdout.
func parse(args []string, stdout io.Writer) (*options, error) {
	app := kingpin.New("exporter", help)
	app.UsageWriter(stdout)
	app.HelpFlag.Short('h')
	app.Version(version.Print("exporter"))
	answered := false
	app.Terminate(func(int) { answered = true })

	o := &options{enabled: map[string]*bool{}}
	app.Command(commandServe, "Serve metrics.").Default()
	app.Command(commandMetrics, "Print every metric with its type, labels, collector and help.")
	o.addFlags(app)

	var err error
	o.command, err = app.Parse(args)
	switch {
	case answered:
		return nil, errAnswered
	case err != nil:
		return nil, usagef("%w%s", err, suggest(app.Model(), args))
	}
	return o, o.check()
}

func (o *options) addFlags(app *kingpin.Application) {
	promslogflag.AddFlags(app, &o.log)

	o.web = kingpinflag.AddFlags(app, ":9851")
	app.Flag("web.telemetry-path", "Path under which metrics are served.").Default("/metrics").StringVar(&o.telemetryPath)
	app.Flag("web.enable-pprof", "Serve Go's profiler under /debug/pprof/.").BoolVar(&o.pprof)

	m := &o.mysqld
	app.Flag("mysqld.address", "Address of the MySQL or MariaDB server: HOST:PORT or unix:PATH. Without it the SQL collectors are off.").StringVar(&m.address)
	app.Flag("mysqld.username", "Account of the exporter.").StringVar(&m.username)
	app.Flag("mysqld.password-file", "File that holds the account's password.").StringVar(&m.passwordFile)
	app.Flag("mysqld.database", "Database that holds the token tables.").Default("apimdb").StringVar(&m.database)
	app.Flag("config.my-cnf", "MySQL option file; user, password, host, port and socket of [client] are used where no flag says otherwise.").StringVar(&m.myCnf)

	c := &o.cloudwatch
	app.Flag("cloudwatch.region", "AWS region; without it the SDK's own configuration decides.").StringVar(&c.region)
	app.Flag("cloudwatch.rds-instance", "RDS instance to watch through CloudWatch; repeatable.").StringsVar(&c.rds)
	app.Flag("cloudwatch.ec2-instance", "EC2 instance to watch through CloudWatch as ROLE=ID, for example apim=i-0123; repeatable.").StringsVar(&c.ec2)
	app.Flag("cloudwatch.period", "Period of a datapoint.").Default("60s").DurationVar(&c.period)
	app.Flag("cloudwatch.delay", "Time after the end of a period until its datapoint is complete.").Default("120s").DurationVar(&c.delay)

	app.Flag("collector.endpoint.access-log", "Access log of API Manager, a path or a glob; repeatable.").StringsVar(&o.accessLogs)
	app.Flag("collector.endpoint.log-pattern", "Pattern of the access log: combined, common or a pattern of Tomcat's AccessLogValve.").Default("combined").StringVar(&o.logPattern)
	app.Flag("collector.tokens.lateness", "Longest time between the creation of a token row and its commit, clock differences included.").Default("30s").DurationVar(&o.tokensLateness)

	for _, name := range collectorNames {
		o.enabled[name] = app.Flag("collector."+name, "Enable the "+name+" collector where what it needs is given.").Default("true").Bool()
	}
}

// check finds what is wrong with single values; what depends on files and the
// environment is found when it is used.
func (o *options) check() error {
	switch {
	case o.command == commandMetrics:
		return nil
	case !strings.HasPrefix(o.telemetryPath, "/") || strings.ContainsAny(o.telemetryPath, " {}?#"):
		return usagef("--web.telemetry-path=%s: want a path that begins with / and has no braces, spaces or query", o.telemetryPath)
	case strings.HasPrefix(o.telemetryPath, "/-/"):
		return usagef("--web.telemetry-path=%s: paths under /-/ are taken", o.telemetryPath)
	case o.tokensLateness < time.Second || o.tokensLateness > time.Hour:
		return usagef("--collector.tokens.lateness=%v: want 1s to 1h", o.tokensLateness)
	case o.mysqld.database == "":
		return usagef("--mysqld.database is empty: name the database of the token tables")
	}
	return nil
}
