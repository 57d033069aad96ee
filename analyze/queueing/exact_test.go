package queueing_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/queueing"
	"pgregory.net/rapid"
)

// Independent ways to the same numbers: mean value analysis where it is exact,
// every single state, and convolution in exact fractions.

// near fails unless got is within a relative tolerance of want.
func near(t interface {
	Helper()
	Errorf(string, ...any)
}, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*max(math.Abs(want), 1e-9)) {
		t.Errorf("%s = %.15g, want %.15g", what, got, want)
	}
}

// meanValues is exact mean value analysis of stations with one server.
func meanValues(n queueing.Network, jobs int) (throughput float64, queues []float64) {
	queues = make([]float64, len(n.Stations))
	residence := make([]float64, len(n.Stations))
	for population := 1; population <= jobs; population++ {
		response := 0.0
		for i, s := range n.Stations {
			residence[i] = s.Demand
			if s.Servers == 1 {
				residence[i] *= 1 + queues[i]
			}
			response += residence[i]
		}
		throughput = float64(population) / (n.Think + response)
		for i := range queues {
			queues[i] = throughput * residence[i]
		}
	}
	return throughput, queues
}

func TestEqualsMeanValueAnalysis(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNetwork(t, 1)
		jobs := rapid.IntRange(1, 80).Draw(t, "jobs")
		s, err := n.Solve(jobs)
		if err != nil {
			t.Fatal(err)
		}
		x, queues := meanValues(n, jobs)
		near(t, "throughput", s.Throughput, x, 1e-10)
		for i := range queues {
			near(t, fmt.Sprintf("queue %d", i+1), s.Queue[i], queues[i], 1e-8)
		}
	})
}

// anyNetwork has up to five stations with up to mostServers servers each, some
// without a queue, and users who may think.
func anyNetwork(t *rapid.T, mostServers int) queueing.Network {
	n := queueing.Network{Think: rapid.SampledFrom([]float64{0, 0.5, 3, 100}).Draw(t, "think")}
	for i := range rapid.IntRange(1, 5).Draw(t, "stations") {
		s := queueing.Station{
			Demand:  rapid.Float64Range(0.001, 10).Draw(t, fmt.Sprintf("demand %d", i+1)),
			Servers: rapid.IntRange(1, mostServers).Draw(t, fmt.Sprintf("servers %d", i+1)),
		}
		if rapid.IntRange(0, 5).Draw(t, "no queue") == 0 {
			s.Servers = queueing.Delay
		}
		n.Stations = append(n.Stations, s)
	}
	return n
}

// weigh is the product-form weight of j jobs at a station.
func weigh(s queueing.Station, j int) float64 {
	w := 1.0
	for i := 1; i <= j; i++ {
		w *= s.Demand
		if s.Servers == queueing.Delay {
			w /= float64(i)
		} else {
			w /= float64(min(i, s.Servers))
		}
	}
	return w
}

// states adds the weight of every state with so many jobs, and the weight times
// the number of jobs at each station.
func states(stations []queueing.Station, jobs int, weight float64, at []int, total *float64, queues []float64) {
	k := len(at)
	if k == len(stations)-1 {
		weight *= weigh(stations[k], jobs)
		*total += weight
		for i, j := range append(at, jobs) {
			queues[i] += weight * float64(j)
		}
		return
	}
	for j := 0; j <= jobs; j++ {
		states(stations, jobs-j, weight*weigh(stations[k], j), append(at[:k:k], j), total, queues)
	}
}

func TestEqualsEveryState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := anyNetwork(t, 4)
		jobs := rapid.IntRange(1, 6).Draw(t, "jobs")
		s, err := n.Solve(jobs)
		if err != nil {
			t.Fatal(err)
		}
		stations := append([]queueing.Station{{Demand: n.Think, Servers: queueing.Delay}}, n.Stations...)
		queues := make([]float64, len(stations))
		var whole, less float64
		states(stations, jobs, 1, nil, &whole, queues)
		states(stations, jobs-1, 1, nil, &less, make([]float64, len(stations)))
		near(t, "throughput", s.Throughput, less/whole, 1e-11)
		for i := range n.Stations {
			near(t, fmt.Sprintf("queue %d", i+1), s.Queue[i], queues[i+1]/whole, 1e-9)
		}
	})
}

// A station with a server for every job is one at which nobody waits, whose
// weights need no sum. Demands of all sizes take every way through the sums.
func TestServersForAllAreADelay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		jobs := rapid.IntRange(1, 300).Draw(t, "jobs")
		n := queueing.Network{Think: rapid.SampledFrom([]float64{0, 1, 1e4}).Draw(t, "think")}
		for i := range rapid.IntRange(1, 3).Draw(t, "others") {
			n.Stations = append(n.Stations, queueing.Station{
				Demand:  math.Exp(rapid.Float64Range(-12, 12).Draw(t, fmt.Sprintf("ln demand %d", i+1))),
				Servers: rapid.IntRange(1, 40).Draw(t, fmt.Sprintf("servers %d", i+1)),
			})
		}
		demand := math.Exp(rapid.Float64Range(-12, 12).Draw(t, "ln demand"))
		at := rapid.IntRange(0, len(n.Stations)).Draw(t, "place")
		with := func(servers int) queueing.Solution {
			all := n
			all.Stations = slices.Insert(slices.Clone(n.Stations), at, queueing.Station{Demand: demand, Servers: servers})
			s, err := all.Solve(jobs)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		servers, delay := with(jobs), with(queueing.Delay)
		for i := range servers.ByPopulation {
			near(t, fmt.Sprintf("throughput of %d jobs", i+1), servers.ByPopulation[i], delay.ByPopulation[i], 1e-9)
		}
		for i := range servers.Queue {
			near(t, fmt.Sprintf("queue %d", i+1), servers.Queue[i], delay.Queue[i], 1e-6)
		}
	})
}

// fractions is G(0) … G(jobs) of stations in exact fractions. Demands are in
// milliseconds.
func fractions(milliseconds, servers []int64, jobs int) []*big.Rat {
	g := make([]*big.Rat, jobs+1)
	for i := range g {
		g[i] = new(big.Rat)
	}
	g[0].SetInt64(1)
	for k := range milliseconds {
		f := []*big.Rat{big.NewRat(1, 1)}
		for j := int64(1); j <= int64(jobs); j++ {
			f = append(f, new(big.Rat).Mul(f[j-1], big.NewRat(milliseconds[k], 1000*min(j, servers[k]))))
		}
		next := make([]*big.Rat, jobs+1)
		for n := range next {
			next[n] = new(big.Rat)
			for j := 0; j <= n; j++ {
				next[n].Add(next[n], new(big.Rat).Mul(f[j], g[n-j]))
			}
		}
		g = next
	}
	return g
}

// Loads at which mean value analysis with the probability of an idle station by
// subtraction has no digit left: there it passes the capacity or turns negative.
func TestEqualsExactFractionsUnderHeavyLoad(t *testing.T) {
	for _, c := range []struct {
		name                  string
		milliseconds, servers []int64
		jobs                  int
	}{
		{"a token service at its limit", []int64{9, 3}, []int64{4, 2}, 90},
		{"two farms of nearly the same capacity", []int64{6, 7}, []int64{16, 16}, 120},
		{"three stations, one of 32 servers", []int64{40, 2, 1}, []int64{32, 2, 1}, 90},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n queueing.Network
			for k := range c.milliseconds {
				n.Stations = append(n.Stations, queueing.Station{Demand: float64(c.milliseconds[k]) / 1000, Servers: int(c.servers[k])})
			}
			s := solve(t, n, c.jobs)
			g := fractions(c.milliseconds, c.servers, c.jobs)
			for jobs := 1; jobs <= c.jobs; jobs++ {
				want, _ := new(big.Rat).Quo(g[jobs-1], g[jobs]).Float64()
				near(t, fmt.Sprintf("throughput of %d jobs", jobs), s.ByPopulation[jobs-1], want, 1e-11)
			}
		})
	}
}
