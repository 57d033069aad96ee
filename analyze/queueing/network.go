package queueing

import (
	"errors"
	"fmt"
	"math"
)

// Delay as Station.Servers is a station at which nobody waits: a network, a
// sleep, a user who thinks.
const Delay = -1

// MostJobs and MostServers bound what is solved: time grows with jobs × servers,
// and memory with jobs.
const (
	MostJobs    = 1_000_000
	MostServers = 100_000
)

// ErrArgument is a network or population that cannot be solved.
var ErrArgument = errors.New("argument out of range")

// Station is a place at which jobs spend time.
type Station struct {
	Demand  float64 // seconds of one server that a job needs, all its visits together
	Servers int     // at least 1, or Delay
}

// Network is a closed network: every job visits every station and then thinks.
type Network struct {
	Stations []Station
	Think    float64 // seconds between an answer and the next request
}

// Solution is the steady state of a network with a number of jobs. Lists follow
// the order of Network.Stations.
type Solution struct {
	Jobs         int
	Throughput   float64   // jobs per second
	Response     float64   // seconds at all stations together, thinking excluded
	Residence    []float64 // seconds per job at each station, waiting included
	Queue        []float64 // mean number of jobs at each station, those in service included
	Utilisation  []float64 // share of its servers that is busy; 0 for Delay, which has no limit
	ByPopulation []float64 // throughput with 1, 2, … Jobs jobs
}

// check refuses what has no steady state.
func (n Network) check(jobs int) error {
	if jobs < 1 || jobs > MostJobs {
		return fmt.Errorf("%w: %d jobs, 1 to %d can be solved", ErrArgument, jobs, MostJobs)
	}
	if !(n.Think >= 0) || math.IsInf(n.Think, 0) {
		return fmt.Errorf("%w: a think time of %v s", ErrArgument, n.Think)
	}
	total := n.Think
	for i, s := range n.Stations {
		if !(s.Demand >= 0) || math.IsInf(s.Demand, 0) {
			return fmt.Errorf("%w: station %d has a demand of %v s", ErrArgument, i+1, s.Demand)
		}
		if s.Servers != Delay && (s.Servers < 1 || s.Servers > MostServers) {
			return fmt.Errorf("%w: station %d has %d servers, give 1 to %d, or Delay", ErrArgument, i+1, s.Servers, MostServers)
		}
		total += s.Demand
	}
	if !(total > 0) || math.IsInf(total, 0) {
		return fmt.Errorf("%w: a job takes %v s at all stations together", ErrArgument, total)
	}
	return nil
}

// delay is the time in which a job waits for nobody: thinking and all stations
// with unlimited servers.
func (n Network) delay() float64 {
	sum := n.Think
	for _, s := range n.Stations {
		if s.Servers == Delay {
			sum += s.Demand
		}
	}
	return sum
}

// slowest is the largest demand per server: the time between two jobs leaving
// the bottleneck when it is never idle. 0 when nothing queues.
func (n Network) slowest() float64 {
	most := 0.0
	for _, s := range n.Stations {
		if s.Servers != Delay {
			most = max(most, s.Demand/float64(s.Servers))
		}
	}
	return most
}

// Capacity is the throughput in jobs per second that no number of jobs can pass;
// infinite when nothing queues.
func (n Network) Capacity() float64 { return 1 / n.slowest() }
