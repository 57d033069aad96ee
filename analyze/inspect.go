package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/tokenpersistence/toolkit/analyze/inspect"
	"github.com/tokenpersistence/toolkit/analyze/jtl"
	"github.com/tokenpersistence/toolkit/analyze/source"
)

// inspectOptions are the flags of inspect as given.
type inspectOptions struct {
	files  []string
	format string
	warmup time.Duration
	names  inspect.Names
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
	c.Arg("file", "JMeter result files (CSV), or folders of them as WSO2's performance tests leave them.").Required().StringsVar(&o.files)
	c.Flag("format", "text; experiment: an experiment file to start from; wso2-summary: as WSO2's results splitter; jmeter-dashboard: as JMeter's HTML report (both CSV).").
		Default("text").EnumVar(&o.format, "text", "experiment", "wso2-summary", "jmeter-dashboard")
	c.Flag("warmup", "Where wso2-summary divides a file.").Default(defaultWarmup.String()).DurationVar(&o.warmup)
	c.Flag("on", "Experiment from folders: runs below a folder of this name were with persistence (* stands for anything); may be repeated.").StringsVar(&o.names.On)
	c.Flag("off", "The same without persistence.").StringsVar(&o.names.Off)
	c.Flag("only", "Experiment from folders: leave out runs that are not below a folder of this name, such as 100_users; may be repeated.").StringsVar(&o.names.Only)
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
	runs, rowless, err := inspect.FindRuns(o.files)
	if err != nil {
		return nil, err
	}
	tree := o.format == "experiment" && (len(rowless) > 0 || len(runs) != len(o.files) || o.pathsDiffer(runs) || o.named())
	if o.named() && !tree {
		return nil, usage("--on, --off and --only are for --format experiment")
	}
	if tree {
		if runs, err = inspect.Choose(runs, o.names); err != nil {
			return nil, err
		}
	}
	if write, ok := otherFormats[o.format]; ok {
		o.files = nil
		for _, r := range runs {
			o.files = append(o.files, r.Files...)
		}
		return o.replay(ctx, spec, write)
	}
	files, err := readRuns(ctx, spec, runs)
	if err != nil {
		return nil, err
	}
	if tree {
		return func(stdout, _ io.Writer) error { return o.tree(stdout, runs, files, rowless) }, nil
	}
	return func(stdout, _ io.Writer) error { return ownFormats[o.format](stdout, files) }, nil
}

// named reports whether something was said of names.
func (o inspectOptions) named() bool { return len(o.names.On)+len(o.names.Off)+len(o.names.Only) > 0 }

// pathsDiffer reports whether a run is not a file that was given.
func (o inspectOptions) pathsDiffer(runs []inspect.Run) bool {
	return slices.ContainsFunc(runs, func(r inspect.Run) bool { return !slices.Contains(o.files, r.Files[0]) })
}

func readRuns(ctx context.Context, spec source.Spec, runs []inspect.Run) ([]inspect.File, error) {
	paths := make([][]string, len(runs))
	for i, r := range runs {
		paths[i] = r.Files
	}
	surveys, err := source.ReadRuns(ctx, spec, paths)
	if err != nil {
		return nil, err
	}
	files := make([]inspect.File, len(surveys))
	for i, s := range surveys {
		files[i] = inspect.File{Name: runs[i].Name, Survey: s}
	}
	return files, nil
}

// tree writes the experiment file of the runs of folders.
func (o inspectOptions) tree(w io.Writer, runs []inspect.Run, files []inspect.File, rowless []string) error {
	found := make([]inspect.Found, len(runs))
	for i, r := range runs {
		found[i] = inspect.Found{Run: r, Survey: files[i].Survey}
	}
	return inspect.TreeExperiment(w, found, rowless, o.names)
}

// replay is read for the formats of other tools.
func (o inspectOptions) replay(ctx context.Context, spec source.Spec, write func(io.Writer, []*inspect.Replay) error) (func(stdout, stderr io.Writer) error, error) {
	files := make([]*inspect.Replay, len(o.files))
	for i, name := range o.files {
		files[i] = inspect.NewReplay(name, o.warmup)
	}
	rows, err := source.ScanResults(ctx, spec, o.files, func(file int, r jtl.Row) { files[file].Add(r) })
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
