package queueing_test

import (
	"math"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/queueing"
)

// single makes stations of one server from service times in seconds and visits.
func single(service, visits []float64) []queueing.Station {
	var out []queueing.Station
	for i := range service {
		out = append(out, queueing.Station{Demand: service[i] * visits[i], Servers: 1})
	}
	return out
}

// printed compares with numbers printed to three decimals.
func printed(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= 0.001) {
			t.Errorf("%s of station %d = %.5f, the book has %v", what, i+1, got[i], want[i])
		}
	}
}

func solve(t *testing.T, n queueing.Network, jobs int) queueing.Solution {
	t.Helper()
	s, err := n.Solve(jobs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Jain, The Art of Computer Systems Performance Analysis (1991), p. 577: 20 users
// who think for 4 s, a CPU and two disks. The residence times are printed.
func TestJainTimesharing(t *testing.T) {
	n := queueing.Network{Stations: single([]float64{0.125, 0.3, 0.2}, []float64{16, 10, 5}), Think: 4}
	s := solve(t, n, 20)
	visits := []float64{16, 10, 5}
	var perVisit []float64
	for i, r := range s.Residence {
		perVisit = append(perVisit, r/visits[i])
	}
	printed(t, "response time per visit", perVisit, []float64{0.373, 4.854, 0.300})
	printed(t, "queue", s.Queue, []float64{1.991, 16.177, 0.500})
}

// Bolch et al., Queueing Networks and Markov Chains, 2nd ed. (2006), example
// 8.3: six jobs in a central-server model.
func TestBolchCentralServer(t *testing.T) {
	service, visits := []float64{0.02, 0.2, 0.4, 0.6}, []float64{1, 0.4, 0.2, 0.1}
	s := solve(t, queueing.Network{Stations: single(service, visits)}, 6)
	printed(t, "utilisation", s.Utilisation, []float64{0.198, 0.794, 0.794, 0.595})
	printed(t, "queue", s.Queue, []float64{0.244, 2.261, 2.261, 1.234})
	var perVisit []float64
	for i, r := range s.Residence {
		perVisit = append(perVisit, r/visits[i])
	}
	printed(t, "response time per visit", perVisit, []float64{0.025, 0.570, 1.140, 1.244})
}

// Bolch et al., example 8.4: three jobs, a station of two servers, two of one,
// and one at which nobody waits.
func TestBolchSeveralServersAndDelay(t *testing.T) {
	n := queueing.Network{Stations: []queueing.Station{
		{Demand: 0.5, Servers: 2}, {Demand: 0.6 * 0.5, Servers: 1}, {Demand: 0.8 * 0.5, Servers: 1}, {Demand: 1, Servers: queueing.Delay},
	}}
	s := solve(t, n, 3)
	printed(t, "queue", s.Queue, []float64{0.624, 0.473, 0.686, 1.217})
	printed(t, "throughput", []float64{s.Throughput}, []float64{1.218})
}

// Bolch et al., example 9.6: bounds for 20 users who think for 120 s.
func TestBolchBounds(t *testing.T) {
	n := queueing.Network{Stations: []queueing.Station{{Demand: 9.2, Servers: 1}, {Demand: 8, Servers: 1}}, Think: 120}
	b, err := n.Asymptotic(20)
	if err != nil {
		t.Fatal(err)
	}
	printed(t, "upper bound of the throughput", []float64{b.ThroughputHi}, []float64{0.109})
	printed(t, "lower bound of the response time", []float64{b.ResponseLo}, []float64{64})
}
