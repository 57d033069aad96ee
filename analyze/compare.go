package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/version"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// runCompare reads the declared data, analyses it and writes the report. The
// status is that of the verdict.
func runCompare(ctx context.Context, o compareOptions, stdout, stderr io.Writer) (int, error) {
	if err := o.check(); err != nil {
		return 0, err
	}
	options, spec, err := o.resolve()
	if err != nil {
		return 0, err
	}
	if o.selfTest {
		return selfTest(options, stdout)
	}
	waiting := newProgress(stderr, time.Now)
	spec.Progress, spec.Pausing = waiting.hook(), waiting.pausing()
	data, err := source.Read(ctx, spec)
	waiting.end()
	if err != nil {
		return 0, err
	}
	r := study.Run(data, options)
	if o.output == "" {
		return r.ExitCode, o.write(stdout, r, o.formats.chosen[0], o.color && wantsColor(stdout))
	}
	return r.ExitCode, o.writeAll(r, stdout, stderr)
}

func usage(format string, args ...any) error {
	return &source.SpecError{Text: fmt.Sprintf(format, args...)}
}

// check refuses flags that contradict each other.
func (o compareOptions) check() error {
	fromFlags := len(o.on) > 0 || len(o.off) > 0
	switch {
	case o.experiment == "" && !fromFlags && !o.selfTest:
		return usage("nothing to compare: give an experiment file, or --on, --off and --grant")
	case o.experiment != "" && (fromFlags || o.grant != "" || o.label != ""):
		return usage("--on, --off, --grant and --label belong to a comparison without an experiment file: leave them out or leave %s out", o.experiment)
	case fromFlags && (len(o.on) == 0 || len(o.off) == 0):
		return usage("give at least one --on and one --off run")
	case fromFlags && o.grant == "":
		return usage("say which grant type the runs are of, for example --grant password")
	case shared(o.on, o.off) != "":
		return usage("%s is given as --on and as --off: a run has one mode", shared(o.on, o.off))
	case o.selfTest && (fromFlags || o.output != "" || o.formats.given || len(o.plots.chosen) > 0):
		return usage("--self-test-gate tries the limits on built-in data: leave out --on, --off, --output, --format and --plots")
	case o.output == "" && len(o.formats.chosen) > 1:
		return usage("--format %s needs --output DIR: only one format fits on the terminal", o.formats.String())
	case o.output == "" && len(o.plots.chosen) > 0:
		return usage("--plots %s needs --output DIR to write the files into", o.plots.String())
	case o.warmup < 0:
		return usage("--warmup %s is negative", o.warmup)
	}
	return nil
}

// shared names a file that stands on both sides, "" when there is none.
func shared(on, off []string) string {
	files := strings.Split(strings.Join(on, ","), ",")
	for file := range strings.SplitSeq(strings.Join(off, ","), ",") {
		if file != "" && slices.Contains(files, file) {
			return file
		}
	}
	return ""
}

// resolve turns the flags and the experiment file into what is read and tested.
func (o compareOptions) resolve() (study.Options, source.Spec, error) {
	options := study.Options{
		Load: study.ClosedLoad, Warmup: o.warmup,
		MaxLoss: o.maxLoss.ratio, MaxErrorIncrease: o.maxErrorIncrease.ratio, ReferenceMargin: o.referenceMargin.ratio,
		QuantileType: 7, FailOn: o.failOn.chosen, Seed: o.seed,
		Program: programName(), Arguments: o.arguments,
	}
	if o.quantileType == "6" {
		options.QuantileType = 6
	}
	spec := o.specFromFlags()
	if o.experiment != "" {
		e, s, err := readExperiment(o.experiment)
		if err != nil {
			return options, spec, err
		}
		spec = s
		options.Title, options.Banner, options.Environment = e.Title, e.Banner, e.Environment.report()
		if e.Load != "" {
			options.Load = string(e.Load)
		}
		if e.Warmup != nil && !o.warmupGiven {
			options.Warmup = time.Duration(*e.Warmup)
		}
	}
	if o.loadGiven {
		options.Load = o.load
	}
	spec.Warmup = options.Warmup
	spec, err := o.store.into(spec)
	if err != nil {
		return options, spec, err
	}
	return options, spec, checkWarmup(spec)
}

// programName is this program as a report names it.
func programName() string {
	if version.Version == "" {
		return "analyze (not a release)"
	}
	return "analyze " + version.Version
}

// checkWarmup refuses a warm-up that leaves nothing of a declared window.
func checkWarmup(spec source.Spec) error {
	for _, w := range spec.Windows {
		if length := w.End.Sub(w.Start); !w.Start.IsZero() && spec.Warmup >= length {
			return usage("the warm-up of %s leaves nothing of the %s window of %s that starts at %s: give a shorter --warmup or warmup:",
				spec.Warmup, length, w.Grant, w.Start.Format(time.RFC3339))
		}
	}
	return nil
}

// specFromFlags declares unpaired runs from --on and --off.
func (o compareOptions) specFromFlags() source.Spec {
	spec := source.Spec{Labels: map[string]string{}}
	if o.label != "" {
		spec.Labels[o.grant] = o.label
	}
	for _, side := range []struct {
		mode source.Mode
		runs []string
	}{{source.On, o.on}, {source.Off, o.off}} {
		for _, run := range side.runs {
			spec.Windows = append(spec.Windows, source.Window{Grant: o.grant, Mode: side.mode, JTL: strings.Split(run, ",")})
		}
	}
	return spec
}

func (e environment) report() report.Environment {
	return report.Environment{
		APIManager: report.Host{Instance: e.APIManager.Instance, VCPUs: e.APIManager.vcpus(), Nodes: int(e.APIManager.Nodes)},
		Database:   report.Host{Instance: e.Database.Instance, VCPUs: int(e.Database.VCPUs)},
		Users:      int(e.Users), Applications: int(e.Applications), Notes: e.Notes,
	}
}
