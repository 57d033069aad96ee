package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/config"

	"github.com/tokenpersistence/toolkit/analyze/estimate"
	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// estimateOptions are the flags of estimate as given.
type estimateOptions struct {
	experiment    string
	url           string
	httpConfig    string
	tsdb          string
	match         map[string]string
	start, end    string
	apimVCPUs     int
	apimNodes     int
	databaseVCPUs int
	signature     string
	verification  string
	assume        []string
	format        string
	color         bool
	store         storeOptions
}

func addEstimate(app *kingpin.Application) *estimateOptions {
	o := &estimateOptions{match: map[string]string{}}
	c := app.Command("estimate", "What switching persistence off would do, without an off test, from what the exporter recorded with persistence on.")
	c.Flag("experiment", "Instead of a range: estimate every grant of an experiment file from its windows with persistence, and hold that against those without.").PlaceHolder("FILE").StringVar(&o.experiment)
	c.Flag("prometheus.url", "Root of the Prometheus API that holds the exporter's data.").PlaceHolder("URL").StringVar(&o.url)
	c.Flag("prometheus.http-config", "File with the settings of the HTTP client (authorization, basic_auth, tls_config), as Prometheus writes them.").PlaceHolder("FILE").StringVar(&o.httpConfig)
	o.store.add(c)
	c.Flag("tsdb", "A Prometheus data directory instead of a server.").PlaceHolder("DIR").StringVar(&o.tsdb)
	c.Flag("match", "Label matcher added to every query, for example job=token-persistence. Repeat for more.").PlaceHolder("NAME=VALUE").StringMapVar(&o.match)
	c.Flag("start", "Start of the range, RFC 3339, for example 2026-07-01T10:00:00Z.").PlaceHolder("TIME").StringVar(&o.start)
	c.Flag("end", "End of the range.").PlaceHolder("TIME").StringVar(&o.end)
	c.Flag("apim-vcpus", "vCPUs of API Manager, those of all nodes together.").PlaceHolder("N").IntVar(&o.apimVCPUs)
	c.Flag("apim-nodes", "Nodes of API Manager, all of the same size.").Default("1").IntVar(&o.apimNodes)
	c.Flag("database-vcpus", "vCPUs of the database.").PlaceHolder("N").IntVar(&o.databaseVCPUs)
	c.Flag("signature", "CPU of one RS256 signature on API Manager's host, as analyze calibrate prints it.").PlaceHolder("0.9ms..1.3ms").StringVar(&o.signature)
	c.Flag("verification", "CPU of one verification.").PlaceHolder("0.03ms..0.05ms").StringVar(&o.verification)
	c.Flag("assume", "Ends of any other assumption, by the name that the estimate prints. Repeat for more.").PlaceHolder("NAME=LOW..HIGH").StringsVar(&o.assume)
	c.Flag("format", "text or json.").Default("text").EnumVar(&o.format, "text", "json")
	c.Flag("color", "Colour on a terminal; NO_COLOR switches it off too.").Default("true").BoolVar(&o.color)
	return o
}

// runEstimate reads the data and writes the estimate. It is an error when every
// case had to be refused.
func runEstimate(ctx context.Context, o estimateOptions, stdout, stderr io.Writer) error {
	options, err := o.assumptions()
	if err != nil {
		return err
	}
	waiting := newProgress(stderr, time.Now)
	var doc report.Estimate
	if o.experiment != "" {
		doc, err = o.ofExperiment(ctx, options, waiting)
	} else {
		doc, err = o.ofRange(ctx, options, waiting)
	}
	waiting.end()
	if err != nil {
		return err
	}
	doc.SchemaVersion, doc.Program, doc.Notes = report.SchemaVersion, programName(), estimateNotes()
	if err := writeDocument(stdout, doc, o.format, o.color); err != nil {
		return err
	}
	if !slices.ContainsFunc(doc.Cases, func(c report.EstimatedCase) bool { return c.Refused == "" }) {
		return errors.New("there is no estimate: the reason stands with each case")
	}
	return nil
}

// estimateNotes say how to read the numbers.
func estimateNotes() []string {
	return []string{
		"Low–high is a sensitivity range: what the number becomes when the assumptions move between their ends together. It is no confidence interval, and the noise of the data is not in it.",
		"At most, tokens/s: vCPUs over CPU per token, of the host that is busy first. A connection pool, a lock, the disk or the memory may limit earlier.",
		"It holds for this mix of grants and for signed (JWT) tokens. The API Manager that answers without persistence is assumed to be as fast at everything else.",
		"How it is computed: docs/estimate.md. What a test with persistence off says counts more.",
	}
}

// ofRange estimates from a range of live data.
func (o estimateOptions) ofRange(ctx context.Context, options estimate.Options, waiting *progress) (report.Estimate, error) {
	spec, err := o.spec()
	if err == nil {
		spec, err = o.store.into(spec)
	}
	if err != nil {
		return report.Estimate{}, err
	}
	spec.Progress, spec.Pausing = waiting.hook(), waiting.pausing()
	data, err := source.Read(ctx, spec)
	if err != nil {
		return report.Estimate{}, err
	}
	usage, inputs, problems, err := source.ReadUsage(ctx, spec)
	if err != nil {
		return report.Estimate{}, err
	}
	environment := report.Environment{
		APIManager: report.Host{VCPUs: o.apimVCPUs, Nodes: o.apimNodes}, Database: report.Host{VCPUs: o.databaseVCPUs},
	}
	r := study.Run(data, study.Options{Environment: environment})
	p := presentOf(usage, r, allGrants, environment)
	p.Problems, p.Warnings = troubles(data.Problems, problems)
	p.Warnings = append(p.Warnings, measuredWarnings(r)...)
	doc := report.Estimate{Title: "Estimate without persistence, from data with it", Source: o.tsdb, Inputs: inputsOf(data.Inputs, inputs)}
	if u, err := url.Parse(o.url); err == nil && o.url != "" {
		doc.Source = u.Redacted()
	}
	doc.Cases = []report.EstimatedCase{estimate.Run(allGrants, p, options)}
	return doc, nil
}

// allGrants stands for the mix of them.
const allGrants = "all grants"

// spec is the range as a window with persistence on.
func (o estimateOptions) spec() (source.Spec, error) {
	s := source.Spec{Matchers: o.match, HTTP: config.DefaultHTTPClientConfig, Nodes: map[string]int{source.APIManagerCPU: o.apimNodes}}
	switch {
	case o.url == "" && o.tsdb == "":
		return s, usage("say where the exporter's data are: --prometheus.url URL or --tsdb DIR, with --start and --end; or --experiment FILE")
	case o.url != "" && o.tsdb != "":
		return s, usage("--prometheus.url and --tsdb are both given: keep one")
	case o.httpConfig != "" && o.url == "":
		return s, usage("--prometheus.http-config belongs to --prometheus.url")
	case o.start == "" || o.end == "":
		return s, usage("give --start and --end: a range of an hour or more with persistence on and usual load")
	case o.apimVCPUs < 1:
		return s, usage("give the vCPUs of API Manager, those of all nodes together: --apim-vcpus N")
	case o.databaseVCPUs < 1:
		return s, usage("give the vCPUs of the database: --database-vcpus N")
	case o.apimNodes < 1:
		return s, usage("--apim-nodes is %d: give 1 or more", o.apimNodes)
	}
	w := source.Window{Grant: allGrants, Mode: source.On}
	for _, t := range []struct {
		flag, text string
		into       *time.Time
	}{{"--start", o.start, &w.Start}, {"--end", o.end, &w.End}} {
		v, err := time.Parse(time.RFC3339Nano, t.text)
		if err != nil {
			return s, usage("%s %q is not a time with a zone: write for example 2026-07-01T10:00:00Z", t.flag, t.text)
		}
		*t.into = v.UTC()
	}
	if !w.Start.Before(w.End) {
		return s, usage("--end %s is not after --start %s", o.end, o.start)
	}
	s.Windows = []source.Window{w}
	s.Kind, s.TSDB = "tsdb", o.tsdb
	if o.url != "" {
		s.Kind, s.URL = "prometheus", o.url
	}
	if o.httpConfig != "" {
		http, _, err := config.LoadHTTPConfigFile(o.httpConfig)
		if err != nil {
			// The decoder quotes the value it could not use, which may be a password.
			return s, usage("--prometheus.http-config %s: %s", o.httpConfig, quoted.ReplaceAllString(err.Error(), "the value"))
		}
		s.HTTP = *http
	}
	return s, nil
}

// assumptions are those that the flags give.
func (o estimateOptions) assumptions() (estimate.Options, error) {
	options := estimate.Options{Given: map[string]estimate.Bounds{}}
	for _, given := range []struct{ flag, name, text string }{
		{"--signature", "signature", o.signature}, {"--verification", "verification", o.verification},
	} {
		if given.text == "" {
			continue
		}
		b, err := parseBounds(given.text)
		if err != nil {
			return options, usage("%s %q: %v, for example 0.9ms..1.3ms", given.flag, given.text, err)
		}
		options.Given[given.name] = b
	}
	for _, text := range o.assume {
		name, b, err := parseAssumption(text)
		if err != nil {
			return options, usage("--assume %q: %v, for example unseen=0.5..1", text, err)
		}
		if _, ok := options.Given[name]; ok {
			return options, usage("the assumption %s is given twice", name)
		}
		options.Given[name] = b
	}
	if err := options.Check(); err != nil {
		return options, usage("%v", err)
	}
	return options, nil
}

// inputsOf are what was read, for the provenance.
func inputsOf(all ...[]source.Input) []report.Source {
	out := []report.Source{}
	for _, in := range slices.Concat(all...) {
		out = append(out, report.Source{Kind: in.Kind, Name: in.Name, Query: in.Query, SHA256: in.SHA256, Range: in.Range, Count: in.Count})
	}
	return out
}

// ofExperiment estimates every grant from its windows with persistence.
func (o estimateOptions) ofExperiment(ctx context.Context, options estimate.Options, waiting *progress) (report.Estimate, error) {
	if o.url != "" || o.tsdb != "" || o.httpConfig != "" || len(o.match) > 0 || o.start != "" || o.end != "" || o.apimVCPUs != 0 || o.databaseVCPUs != 0 || o.apimNodes != 1 {
		return report.Estimate{}, usage("with --experiment the file says where the data are and what the hosts have: leave out --prometheus.url, --prometheus.http-config, --tsdb, --match, --start, --end, --apim-vcpus, --apim-nodes and --database-vcpus")
	}
	e, spec, err := readExperiment(o.experiment)
	if err == nil {
		spec, err = o.store.into(spec)
	}
	if err != nil {
		return report.Estimate{}, err
	}
	spec.Progress, spec.Pausing = waiting.hook(), waiting.pausing()
	settings := study.Defaults()
	settings.Environment, settings.Warmup = e.Environment.report(), defaultWarmup
	if e.Warmup != nil {
		settings.Warmup = time.Duration(*e.Warmup)
	}
	if e.Load != "" {
		settings.Load = string(e.Load)
	}
	spec.Warmup = settings.Warmup
	if err := checkWarmup(spec); err != nil {
		return report.Estimate{}, err
	}
	data, err := source.Read(ctx, spec)
	if err != nil {
		return report.Estimate{}, err
	}
	r := study.Run(data, settings)
	doc := report.Estimate{Title: e.Title, Banner: e.Banner, Source: o.experiment, Inputs: inputsOf(data.Inputs)}
	for _, g := range r.Grants {
		on := spec
		on.Windows = nil
		for _, run := range data.Runs {
			if w := run.Window; w.Grant == g.Grant && w.Mode == source.On && w.End.After(w.Start) {
				on.Windows = append(on.Windows, w)
			}
		}
		usage, inputs, problems, err := source.ReadUsage(ctx, on)
		if err != nil {
			return doc, fmt.Errorf("estimate %s: %w", g.Grant, err)
		}
		p := presentOf(usage, r, g.Grant, settings.Environment)
		p.Problems, p.Warnings = troubles(nil, problems)
		c := estimate.Run(g.Grant, p, options)
		c.Truth = estimate.Truth(p, options, measuredOff(r, g.Grant))
		doc.Cases = append(doc.Cases, c)
		doc.Inputs = append(doc.Inputs, inputsOf(inputs)...)
	}
	return doc, nil
}
