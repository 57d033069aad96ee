package queueing

import "fmt"

// Bounds hold throughput and response time of a network whatever its
// distributions are like within the assumptions named at the function.
type Bounds struct {
	ThroughputLo, ThroughputHi float64 // jobs per second
	ResponseLo, ResponseHi     float64 // seconds
	// Knee is the number of jobs from which some must wait: below it the network
	// is light, above it the bottleneck decides. Infinite when nothing queues.
	Knee float64
}

// Asymptotic bounds the network with a number of jobs. The upper bound of the
// throughput and the lower of the response time are operational laws and assume
// nothing; the other two let every job find all others before it at every
// station, and hold for product-form networks (Lazowska 1984, ch. 5, with
// demands per server where a station has several). Errors are ErrArgument.
func (n Network) Asymptotic(jobs int) (Bounds, error) {
	if err := n.check(jobs); err != nil {
		return Bounds{}, err
	}
	alone, ahead := 0.0, 0.0
	for _, s := range n.Stations {
		alone += s.Demand
		if s.Servers != Delay {
			ahead += s.Demand / float64(s.Servers)
		}
	}
	population, slowest := float64(jobs), n.slowest()
	b := Bounds{
		ResponseLo: max(alone, population*slowest-n.Think),
		ResponseHi: alone + (population-1)*ahead,
		Knee:       (alone + n.Think) / slowest,
	}
	b.ThroughputHi = min(n.Capacity(), population/(alone+n.Think))
	b.ThroughputLo = population / (b.ResponseHi + n.Think)
	return b, nil
}

// BalancedJob bounds the network more tightly, by networks with the same total
// demand spread evenly and piled up (Zahorjan, Sevcik, Eager and Galler, CACM
// 25:134, 1982; Lazowska 1984, table 5.2). They are for product-form networks
// whose stations have one server each; another is ErrArgument.
func (n Network) BalancedJob(jobs int) (Bounds, error) {
	b, err := n.Asymptotic(jobs)
	if err != nil {
		return b, err
	}
	total, stations := 0.0, 0.0
	for i, s := range n.Stations {
		switch {
		case s.Servers > 1:
			return Bounds{}, fmt.Errorf("%w: station %d has %d servers, balanced job bounds are for one", ErrArgument, i+1, s.Servers)
		case s.Servers == 1 && s.Demand > 0:
			total += s.Demand
			stations++
		}
	}
	if stations == 0 {
		return b, nil
	}
	population, others, free := float64(jobs), float64(jobs-1), n.delay()
	even := total + others*(total/stations)/(1+free/total)
	piled := total + others*n.slowest()/(1+free/(population*total))
	b.ThroughputHi = min(b.ThroughputHi, population/(free+even))
	b.ThroughputLo = max(b.ThroughputLo, population/(free+piled))
	b.ResponseLo = max(b.ResponseLo, population/b.ThroughputHi-n.Think)
	b.ResponseHi = min(b.ResponseHi, population/b.ThroughputLo-n.Think)
	return b, nil
}
