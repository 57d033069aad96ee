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

// inspectFormats is what inspect can print.
var inspectFormats = map[string]func(io.Writer, []*inspect.File) error{
	"text":             inspect.Text,
	"experiment":       inspect.Experiment,
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

// runInspect reads the files one after the other and prints what they hold.
func runInspect(ctx context.Context, o inspectOptions, stdout io.Writer) error {
	if o.warmup < 0 {
		return usage("--warmup %s is negative", o.warmup)
	}
	var files []*inspect.File
	for _, name := range o.files {
		f := inspect.NewFile(name, o.warmup)
		var err error
		if f.Rows, err = source.ScanResults(ctx, name, name, f.Add); err != nil {
			return err
		}
		files = append(files, f)
	}
	if err := inspectFormats[o.format](stdout, files); err != nil {
		return fmt.Errorf("inspect: %w", err)
	}
	return nil
}
