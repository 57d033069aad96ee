package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/study"
	"github.com/tokenpersistence/toolkit/internal/nearest"
)

// compareOptions are the flags of compare as given.
type compareOptions struct {
	experiment string
	on, off    []string
	grant      string
	label      string

	load             string
	warmup           time.Duration
	maxLoss          percentage
	maxErrorIncrease percentage
	referenceMargin  percentage
	quantileType     string
	failOn           choices
	seed             uint64

	formats  choices
	plots    choices
	output   string
	color    bool
	selfTest bool
	store    storeOptions

	loadGiven, warmupGiven bool
	arguments              []string
}

func addCompare(app *kingpin.Application) *compareOptions {
	d := study.Defaults()
	o := &compareOptions{
		maxLoss:          percentage{"--max-loss", d.MaxLoss},
		maxErrorIncrease: percentage{"--max-error-increase", d.MaxErrorIncrease},
		referenceMargin:  percentage{"--reference-margin", d.ReferenceMargin},
		failOn:           choices{flag: "--fail-on", allowed: []string{study.FailOnFail, study.FailOnInconclusive, study.FailOnNoData, study.FailOnReference, "none"}, chosen: d.FailOn},
		formats:          choices{flag: "--format", allowed: report.Formats(), chosen: report.Formats()[:1]},
		plots:            choices{flag: "--plots", allowed: report.PictureFormats()},
	}
	c := app.Command("compare", "Compare runs with persistence on to runs with persistence off.")
	c.Arg("experiment", "The experiment file (YAML). Without one, give --on, --off and --grant.").StringVar(&o.experiment)
	c.Flag("on", "JMeter result file (CSV) of a run with persistence; several files of one run are separated by commas. Repeat for more runs.").PlaceHolder("RUN").StringsVar(&o.on)
	c.Flag("off", "The same for a run without persistence.").PlaceHolder("RUN").StringsVar(&o.off)
	c.Flag("grant", "Grant type of these runs, for example client_credentials, password or refresh_token.").StringVar(&o.grant)
	c.Flag("label", "JMeter label of the token request, when the files hold others too.").StringVar(&o.label)
	c.Flag("load", "closed: users wait for their token. rate: every run offers the same tokens/s. (default closed)").IsSetByUser(&o.loadGiven).EnumVar(&o.load, study.ClosedLoad, study.RateLoad)
	c.Flag("warmup", "Discarded at the start of every window.").Default(defaultWarmup.String()).IsSetByUser(&o.warmupGiven).DurationVar(&o.warmup)
	c.Flag("max-loss", "Loss of throughput that is acceptable.").Default(o.maxLoss.String()).SetValue(&o.maxLoss)
	c.Flag("max-error-increase", "Rise of the share of errors that is acceptable.").Default(o.maxErrorIncrease.String()).SetValue(&o.maxErrorIncrease)
	c.Flag("reference-margin", "How far a ratio may be from a published one and still agree.").Default(o.referenceMargin.String()).SetValue(&o.referenceMargin)
	c.Flag("quantile-type", "Definition of percentiles: 7 as R's default, 6 as JMeter's report.").Default("7").EnumVar(&o.quantileType, "6", "7")
	c.Flag("seed", "Seed, recorded in the report.").Default(strconv.FormatUint(d.Seed, 10)).Uint64Var(&o.seed)
	c.Flag("format", "Formats of the report: "+strings.Join(report.Formats(), ", ")+".").PlaceHolder("text").SetValue(&o.formats)
	c.Flag("output", "Folder to write the report into, one file per format; text goes to the terminal too. Without --format: every format.").PlaceHolder("DIR").StringVar(&o.output)
	c.Flag("plots", "Draw every figure into the folder plots below --output: "+strings.Join(report.PictureFormats(), ", ")+" or both.").PlaceHolder("svg,png").SetValue(&o.plots)
	c.Flag("fail-on", "Verdicts with an exit status other than 0: fail 10, inconclusive 11, nodata 12, reference 13; or none.").PlaceHolder("fail,inconclusive,nodata").SetValue(&o.failOn)
	o.store.add(c)
	c.Flag("self-test-gate", "Try these limits on built-in data and exit: status 0 when the gate can fail, 1 when it cannot.").BoolVar(&o.selfTest)
	c.Flag("color", "Colour on a terminal; NO_COLOR switches it off too.").Default("true").BoolVar(&o.color)
	return o
}

// defaultWarmup is what a JVM and a connection pool need at least.
const defaultWarmup = 2 * time.Minute

// percentage is a flag value such as 5%, kept as a ratio.
type percentage struct {
	flag  string
	ratio float64
}

// Set reads "5%" or "0.05"; anything that could be either is refused.
func (p *percentage) Set(text string) error {
	number, isPercent := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if isPercent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v < 1) {
		return fmt.Errorf("%s %q is not a share from 0%% to below 100%%: write for example 5%%", p.flag, text)
	}
	p.ratio = v
	return nil
}

// String writes the ratio as a percentage.
func (p *percentage) String() string {
	return strconv.FormatFloat(p.ratio*100, 'g', 6, 64) + "%"
}

// choices is a flag value that lists words separated by commas.
type choices struct {
	flag    string
	allowed []string
	chosen  []string
	given   bool
}

// Set replaces the list; "none" empties it where it is allowed.
func (c *choices) Set(text string) error {
	c.chosen, c.given = nil, true
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		switch {
		case !slices.Contains(c.allowed, word):
			meant, _ := nearest.Name(strings.ToLower(word), c.allowed)
			if meant != "" {
				meant = " (did you mean " + meant + "?)"
			}
			return fmt.Errorf("%s %q is unknown%s: use one or more of %s", c.flag, word, meant, strings.Join(c.allowed, ", "))
		case word == "none":
		case !slices.Contains(c.chosen, word):
			c.chosen = append(c.chosen, word)
		}
	}
	return nil
}

// String writes the list as it is given.
func (c *choices) String() string { return strings.Join(c.chosen, ",") }
