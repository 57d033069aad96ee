package main

import (
	"errors"
	"io"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	promslogflag "github.com/prometheus/common/promslog/flag"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"
)

const (
	commandServe   = "serve"
	commandCheck   = "check"
	commandMetrics = "metrics"
)

const help = "Prometheus exporter for OAuth2 token persistence of WSO2 API Manager. " +
	"The database password comes from the environment variable " + passwordVariable +
	", --mysqld.password-file or --config.my-cnf, or is a token with --mysqld.iam-auth."

// options is the command line.
type options struct {
	command string
	log     promslog.Config

	web           *web.FlagConfig
	telemetryPath string
	pprof         bool

	target     *target // what the flags describe
	configFile string  // the other targets

	checkAll bool // check prints every statement, also what is granted already
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

	o := &options{target: newTarget()}
	app.Command(commandServe, "Serve metrics.").Default()
	app.Command(commandCheck, "Try every collector once and print what an administrator has to paste: grants, server parameters, an IAM policy. The exit status is 0 when all is well.").
		Flag("all", "Print every statement, also those that are in effect.").BoolVar(&o.checkAll)
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
	app.Flag("config.file", "YAML file with further targets, each scraped by its name at /probe?target=NAME. SIGHUP and POST /-/reload read it again.").StringVar(&o.configFile)
	o.target.addFlags(app)
}

// targets returns the target of the flags, unless they say nothing and a file
// says something, and those of the configuration file.
func (o *options) targets() ([]*target, error) {
	if o.configFile == "" {
		return []*target{o.target}, nil
	}
	targets, err := readConfig(o.configFile)
	if err == nil && !o.target.untold() {
		targets = append([]*target{o.target}, targets...)
	}
	return targets, err
}

// check finds what is wrong with single values; what depends on files and the
// environment is found when it is used.
func (o *options) check() error {
	switch {
	case o.command == commandMetrics:
		return nil
	case !strings.HasPrefix(o.telemetryPath, "/") || strings.ContainsAny(o.telemetryPath, " {}?#"):
		return usagef("--web.telemetry-path=%s: want a path that begins with / and has no braces, spaces or query", o.telemetryPath)
	case strings.HasPrefix(o.telemetryPath, "/-/") || o.telemetryPath == probePath || strings.HasPrefix(o.telemetryPath, "/debug/pprof"):
		return usagef("--web.telemetry-path=%s is taken by another page", o.telemetryPath)
	}
	return o.target.check()
}
