package main

import (
	"io"

	"github.com/alecthomas/kingpin/v2"

	"github.com/tokenpersistence/toolkit/analyze/plan"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// planOptions are the flags of plan as given.
type planOptions struct {
	report  string
	maxLoss percentage
	power   float64
	seed    uint64
	format  string
	color   bool
}

func addPlan(app *kingpin.Application) *planOptions {
	o := &planOptions{maxLoss: percentage{"--max-loss", study.Defaults().MaxLoss}}
	c := app.Command("plan", "How many pairs of runs the next experiment needs, and in which order, from the JSON report of a pilot.")
	c.Arg("report", "The report of the pilot, as compare --format json wrote it.").Required().StringVar(&o.report)
	c.Flag("max-loss", "Loss of throughput that has to be found; after load: rate, of tokens per core-ms.").Default(o.maxLoss.String()).SetValue(&o.maxLoss)
	c.Flag("power", "Chance of finding it, if it is there.").Default("0.8").Float64Var(&o.power)
	c.Flag("seed", "Seed of the schedule.").Default("1").Uint64Var(&o.seed)
	c.Flag("format", "text or json.").Default("text").EnumVar(&o.format, "text", "json")
	c.Flag("color", "Colour on a terminal; NO_COLOR switches it off too.").Default("true").BoolVar(&o.color)
	return o
}

// runPlan reads the report of a pilot and writes the plan of the experiment.
func runPlan(o planOptions, stdout io.Writer) error {
	r, err := readReport(o.report)
	if err != nil {
		return err
	}
	p, err := plan.Run(r, plan.Options{MaxLoss: o.maxLoss.ratio, Power: o.power, Seed: o.seed})
	if err != nil {
		return usage("%s: %v", o.report, err)
	}
	p.Report, p.Program = o.report, programName()
	return writeDocument(stdout, p, o.format, o.color)
}
