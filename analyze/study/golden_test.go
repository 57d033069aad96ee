package study_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

var update = flag.Bool("update", false, "rewrite testdata/report.json")

// One report in full, without its figures: two grants, one judged and one with
// a single pair, with everything a source may hold. Read its diff.
func TestGoldenReport(t *testing.T) {
	d := join(
		failures(noisy(pairs("client_credentials", 0.24, 0.22, 0.26, 0.25, 0.23), 1), source.Off, 3, 0, 2),
		noisy(pairs("refresh_token", -0.10), 2),
	)
	foreign := 0.35
	d.Runs[2].Window.ForeignCPU = &foreign
	for i, r := range d.Runs {
		load := 0.8 + 0.01*float64(i)
		cpu, iops := 0.6, 900.0
		if r.Window.Mode == source.Off {
			cpu, iops = 0.05, 40
		}
		points(r, source.APIManagerCPU, 5*time.Second, load, load, load, load, load, load, load, load)
		points(r, source.DatabaseCPU, 5*time.Second, cpu, cpu, cpu+load/100, cpu, cpu, cpu, cpu)
		points(r, source.DatabaseIOPS, 10*time.Second, iops, iops+load, iops, iops)
	}
	d.Runs[3].Requests.BadRows = 1
	d.Problems = []source.Problem{
		{Window: 3, Text: "1 of 150001 rows of run.jtl could not be read, for example run.jtl:9: 3 columns", Warning: "bad-rows"},
		{Window: -1, Series: source.LoadGeneratorCPU, Text: "no samples of ec2_cpu_utilization_ratio in any window", Warning: "missing-data"},
	}
	d.Inputs = []source.Input{{Kind: "jtl", Name: "run.jtl", SHA256: "ab12", Count: 150001}}
	o := options()
	o.Title, o.Program, o.Arguments = "Golden", "analyze 1.0", []string{"compare", "experiment.yaml"}
	r := study.Run(d, o)
	r.Figures = nil
	got, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	name := filepath.Join("testdata", "report.json")
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("rewrite with -update and read the difference (-want +got):\n%s", diff)
	}
}
