package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/windows"
)

// windowsOptions are the flags of windows as given.
type windowsOptions struct {
	prometheus string
	http       string // file with the settings of the HTTP client
	tsdb       string
	profile    string
	matchers   map[string]string
	start, end string
	step       time.Duration
	minLength  time.Duration
	minPause   time.Duration
	minChange  percentage
	format     string
	store      storeOptions
}

func addWindows(app *kingpin.Application) *windowsOptions {
	o := &windowsOptions{matchers: map[string]string{}, minChange: percentage{"--min-change", 0.2}}
	c := app.Command("windows", "Propose the windows of an experiment that has been run, from what Prometheus recorded: mode, grant and changes of throughput.")
	c.Flag("prometheus.url", "Root of a Prometheus API.").PlaceHolder("URL").StringVar(&o.prometheus)
	c.Flag("prometheus.http-config", "YAML file with the settings of the HTTP client, as below source.prometheus.http of an experiment file.").PlaceHolder("FILE").StringVar(&o.http)
	o.store.add(c)
	c.Flag("tsdb", "Instead of a server: the storage folder of a Prometheus.").PlaceHolder("DIR").StringVar(&o.tsdb)
	c.Flag("profile", "Names of the metrics: "+strings.Join(source.Profiles(), ", ")+". Requests are counted by exporter only.").PlaceHolder("exporter").StringVar(&o.profile)
	c.Flag("match", "Label and value that every series has to have. Repeat for more.").PlaceHolder("job=token-persistence").StringMapVar(&o.matchers)
	c.Flag("start", "Where to begin, with a time zone.").Required().PlaceHolder("2026-07-01T10:00:00Z").StringVar(&o.start)
	c.Flag("end", "Where to end.").Required().PlaceHolder("2026-07-01T18:00:00Z").StringVar(&o.end)
	c.Flag("step", "Join scrapes to cells at least so long. (default: the scrapes as they are)").PlaceHolder("15s").DurationVar(&o.step)
	c.Flag("min-length", "A shorter stretch of load is no window.").Default("1m").DurationVar(&o.minLength)
	c.Flag("min-pause", "A shorter time without tokens stays inside a window; 0s: one scrape without any ends it.").Default("0s").DurationVar(&o.minPause)
	c.Flag("min-change", "A smaller change of throughput ends no window.").Default(o.minChange.String()).SetValue(&o.minChange)
	c.Flag("format", "text; experiment: an experiment file for compare; json.").Default("text").EnumVar(&o.format, "text", "experiment", "json")
	return o
}

// runWindows reads the recording and writes what it proposes.
func runWindows(ctx context.Context, o windowsOptions, stdout, stderr io.Writer) error {
	spec, origin, err := o.spec()
	if err != nil {
		return err
	}
	start, err := moment("--start", o.start)
	if err != nil {
		return err
	}
	end, err := moment("--end", o.end)
	if err != nil {
		return err
	}
	switch {
	case !start.Before(end):
		return usage("--end %s is not after --start %s", o.end, o.start)
	case o.minLength <= 0:
		return usage("--min-length %s: give a time above 0s", o.minLength)
	case o.step < 0 || o.minPause < 0:
		return usage("--step and --min-pause cannot be negative")
	case o.minChange.ratio == 0:
		return usage("--min-change 0%% would take every flutter for a change: give for example 20%%")
	}
	waiting := newProgress(stderr, time.Now)
	spec.Progress, spec.Pausing = waiting.hook(), waiting.pausing()
	recording, err := source.ReadRecording(ctx, spec, start, end, windows.Metrics())
	waiting.end()
	if err != nil {
		return err
	}
	p, err := windows.Propose(recording, windows.Options{MinLength: o.minLength, MinPause: o.minPause, MinChange: o.minChange.ratio, Step: o.step})
	if err != nil {
		return err
	}
	p.Program = programName()
	switch o.format {
	case "json":
		return windows.JSON(stdout, p)
	case "experiment":
		if len(p.Windows) == 0 {
			return fmt.Errorf("no window to propose: %d stretches of load were left out, which --format text lists with their reasons", len(p.LeftOut))
		}
		return windows.Experiment(stdout, p, origin)
	}
	return windows.Text(stdout, p)
}

// moment reads a time with a zone.
func moment(flag, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, usage("%s %q is not a time with a zone: write for example 2026-07-01T10:00:00Z", flag, text)
	}
	return t.UTC(), nil
}

// spec says what to read, and how an experiment file says the same.
func (o windowsOptions) spec() (source.Spec, windows.Origin, error) {
	spec := source.Spec{Profile: o.profile, Matchers: o.matchers, HTTP: config.DefaultHTTPClientConfig}
	origin := windows.Origin{TSDB: o.tsdb, Profile: o.profile, Matchers: o.matchers}
	switch {
	case o.prometheus == "" && o.tsdb == "":
		return spec, origin, usage("say where the recording is: --prometheus.url or --tsdb")
	case o.prometheus != "" && o.tsdb != "":
		return spec, origin, usage("--prometheus.url and --tsdb are two places: keep one")
	case o.tsdb != "" && o.http != "":
		return spec, origin, usage("--prometheus.http-config has no meaning for --tsdb: leave it out")
	case o.tsdb != "":
		spec.Kind, spec.TSDB = "tsdb", o.tsdb
		spec, err := o.store.into(spec)
		return spec, origin, err
	}
	spec.Kind, spec.URL = "prometheus", o.prometheus
	address, err := url.Parse(o.prometheus)
	if err != nil || address.Host == "" {
		return spec, origin, usage("--prometheus.url is not the address of a server: write for example http://localhost:9090")
	}
	if address.User != nil {
		address.User = nil
		origin.Asks = append(origin.Asks, "The user and the password in the URL are not written down: give them as http: {basic_auth: {username: …, password_file: …}}.")
	}
	origin.URL = address.String()
	if o.http != "" {
		http, err := httpSettings(o.http)
		if err != nil {
			return spec, origin, err
		}
		spec.HTTP = *http
	}
	if spec, err = o.store.into(spec); err != nil {
		return spec, origin, err
	}
	origin.Store = storeLines(spec)
	if o.http == "" && spec.HTTP.HTTPHeaders == nil {
		return spec, origin, nil
	}
	lines, ok := withoutSecrets(spec.HTTP)
	if !ok {
		origin.Asks = append(origin.Asks, fmt.Sprintf("http: {…} the settings in %s belong here. They hold a secret, which is not written down.", cmp.Or(o.http, "--prometheus.header")))
	}
	origin.HTTP = lines
	return spec, origin, nil
}

// httpSettings reads the settings of an HTTP client; files that they name are
// relative to theirs. No error shows a value, which may be a password.
func httpSettings(path string) (*config.HTTPClientConfig, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read --prometheus.http-config: %w", err)
	}
	http, err := config.LoadHTTPConfig(string(text))
	if err != nil {
		return nil, usage("%s: %s", path, quoted.ReplaceAllString(err.Error(), "the value"))
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("read --prometheus.http-config: %w", err)
	}
	http.SetDirectory(dir)
	return http, nil
}

// withoutSecrets writes settings as YAML; not where they hold a secret.
func withoutSecrets(http config.HTTPClientConfig) (lines []string, ok bool) {
	text, err := yaml.Marshal(http)
	if err != nil || strings.Contains(string(text), "<secret>") {
		return nil, false
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n"), true
}
