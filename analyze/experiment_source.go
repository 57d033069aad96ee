package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// sourceKeys say where the time series are: exactly one of the five. The keys
// beside them belong to tsdb.
type sourceKeys struct {
	Prometheus  *prometheusKeys              `yaml:"prometheus"`
	TSDB        string                       `yaml:"tsdb"`
	OpenMetrics *openMetricsKeys             `yaml:"openmetrics"`
	CloudWatch  *cloudWatchKeys              `yaml:"cloudwatch"`
	CSV         []string                     `yaml:"csv"`
	Profile     string                       `yaml:"profile"`
	Matchers    map[string]string            `yaml:"matchers"`
	Select      perSeries[map[string]string] `yaml:"select"`
	Queries     perSeries[yaml.Node]         `yaml:"queries"`
	Step        duration                     `yaml:"step"`
	line        int
}

type prometheusKeys struct {
	URL      string                       `yaml:"url"`
	Profile  string                       `yaml:"profile"`
	Matchers map[string]string            `yaml:"matchers"`
	Select   perSeries[map[string]string] `yaml:"select"`
	Queries  perSeries[yaml.Node]         `yaml:"queries"`
	Step     duration                     `yaml:"step"`
	HTTP     yaml.Node                    `yaml:"http"` // prometheus/common's HTTP client settings

	Flavor       flavor               `yaml:"flavor"`
	Params       map[string]oneOrMore `yaml:"params"`
	AllowPartial bool                 `yaml:"allow_partial"`
}

type openMetricsKeys struct {
	Files    []string                     `yaml:"files"`
	Profile  string                       `yaml:"profile"`
	Matchers map[string]string            `yaml:"matchers"`
	Select   perSeries[map[string]string] `yaml:"select"`
	Queries  perSeries[yaml.Node]         `yaml:"queries"`
}

type cloudWatchKeys struct {
	Region       string       `yaml:"region"`
	AssumeRole   string       `yaml:"assume_role"`
	ExternalID   string       `yaml:"external_id"`
	RDSInstance  string       `yaml:"rds_instance"`
	EC2Instances ec2Instances `yaml:"ec2_instances"`
	Period       duration     `yaml:"period"`
}

type ec2Instances struct {
	APIManager     []string `yaml:"apim"`
	LoadGenerators []string `yaml:"jmeter"`
}

// perSeries has a key for every series, so that a wrong name is found like any
// other wrong key.
type perSeries[T any] struct {
	EndpointRequests T `yaml:"endpoint_requests"`
	EndpointErrors   T `yaml:"endpoint_errors"`
	APIManagerCPU    T `yaml:"apim_cpu"`
	LoadGeneratorCPU T `yaml:"load_cpu"`
	DatabaseCPU      T `yaml:"database_cpu"`
	DatabaseIOPS     T `yaml:"database_iops"`
	DatabaseBytes    T `yaml:"database_bytes"`
	TokenRows        T `yaml:"token_rows"`
}

func (p perSeries[T]) byName() map[string]T {
	return map[string]T{
		source.EndpointRequests: p.EndpointRequests, source.EndpointErrors: p.EndpointErrors,
		source.APIManagerCPU: p.APIManagerCPU, source.LoadGeneratorCPU: p.LoadGeneratorCPU,
		source.DatabaseCPU: p.DatabaseCPU, source.DatabaseIOPS: p.DatabaseIOPS,
		source.DatabaseBytes: p.DatabaseBytes, source.TokenRows: p.TokenRows,
	}
}

// into adds the source to a spec.
func (k sourceKeys) into(s source.Spec) (source.Spec, error) {
	if err := k.check(); err != nil {
		return s, err
	}
	switch {
	case k.TSDB != "":
		s.Kind, s.TSDB = "tsdb", k.TSDB
		return questions(s, k.Profile, k.Matchers, k.Select, k.Queries, k.Step)
	case k.OpenMetrics != nil:
		o := k.OpenMetrics
		s.Kind, s.Files = "openmetrics", o.Files
		return questions(s, o.Profile, o.Matchers, o.Select, o.Queries, 0)
	case len(k.CSV) > 0:
		s.Kind, s.Files = "csv", k.CSV
		return s, nil
	case k.CloudWatch != nil:
		return k.cloudWatch(s)
	}
	p := k.Prometheus
	s.Kind, s.URL = "prometheus", p.URL
	s, err := questions(s, p.Profile, p.Matchers, p.Select, p.Queries, p.Step)
	if err != nil {
		return s, err
	}
	s.Flavor, s.AllowPartial = string(p.Flavor), p.AllowPartial
	for name, values := range p.Params {
		if s.Params == nil {
			s.Params = map[string][]string{}
		}
		s.Params[name] = values
	}
	return p.http(s)
}

// check refuses a source that names no kind or several, or that lacks what its
// kind needs.
func (k sourceKeys) check() error {
	var kinds []string
	for _, kind := range []struct {
		name  string
		given bool
	}{
		{"prometheus", k.Prometheus != nil}, {"tsdb", k.TSDB != ""}, {"cloudwatch", k.CloudWatch != nil},
		{"csv", len(k.CSV) > 0}, {"openmetrics", k.OpenMetrics != nil},
	} {
		if kind.given {
			kinds = append(kinds, kind.name)
		}
	}
	beside := len(k.Matchers) > 0 || k.Profile != "" || k.Step != 0 || len(given(k.Queries)) > 0 || len(selected(k.Select)) > 0
	switch {
	case len(kinds) == 0:
		return atLine(k.line, "the source names none of prometheus: {url: …}, tsdb: FOLDER, cloudwatch: {…}, csv: [FILE] and openmetrics: {files: [FILE]}")
	case len(kinds) > 1:
		return atLine(k.line, "the source names both %s and %s: keep one", kinds[0], kinds[1])
	case kinds[0] == "prometheus" && k.Prometheus.URL == "":
		return atLine(k.line, "source.prometheus has no url, for example http://localhost:9090")
	case kinds[0] == "openmetrics" && len(k.OpenMetrics.Files) == 0:
		return atLine(k.line, "source.openmetrics has no files, for example files: [metrics.txt]")
	case beside && (kinds[0] == "prometheus" || kinds[0] == "openmetrics"):
		return atLine(k.line, "profile, matchers, select, queries and step go inside %s: {…}", kinds[0])
	case beside && kinds[0] != "tsdb":
		return atLine(k.line, "profile, matchers, select, queries and step have no meaning for %s: leave them out", kinds[0])
	}
	return nil
}

// questions adds what is asked of a source that answers PromQL.
func questions(s source.Spec, profile string, matchers map[string]string, hosts perSeries[map[string]string], queries perSeries[yaml.Node], step duration) (source.Spec, error) {
	s.Profile, s.Matchers, s.Select, s.Step = profile, matchers, selected(hosts), time.Duration(step)
	nodes := given(queries)
	for _, series := range slices.Sorted(maps.Keys(nodes)) {
		node := nodes[series]
		if node.Kind != yaml.ScalarNode || node.Value == "" {
			return s, atLine(node.Line, "the query of %s is not text: write it in quotes", series)
		}
		if err := source.CheckQuery(s.Kind, series, node.Value); err != nil {
			return s, atLine(node.Line, "%v", err)
		}
		if s.Queries == nil {
			s.Queries = map[string]string{}
		}
		s.Queries[series] = node.Value
	}
	return s, nil
}

// given are the keys that stand in the file.
func given(p perSeries[yaml.Node]) map[string]yaml.Node {
	out := p.byName()
	maps.DeleteFunc(out, func(_ string, n yaml.Node) bool { return n.Kind == 0 })
	return out
}

// selected are the matchers of the series that have some, nil when none has.
func selected(p perSeries[map[string]string]) map[string]map[string]string {
	out := p.byName()
	maps.DeleteFunc(out, func(_ string, m map[string]string) bool { return len(m) == 0 })
	if len(out) == 0 {
		return nil
	}
	return out
}

// cloudWatch adds the instances.
func (k sourceKeys) cloudWatch(s source.Spec) (source.Spec, error) {
	c := k.CloudWatch
	apim, nodes := len(c.EC2Instances.APIManager), max(1, s.Nodes[source.APIManagerCPU])
	period := time.Duration(c.Period)
	switch {
	case c.RDSInstance == "" && apim == 0 && len(c.EC2Instances.LoadGenerators) == 0:
		return s, atLine(k.line, "source.cloudwatch names no instance: give rds_instance, or ec2_instances: {apim: [i-…]}")
	case apim > 0 && apim != nodes:
		return s, atLine(k.line, "source.cloudwatch.ec2_instances.apim lists %d instances, and environment.apim.nodes is %d: make them agree, since vcpus are those of one node", apim, nodes)
	case c.ExternalID != "" && c.AssumeRole == "":
		return s, atLine(k.line, "source.cloudwatch.external_id belongs to a role: give assume_role: ARN, or leave it out")
	case c.AssumeRole != "" && !strings.HasPrefix(c.AssumeRole, "arn:"):
		return s, atLine(k.line, "source.cloudwatch.assume_role is %q: write the ARN of the role, arn:aws:iam::ACCOUNT:role/NAME", c.AssumeRole)
	case period != 0 && period%time.Minute != 0 && !slices.Contains([]time.Duration{time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second}, period):
		return s, atLine(k.line, "source.cloudwatch.period is %s: CloudWatch takes 1s, 5s, 10s, 20s, 30s and whole minutes", period)
	}
	s.Kind = "cloudwatch"
	s.CloudWatch = source.CloudWatch{
		Region: c.Region, AssumeRole: c.AssumeRole, ExternalID: c.ExternalID, RDSInstance: c.RDSInstance, Period: period,
		APIManager: c.EC2Instances.APIManager, LoadGenerators: c.EC2Instances.LoadGenerators,
	}
	return s, nil
}

// http adds the settings of the HTTP client.
func (p prometheusKeys) http(s source.Spec) (source.Spec, error) {
	s.HTTP = config.DefaultHTTPClientConfig
	if p.HTTP.Kind == 0 {
		return s, nil
	}
	text, err := yaml.Marshal(&p.HTTP)
	if err != nil {
		return s, atLine(p.HTTP.Line, "source.prometheus.http: %v", err)
	}
	http, err := config.LoadHTTPConfig(string(text))
	if err != nil {
		// The decoder quotes the value it could not use, which may be a password.
		return s, atLine(p.HTTP.Line, "source.prometheus.http: %s", quoted.ReplaceAllString(err.Error(), "the value"))
	}
	http.SetDirectory(s.Base)
	s.HTTP = *http
	return s, nil
}

// nodes is how many hosts API Manager has, 0 when the file does not say.
func (e environment) nodes() map[string]int {
	if e.APIManager.Nodes == 0 {
		return nil
	}
	return map[string]int{source.APIManagerCPU: int(e.APIManager.Nodes)}
}

// vcpus are those of all nodes together.
func (h apimHost) vcpus() int { return int(h.VCPUs) * max(1, int(h.Nodes)) }
