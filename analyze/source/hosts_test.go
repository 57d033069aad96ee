package source

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var closely = cmpopts.EquateApprox(0, 1e-9)

// TestMysqldProfile reads the names of node_exporter and YACE: two CPUs of which
// one idles, and an RDS instance in per cent with CloudWatch's timestamps.
func TestMysqldProfile(t *testing.T) {
	db := held(t, `
node_cpu_seconds_total{cpu="0",mode="idle",instance="apim"} 100+15x9
node_cpu_seconds_total{cpu="0",mode="iowait",instance="apim"} 7x9
node_cpu_seconds_total{cpu="0",mode="user",instance="apim"} 5x9
node_cpu_seconds_total{cpu="1",mode="idle",instance="apim"} 200+3x9
node_cpu_seconds_total{cpu="1",mode="iowait",instance="apim"} 0+3x9
node_cpu_seconds_total{cpu="0",mode="idle",instance="jmeter"} 0+3x9
start 2026-07-01T10:00:00Z step 1m
aws_rds_cpuutilization_average{dimension_DBInstanceIdentifier="db",name="arn"} 25 50 75
aws_rds_read_iops_average{dimension_DBInstanceIdentifier="db",name="arn"} 100 _ 300
aws_rds_write_iops_average{dimension_DBInstanceIdentifier="db",name="arn"} 10 20 30
`)
	d := readWith(t, Spec{
		Kind: "prometheus", Profile: "mysqld_exporter",
		Select: map[string]map[string]string{APIManagerCPU: {"instance": "apim"}, LoadGeneratorCPU: {"instance": "jmeter"}},
	}, db)
	for series, want := range map[string][]float64{
		APIManagerCPU:    {0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3}, // (0 + 9/15) / 2
		LoadGeneratorCPU: {0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8},
		DatabaseCPU:      {0.25, 0.5},
		DatabaseIOPS:     {110}, // reads and writes of one minute; 12:02 is another window's
	} {
		if diff := cmp.Diff(want, valuesOf(d, series), closely); diff != "" {
			t.Errorf("%s (-want +got)\n%s", series, diff)
		}
	}
	if step := d.Runs[0].Series[APIManagerCPU].Step; step != 15*time.Second {
		t.Errorf("API Manager's CPU has a step of %s, want 15s", step)
	}
	if len(d.Problems) > 0 {
		t.Errorf("problems %+v", d.Problems)
	}
}

// TestUndated refuses CloudWatch values with the times of their scrapes.
func TestUndated(t *testing.T) {
	db := held(t, "start 2026-07-01T10:00:07.123Z step 1m\naws_rds_cpuutilization_average 25 50 75\n")
	d := readWith(t, Spec{Profile: "mysqld_exporter"}, db)
	if got := saysOf(d, DatabaseCPU); len(valuesOf(d, DatabaseCPU)) > 0 || !strings.Contains(got, "addCloudwatchTimestamp: true") {
		t.Errorf("values %v, problem %q", valuesOf(d, DatabaseCPU), got)
	}
}

// TestBusy lists what can happen to the idle counters of a host with one CPU,
// scraped every 15 s over two minutes.
func TestBusy(t *testing.T) {
	for _, c := range []struct {
		name, samples string
		want          []float64
		resets        int
	}{
		{"half", "0+7.5x8", []float64{.5, .5, .5, .5, .5, .5, .5, .5}, 0},
		{"a scrape lost: two points of its mean", "0 7.5 15 _ 45 52.5 60 67.5 75", []float64{.5, .5, 0, 0, .5, .5, .5, .5}, 0},
		{"restarted: the interval is left out", "100 115 130 3 18 33 48 63 78", []float64{0, 0, 0, 0, 0, 0, 0}, 1},
		{"idle for longer than the clock says", "0+15.2x8", []float64{0, 0, 0, 0, 0, 0, 0, 0}, 0},
		{"nothing between two samples", "0 _ _ _ _ _ _ _ 60", []float64{.5}, 0},
		{"one sample", "0", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := readWith(t, Spec{Profile: "mysqld_exporter", Select: map[string]map[string]string{APIManagerCPU: {"instance": "a"}}},
				held(t, `node_cpu_seconds_total{cpu="0",mode="idle",instance="a"} `+c.samples+"\n"))
			if diff := cmp.Diff(c.want, valuesOf(d, APIManagerCPU), closely); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got := d.Runs[0].Series[APIManagerCPU].Resets; got != c.resets {
				t.Errorf("%d resets, want %d", got, c.resets)
			}
		})
	}
}

// TestNodes averages over the nodes that the experiment declares, and refuses
// every other number.
func TestNodes(t *testing.T) {
	const two = `
ec2_cpu_utilization_ratio{ec2_instance="i-1",role="apim"} 0.2x8
ec2_cpu_utilization_ratio{ec2_instance="i-2",role="apim"} 0.6x8
ec2_datapoint_timestamp_seconds{ec2_instance="i-1",metric="CPUUtilization",role="apim"} 1782900000x3 1782900060x4
ec2_datapoint_timestamp_seconds{ec2_instance="i-2",metric="CPUUtilization",role="apim"} 1782900000x3 1782900060x4
`
	const uneven = `
node_cpu_seconds_total{cpu="0",mode="idle",instance="a"} 0+15x8
node_cpu_seconds_total{cpu="0",mode="idle",instance="b"} 0x8
node_cpu_seconds_total{cpu="1",mode="idle",instance="b"} 0x8
node_cpu_seconds_total{cpu="2",mode="idle",instance="b"} 0x8
`
	both := map[string]map[string]string{APIManagerCPU: {"job": ""}}
	for _, c := range []struct {
		name, series, profile string
		nodes                 int
		hosts                 map[string]map[string]string
		want                  float64
		problem               string
	}{
		{"two", two, "", 2, nil, 0.4, ""},
		{"undeclared", two, "", 0, nil, 0, "set environment.apim.nodes: 2 if all of them are API Manager"},
		{"three declared", two, "", 3, nil, 0, "gives 2 of the 3 nodes"},
		{"more than declared", two + strings.ReplaceAll(two, "i-2", "i-3"), "", 2, nil, 0, "environment.apim.nodes is 2"},
		{"weighted by CPUs", uneven, "mysqld_exporter", 2, both, 0.75, ""},
		{"hosts undeclared", uneven, "mysqld_exporter", 0, both, 0, "2 series match"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// A series may be listed twice: the later one of the same name wins.
			spec := Spec{Profile: c.profile, Select: c.hosts}
			if c.nodes > 0 {
				spec.Nodes = map[string]int{APIManagerCPU: c.nodes}
			}
			d := readWith(t, spec, held(t, c.series))
			got := valuesOf(d, APIManagerCPU)
			if c.problem != "" {
				if len(got) > 0 || !strings.Contains(saysOf(d, APIManagerCPU), c.problem) {
					t.Errorf("values %v and problem %q, want none and %q", got, saysOf(d, APIManagerCPU), c.problem)
				}
				return
			}
			if len(got) == 0 || saysOf(d, APIManagerCPU) != "" {
				t.Fatalf("no values: %s", saysOf(d, APIManagerCPU))
			}
			for _, v := range got {
				if math.Abs(v-c.want) > 1e-9 {
					t.Errorf("values %v, want all %v", got, c.want)
				}
			}
		})
	}
}

// TestNodeFallsSilent leaves out the time in which one of two nodes is unknown.
func TestNodeFallsSilent(t *testing.T) {
	got := combine(map[string]points{"a": {0: 0.2, 60: 0.4, 120: 0.6}, "b": {0: 0.4, 120: 0.8}}, false)
	if diff := cmp.Diff(points{0: 0.3, 120: 0.7}, got, closely); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestBusiestLoadGenerator takes the one of several that may set the pace.
func TestBusiestLoadGenerator(t *testing.T) {
	d := readWith(t, Spec{Profile: "mysqld_exporter", Select: map[string]map[string]string{LoadGeneratorCPU: {"job": ""}}}, held(t, `
node_cpu_seconds_total{cpu="0",mode="idle",instance="a"} 0+12x8
node_cpu_seconds_total{cpu="0",mode="idle",instance="b"} 0+1.5x8
`))
	got := valuesOf(d, LoadGeneratorCPU)
	if len(got) != 8 || math.Abs(got[0]-0.9) > 1e-9 {
		t.Errorf("values %v, want those of b", got)
	}
}

// TestOwnQueries reads raw selectors of an experiment: a gauge stands for the
// time before its scrape, and a CPU in per cent is refused.
func TestOwnQueries(t *testing.T) {
	db := held(t, `
busy{host="a"} 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9
percent{host="a"} 10x8
pair{host="a"} 0.1x8
pair{host="b"} 0.1x8
issued_total 0+30x8
`)
	d := readWith(t, Spec{Queries: map[string]string{
		APIManagerCPU: "busy", DatabaseCPU: "percent", LoadGeneratorCPU: "pair", EndpointRequests: "issued_total",
	}}, db)
	start := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	first := d.Runs[0].Series[APIManagerCPU].Points
	if len(first) != 8 || !first[0].Time.Equal(start) || first[0].Value != 0.2 {
		t.Errorf("points %v, want 8, the first of %s with the value scraped 15 s later", first, start)
	}
	if got := saysOf(d, DatabaseCPU); !strings.Contains(got, "divide percentages by 100") || len(valuesOf(d, DatabaseCPU)) > 0 {
		t.Errorf("a CPU of 10: %v, %q", valuesOf(d, DatabaseCPU), got)
	}
	if got := valuesOf(d, LoadGeneratorCPU); len(got) != 8 {
		t.Errorf("of two load generators: %v", got)
	}
	total := 0.0
	for _, in := range d.Runs[0].Series[EndpointRequests].Intervals {
		total += in.Increase
	}
	if total != 240 {
		t.Errorf("%v requests, want 240", total)
	}
	if d := readWith(t, Spec{Queries: map[string]string{APIManagerCPU: "pair"}}, db); !strings.Contains(saysOf(d, APIManagerCPU), "write avg(…) around it") {
		t.Errorf("two gauges of two hosts: %q", saysOf(d, APIManagerCPU))
	}
}
