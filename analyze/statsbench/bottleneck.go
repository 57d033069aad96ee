package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/queueing"
	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/study"
)

// users wait in a closed loop in front of API Manager and the database.
const (
	users         = 100
	apimCores     = 4
	databaseCores = 8
	apimDemand    = 0.010 // core-seconds of a token
	pointsStep    = 5 * time.Second
	pointsSD      = 0.03 // of single points of a CPU
)

// system is a closed loop whose limit is known. A mode is a network of API
// Manager, the database and a delay outside both.
type system struct {
	name    string
	on, off queueing.Network
	// awake is the most of its time that a host can be busy: below 1 where pauses,
	// such as those of a garbage collector, leave cores idle while users queue.
	awake float64
}

// loop is a mode: a database that works share as long for a token as API Manager,
// per core, and users who are away for a time between.
func loop(share, away float64) queueing.Network {
	return queueing.Network{Think: away, Stations: []queueing.Station{
		{Demand: apimDemand, Servers: apimCores},
		{Demand: share * apimDemand * databaseCores / apimCores, Servers: databaseCores},
	}}
}

// away is how long users have to be away for API Manager to be so busy beside a
// database that is little used, by bisection.
func away(busy float64) float64 {
	lo, hi := 0.0, 1000.0
	for range 60 {
		middle := (lo + hi) / 2
		x, err := loop(0.2, middle).Throughput(users)
		if err != nil || x*apimDemand/apimCores > busy {
			lo = middle
		} else {
			hi = middle
		}
	}
	return lo
}

// systems is the table: one row each.
func systems() []system {
	out := []system{
		{name: "API Manager has no idle core", on: loop(0.2, 0), off: loop(0.1, 0), awake: 1},
		{name: "it moves from database to API Manager", on: loop(1.5, 0), off: loop(0.2, 0), awake: 1},
		{name: "both queue, the database has 10 % less to do", on: loop(0.9, 0), off: loop(0.9, 0), awake: 1},
		{name: "both queue, the database has 3 % less to do", on: loop(0.97, 0), off: loop(0.97, 0), awake: 1},
	}
	for _, busy := range []float64{0.92, 0.85, 0.82, 0.78, 0.75, 0.65} {
		out = append(out, system{name: fmt.Sprintf("users queue, but pauses leave API Manager %g %% busy", 100*busy), on: loop(0.2, 0), off: loop(0.1, 0), awake: busy})
	}
	for _, busy := range []float64{0.5, 0.75, 0.78, 0.82, 0.85, 0.92, 0.95, 0.97} {
		n := loop(0.2, away(busy))
		out = append(out, system{name: fmt.Sprintf("users wait elsewhere, API Manager is %g %% busy", 100*busy), on: n, off: n, awake: 1})
	}
	return out
}

// Names of the hosts in explanations, in the order of a network's stations.
var hosts = []string{"the api manager", "the database"}

// limit is the host that limits a mode: the one of which a 1 % faster copy would
// give at least half of 1 % more throughput; "" when there is none.
func limit(n queueing.Network) (string, error) {
	x, err := n.Throughput(users)
	if err != nil {
		return "", err
	}
	for i, name := range hosts {
		faster := queueing.Network{Think: n.Think, Stations: append([]queueing.Station{}, n.Stations...)}
		faster.Stations[i].Demand *= 0.99
		y, err := faster.Throughput(users)
		if err != nil {
			return "", err
		}
		if math.Log(y/x) >= 0.5*math.Log(1/0.99) {
			return name, nil
		}
	}
	return "", nil
}

var (
	moves = regexp.MustCompile(`the bottleneck (?:probably )?moves from (the api manager|the database) \([^)]*\) to (the api manager|the database)`)
	holds = regexp.MustCompile(`(with persistence |without persistence )?(the api manager|the database) \([^)]*busy\)(?:, [^,]*,)? (?:probably )?limits throughput`)
)

// named are the hosts that an explanation calls the limit with and without
// persistence, "" where it names none.
func named(r report.Report) (on, off string) {
	text := strings.ToLower(strings.Join(r.Explanation, " "))
	if m := moves.FindStringSubmatch(text); m != nil {
		return m[1], m[2]
	}
	m := holds.FindStringSubmatch(text)
	switch {
	case m == nil:
		return "", ""
	case m[1] == "with persistence ":
		return m[2], ""
	case m[1] == "without persistence ":
		return "", m[2]
	}
	return m[2], m[2]
}

// bottleneckFigures are how often the sentence about the bottleneck, which is a
// rule and no test, names a host that is not the limit, or none where one is; and
// how often it does the former without a "probably".
func bottleneckFigures() []figure {
	var out []figure
	for i, s := range systems() {
		missed := figure{name: "bottleneck wrong or withheld: " + s.name, replications: 500, hi: 1, trial: s.trial(func(_ string, named, truth [2]string) bool {
			return named != truth
		})}
		if i < 2 {
			missed.hi = 0.01
		}
		out = append(out, missed)
		if strings.HasPrefix(s.name, "users wait elsewhere") {
			out = append(out, figure{name: "bottleneck wrong without probably: " + s.name, replications: 500, hi: 0.01, trial: s.trial(func(text string, named, truth [2]string) bool {
				return named != truth && named != [2]string{} && !strings.Contains(text, "probably")
			})})
		}
	}
	return out
}

// trial says whether something holds for what is said of a drawn experiment.
func (s system) trial(holds func(text string, named, truth [2]string) bool) func(*rand.Rand) (bool, error) {
	return func(random *rand.Rand) (bool, error) {
		on, errOn := limit(s.on)
		off, errOff := limit(s.off)
		r, err := s.study(random)
		if err := errors.Join(errOn, errOff, err); err != nil {
			return false, err
		}
		gotOn, gotOff := named(r)
		return holds(strings.Join(r.Explanation, " "), [2]string{gotOn, gotOff}, [2]string{on, off}), nil
	}
}

// study draws an experiment of 6 pairs and analyses it.
func (s system) study(random *rand.Rand) (report.Report, error) {
	const pairs = 6
	var d source.Dataset
	for i := range 2 * pairs {
		mode, n := source.On, s.on
		if (i+i/2)%2 == 1 { // on off, off on, on off …
			mode, n = source.Off, s.off
		}
		r, err := s.run(random, n)
		if err != nil {
			return report.Report{}, err
		}
		r.Window.Grant, r.Window.Mode, r.Window.Block = "grant", mode, i/2+1
		r.Window.Start = noon.Add(time.Duration(2*i*windowSize) * time.Second)
		r.Window.End = r.Window.Start.Add(windowSize * time.Second)
		for name, series := range r.Series {
			for j := range series.Points {
				series.Points[j].Time = r.Window.Start.Add(time.Duration(j) * pointsStep)
			}
			r.Series[name] = series
		}
		d.Runs = append(d.Runs, r)
	}
	o := study.Defaults()
	o.Warmup = warmup
	o.Environment = report.Environment{APIManager: report.Host{VCPUs: apimCores}, Database: report.Host{VCPUs: databaseCores}}
	return study.Run(d, o), nil
}

// run is one window: demands that differ from run to run, the throughput and the
// utilisations that follow from them, and points around those.
func (s system) run(random *rand.Rand, n queueing.Network) (source.Run, error) {
	drawn := queueing.Network{Think: n.Think}
	for _, station := range n.Stations {
		station.Demand *= math.Exp(normal(random))
		drawn.Stations = append(drawn.Stations, station)
	}
	x, err := drawn.Throughput(users)
	if err != nil {
		return source.Run{}, err
	}
	x *= cmp.Or(s.awake, 1)
	r := world{noise: ar(0.3)}.window(random, x)
	for i, name := range []string{source.APIManagerCPU, source.DatabaseCPU} {
		busy := queueing.Utilisation(x, drawn.Stations[i].Demand, drawn.Stations[i].Servers)
		series := source.Series{Step: pointsStep}
		for _, e := range ar(0.3)(random, windowSize/int(pointsStep/time.Second)) {
			series.Points = append(series.Points, source.Point{Value: min(1, max(0, busy+pointsSD*e))})
		}
		r.Series[name] = series
	}
	return r, nil
}
