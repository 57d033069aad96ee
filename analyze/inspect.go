package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/tokenpersistence/toolkit/analyze/inspect"
	"github.com/tokenpersistence/toolkit/analyze/source"
)

// inspectOptions are the flags of inspect as given.
type inspectOptions struct {
	files  []string
	format string
	warmup time.Duration
}

// ownFormats are what inspect prints by our definitions.
var ownFormats = map[string]func(io.Writer, []inspect.File) error{
	"text":       inspect.Text,
	"experiment": inspect.Experiment,
}

// otherFormats are what it prints by those of other tools, which depend on the
// order of the rows.
var otherFormats = map[string]func(io.Writer, []*inspect.Replay) error{
	"wso2-summary":     inspect.WSO2Summary,
	"jmeter-dashboard": inspect.JMeterDashboard,
}

func addInspect(app *kingpin.Application) *inspectOptions {
	o := &inspectOptions{}
	c := app.Command("inspect", "Look at JMeter result files: labels, errors, times, silences, and an experiment file to start from.")
	c.Arg("file", "JMeter result files (CSV).").Required().StringsVar(&o.files)
	c.Flag("format", "text; experiment: an experiment file to start from; wso2-summary: as WSO2's results splitter; jmeter-dashboard: as JMeter's HTML report (both CSV).").
		Default("text").EnumVar(&o.format, "text", "experiment", "wso2-summary", "jmeter-dashboard")
	c.Flag("warmup", "Where wso2-summary divides a file.").Default(defaultWarmup.String()).DurationVar(&o.warmup)
	return o
}

// runInspect reads the files and prints what they hold. Where the format has no
// place for it, stderr is told what could not be read.
func runInspect(ctx context.Context, o inspectOptions, stdout, stderr io.Writer) error {
	if o.warmup < 0 {
		return usage("--warmup %s is negative", o.warmup)
	}
	waiting := newProgress(stderr, time.Now)
	spec := source.Spec{Progress: waiting.hook()}
	show, err := o.read(ctx, spec)
	waiting.end()
	if err != nil {
		return err
	}
	if err := show(stdout, stderr); err != nil {
		return fmt.Errorf("inspect: %w", err)
	}
	return nil
}

// read reads the files as the format needs them, and returns what prints them.
func (o inspectOptions) read(ctx context.Context, spec source.Spec) (func(stdout, stderr io.Writer) error, error) {
	if write, ok := otherFormats[o.format]; ok {
		return o.replay(ctx, spec, write)
	}
	surveys, err := source.ReadSurveys(ctx, spec, o.files)
	if err != nil {
		return nil, err
	}
	files := make([]inspect.File, len(surveys))
	for i, s := range surveys {
		files[i] = inspect.File{Name: o.files[i], Survey: s}
	}
	return func(stdout, _ io.Writer) error { return ownFormats[o.format](stdout, files) }, nil
}

// replay is read for the formats of other tools.
func (o inspectOptions) replay(ctx context.Context, spec source.Spec, write func(io.Writer, []*inspect.Replay) error) (func(stdout, stderr io.Writer) error, error) {
	files := make([]*inspect.Replay, len(o.files))
	for i, name := range o.files {
		files[i] = inspect.NewReplay(name, o.warmup)
	}
	rows, err := source.ScanResults(ctx, spec, o.files, func(file int, r source.Result) { files[file].Add(r) })
	if err != nil {
		return nil, err
	}
	return func(stdout, stderr io.Writer) error {
		for i, f := range files {
			if r := rows[i]; r.Bad > 0 {
				fmt.Fprintf(stderr, "analyze: %s: %d of %d rows could not be read, for example %s\n", f.Name, r.Bad, r.Rows, r.BadLines[0])
			}
			if f.Unlabelled > 0 {
				fmt.Fprintf(stderr, "analyze: %s: %d rows are of more labels than are kept, and are left out\n", f.Name, f.Unlabelled)
			}
		}
		return write(stdout, files)
	}, nil
}
