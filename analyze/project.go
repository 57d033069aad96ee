package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/tokenpersistence/toolkit/analyze/projection"
	"github.com/tokenpersistence/toolkit/analyze/report"
)

// projectOptions are the flags of project as given.
type projectOptions struct {
	report        string
	apimVCPUs     int
	databaseVCPUs int
	users         int
	think         time.Duration
	seed          uint64
	format        string
	color         bool
}

func addProject(app *kingpin.Application) *projectOptions {
	o := &projectOptions{}
	c := app.Command("project", "What the measured system would do with other hardware or more users, from the JSON report of compare.")
	c.Arg("report", "The report, as compare --format json wrote it.").Required().StringVar(&o.report)
	c.Flag("apim-vcpus", "vCPUs of API Manager to project to, those of all nodes together. (default as measured)").PlaceHolder("N").IntVar(&o.apimVCPUs)
	c.Flag("database-vcpus", "vCPUs of the database to project to. (default as measured)").PlaceHolder("N").IntVar(&o.databaseVCPUs)
	c.Flag("users", "Concurrent users to project to. (default as measured)").PlaceHolder("N").IntVar(&o.users)
	c.Flag("think", "Pause of a user between two tokens, in the measured runs as well.").Default("0s").DurationVar(&o.think)
	c.Flag("seed", "Seed of the Monte Carlo intervals.").Default(strconv.FormatUint(1, 10)).Uint64Var(&o.seed)
	c.Flag("format", "text or json.").Default("text").EnumVar(&o.format, "text", "json")
	c.Flag("color", "Colour on a terminal; NO_COLOR switches it off too.").Default("true").BoolVar(&o.color)
	return o
}

// runProject reads a report and writes its projection. It is an error when every
// grant had to be refused.
func runProject(o projectOptions, stdout io.Writer) error {
	r, err := readReport(o.report)
	if err != nil {
		return err
	}
	if o.apimVCPUs == 0 && o.databaseVCPUs == 0 && o.users == 0 {
		return usage("say what to project to: --apim-vcpus, --database-vcpus or --users")
	}
	p, err := projection.Run(r, projection.Options{
		APIManagerVCPUs: o.apimVCPUs, DatabaseVCPUs: o.databaseVCPUs, Users: o.users,
		Think: o.think.Seconds(), Seed: o.seed,
	})
	if err != nil {
		return usage("%s: %v", o.report, err)
	}
	p.Report, p.Program = o.report, programName()
	if err := writeDocument(stdout, p, o.format, o.color); err != nil {
		return err
	}
	if !slices.ContainsFunc(p.Grants, func(g report.ProjectedGrant) bool { return g.Refused == "" }) {
		return errors.New("no grant could be projected: the reasons stand with each of them")
	}
	return nil
}

// readReport reads a JSON report. A file that is none is a usage error.
func readReport(path string) (report.Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return report.Report{}, fmt.Errorf("read the report: %w", err)
	}
	r, err := report.ReadJSON(f)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if e, ok := errors.AsType[*report.DocumentError](err); ok {
		return r, usage("%s: %s", path, e.Text)
	}
	if err != nil {
		return r, fmt.Errorf("read the report %s: %w", path, err)
	}
	return r, nil
}
