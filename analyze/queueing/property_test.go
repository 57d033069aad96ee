package queueing_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/queueing"
	"pgregory.net/rapid"
)

const slack = 1e-9 // relative, for what rounding may do

// Every solution obeys the operational laws and lies within the bounds.
func TestLawsAndBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNetwork(t, 12)
		jobs := rapid.IntRange(1, 150).Draw(t, "jobs")
		s, err := n.Solve(jobs)
		if err != nil {
			t.Fatal(err)
		}
		present := queueing.Little(s.Throughput, n.Think)
		for _, q := range s.Queue {
			present += q
		}
		near(t, "jobs at all stations and thinking", present, float64(jobs), 1e-8)
		near(t, "response time by Little's law", s.Response, queueing.Response(jobs, s.Throughput, n.Think), 1e-6)
		for i, station := range n.Stations {
			if station.Servers != queueing.Delay {
				near(t, "utilisation", s.Utilisation[i], queueing.Utilisation(s.Throughput, station.Demand, station.Servers), slack)
				near(t, "demand", queueing.Demand(s.Utilisation[i], station.Servers, s.Throughput), station.Demand, slack)
			}
			if s.Residence[i] < station.Demand*(1-slack) {
				t.Errorf("a job stays %v s at a station where it needs %v s", s.Residence[i], station.Demand)
			}
		}
		x, err := n.Throughput(jobs)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "the throughput alone", x, s.Throughput, 1e-10)
		b, err := n.Asymptotic(jobs)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "asymptotic", s, b)
	})
}

func within(t *rapid.T, name string, s queueing.Solution, b queueing.Bounds) {
	t.Helper()
	if s.Throughput < b.ThroughputLo*(1-slack) || s.Throughput > b.ThroughputHi*(1+slack) {
		t.Errorf("throughput %v outside the %s bounds %v to %v", s.Throughput, name, b.ThroughputLo, b.ThroughputHi)
	}
	if s.Response < b.ResponseLo*(1-1e-6) || s.Response > b.ResponseHi*(1+1e-6) {
		t.Errorf("response time %v outside the %s bounds %v to %v", s.Response, name, b.ResponseLo, b.ResponseHi)
	}
}

func TestBalancedJobBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNetwork(t, 1)
		jobs := rapid.IntRange(1, 100).Draw(t, "jobs")
		s, err := n.Solve(jobs)
		if err != nil {
			t.Fatal(err)
		}
		wide, err := n.Asymptotic(jobs)
		if err != nil {
			t.Fatal(err)
		}
		b, err := n.BalancedJob(jobs)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "balanced job", s, b)
		if b.ThroughputHi > wide.ThroughputHi || b.ThroughputLo < wide.ThroughputLo {
			t.Errorf("balanced job bounds %v are wider than the asymptotic %v", b, wide)
		}
	})
}

// More jobs or more servers never make a network slower.
func TestRisesWithJobsAndServers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNetwork(t, 12)
		jobs := rapid.IntRange(2, 150).Draw(t, "jobs")
		s, err := n.Solve(jobs)
		if err != nil {
			t.Fatal(err)
		}
		for i := 1; i < jobs; i++ {
			if s.ByPopulation[i] < s.ByPopulation[i-1]*(1-slack) {
				t.Fatalf("throughput falls from %v to %v with job %d", s.ByPopulation[i-1], s.ByPopulation[i], i+1)
			}
		}
		k := rapid.IntRange(0, len(n.Stations)-1).Draw(t, "station")
		if n.Stations[k].Servers == queueing.Delay {
			return
		}
		n.Stations[k].Servers++
		more, err := n.Throughput(jobs)
		if err != nil {
			t.Fatal(err)
		}
		if more < s.Throughput*(1-slack) {
			t.Errorf("throughput falls from %v to %v with one more server", s.Throughput, more)
		}
	})
}

// Many users who think for long are an open stream, so a station of m servers
// becomes M/M/m, whose queue Erlang's formula gives.
func TestManyThinkersAreAnOpenStream(t *testing.T) {
	for _, c := range []struct {
		servers int
		load    float64 // share of the servers
	}{{1, 0.5}, {1, 0.8}, {4, 0.7}, {16, 0.8}, {64, 0.9}} {
		t.Run(fmt.Sprintf("%d servers, %v", c.servers, c.load), func(t *testing.T) {
			const jobs = 10_000
			offered := c.load * float64(c.servers) // Erlang, with a demand of 1 s
			n := queueing.Network{Stations: []queueing.Station{{Demand: 1, Servers: c.servers}}, Think: jobs / offered}
			s := solve(t, n, jobs)
			near(t, "queue", s.Queue[0], erlang(c.servers, s.Throughput), 0.02)
		})
	}
}

// erlang is the mean number of jobs at M/M/m with a demand of 1 s.
func erlang(servers int, rate float64) float64 {
	blocked := 1.0
	for i := 1; i <= servers; i++ {
		blocked = rate * blocked / (float64(i) + rate*blocked)
	}
	load := rate / float64(servers)
	wait := blocked / (1 - load*(1-blocked))
	return rate + wait*load/(1-load)
}

// A large network is solved without overflow, and up to its capacity.
func TestLargeNetwork(t *testing.T) {
	n := queueing.Network{Stations: []queueing.Station{{Demand: 0.0092, Servers: 128}, {Demand: 0.003, Servers: 64}, {Demand: 0.05, Servers: queueing.Delay}}}
	s := solve(t, n, 10_000)
	near(t, "throughput", s.Throughput, 128/0.0092, 1e-9)
	sum := 0.0
	for _, q := range s.Queue {
		sum += q
	}
	near(t, "jobs", sum, 10_000, 1e-6)
	for i, x := range s.ByPopulation {
		if math.IsNaN(x) || x <= 0 || x > n.Capacity() {
			t.Fatalf("throughput %v with %d jobs", x, i+1)
		}
	}
}

func TestStationsThatTakeNoTime(t *testing.T) {
	free := queueing.Network{Stations: []queueing.Station{{Demand: 0, Servers: 3}, {Demand: 2, Servers: 1}}}
	s := solve(t, free, 5)
	near(t, "throughput", s.Throughput, 0.5, slack)
	if s.Queue[0] != 0 || s.Utilisation[0] != 0 || s.Residence[0] != 0 {
		t.Errorf("a station without demand has %v jobs", s.Queue[0])
	}
	thinkers := solve(t, queueing.Network{Think: 4}, 8)
	near(t, "throughput of thinkers", thinkers.Throughput, 2, slack)
	if thinkers.Response != 0 {
		t.Errorf("response time %v without a station", thinkers.Response)
	}
	if c := (queueing.Network{Think: 4}).Capacity(); !math.IsInf(c, 1) {
		t.Errorf("capacity %v where nothing queues", c)
	}
}

func TestWhatCannotBeSolved(t *testing.T) {
	good := queueing.Station{Demand: 1, Servers: 1}
	for name, c := range map[string]struct {
		network queueing.Network
		jobs    int
	}{
		"no job":          {queueing.Network{Stations: []queueing.Station{good}}, 0},
		"too many jobs":   {queueing.Network{Stations: []queueing.Station{good}}, queueing.MostJobs + 1},
		"no time":         {queueing.Network{Stations: []queueing.Station{{Servers: 1}}}, 1},
		"no station":      {queueing.Network{}, 1},
		"negative think":  {queueing.Network{Stations: []queueing.Station{good}, Think: -1}, 1},
		"endless think":   {queueing.Network{Stations: []queueing.Station{good}, Think: math.Inf(1)}, 1},
		"no server":       {queueing.Network{Stations: []queueing.Station{{Demand: 1}}}, 1},
		"many servers":    {queueing.Network{Stations: []queueing.Station{{Demand: 1, Servers: queueing.MostServers + 1}}}, 1},
		"negative demand": {queueing.Network{Stations: []queueing.Station{{Demand: -1, Servers: 1}}}, 1},
		"demand NaN":      {queueing.Network{Stations: []queueing.Station{{Demand: math.NaN(), Servers: 1}}}, 1},
		"endless demand":  {queueing.Network{Stations: []queueing.Station{{Demand: math.Inf(1), Servers: 1}}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			_, whole := c.network.Solve(c.jobs)
			_, alone := c.network.Throughput(c.jobs)
			_, bounds := c.network.Asymptotic(c.jobs)
			_, balanced := c.network.BalancedJob(c.jobs)
			for _, err := range []error{whole, alone, bounds, balanced} {
				if !errors.Is(err, queueing.ErrArgument) {
					t.Errorf("%v, want ErrArgument", err)
				}
			}
		})
	}
	farm := queueing.Network{Stations: []queueing.Station{{Demand: 1, Servers: 2}}}
	if _, err := farm.BalancedJob(3); !errors.Is(err, queueing.ErrArgument) {
		t.Errorf("balanced job bounds of two servers: %v", err)
	}
}

func BenchmarkSolve(b *testing.B) {
	for _, c := range []struct{ jobs, servers int }{{100, 8}, {1000, 16}, {10_000, 128}} {
		n := queueing.Network{Stations: []queueing.Station{{Demand: 0.0092, Servers: c.servers}, {Demand: 0.003, Servers: c.servers / 2}}, Think: 1}
		b.Run(fmt.Sprintf("%d jobs, %d servers", c.jobs, c.servers), func(b *testing.B) {
			for b.Loop() {
				if _, err := n.Solve(c.jobs); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
