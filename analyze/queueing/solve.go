package queueing

import "math"

// Throughput is the number of jobs per second that leave the network, in steady
// state. It stops early where one more job no longer changes anything, so it is
// the function to call often. Errors are ErrArgument.
func (n Network) Throughput(jobs int) (float64, error) {
	if err := n.check(jobs); err != nil {
		return 0, err
	}
	c := n.start(jobs, -1)
	last, x := c.next(), 0.0
	for range jobs {
		g := c.next()
		x, last = math.Exp(last-g), g
		// Throughput rises with the population and never passes the capacity.
		if len(c.stages) > 0 && x >= 1-saturated {
			break
		}
	}
	return n.scaled(x, c), nil
}

// saturated is how near to the capacity, as a share, counts as having reached it.
const saturated = 1e-12

// scaled turns jobs per unit of the convolution into jobs per second. Rounding
// must not pass the capacity.
func (n Network) scaled(x float64, c *convolution) float64 {
	return min(x/c.unit, n.Capacity())
}

// Solve computes the whole steady state with a number of jobs. Errors are
// ErrArgument.
func (n Network) Solve(jobs int) (Solution, error) {
	if err := n.check(jobs); err != nil {
		return Solution{}, err
	}
	c := n.start(jobs, -1)
	g := c.constants(jobs)
	s := Solution{
		Jobs:         jobs,
		Residence:    make([]float64, len(n.Stations)),
		Queue:        make([]float64, len(n.Stations)),
		Utilisation:  make([]float64, len(n.Stations)),
		ByPopulation: make([]float64, jobs),
	}
	for i := range s.ByPopulation {
		s.ByPopulation[i] = n.scaled(math.Exp(g[i]-g[i+1]), c)
	}
	s.Throughput = s.ByPopulation[jobs-1]
	for i := range c.stages {
		k := c.stages[i].station
		s.Queue[k] = queue(&c.stages[i], n.start(jobs, k).constants(jobs), g[jobs])
	}
	for i, station := range n.Stations {
		if station.Servers == Delay {
			s.Queue[i] = s.Throughput * station.Demand
		} else {
			s.Utilisation[i] = min(1, Utilisation(s.Throughput, station.Demand, station.Servers))
		}
		s.Residence[i] = s.Queue[i] / s.Throughput
		s.Response += s.Residence[i]
	}
	return s, nil
}

// queue is the mean number of jobs at a station: others holds ln G of the network
// without it, whole is ln G of all of it.
func queue(s *stage, others []float64, whole float64) float64 {
	jobs := len(others) - 1
	sum := 0.0
	for j := 1; j <= jobs; j++ {
		sum += float64(j) * math.Exp(s.at(j)+others[jobs-j]-whole)
	}
	return sum
}
