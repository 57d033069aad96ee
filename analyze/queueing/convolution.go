package queueing

import "math"

// convolution holds the logarithms of the normalisation constants of a network
// while the population grows. Times are in units of the bottleneck's, so that
// the constants grow no faster than thinking makes them.
type convolution struct {
	unit   float64 // seconds
	lnFree float64 // ln of the time in which a job waits for nobody; -Inf for none
	free   []float64
	stages []stage
}

// stage adds one station to those before it. With f(j) the weight of j jobs at
// the station,
//
//	G(n) = Σ_{j<m} f(j)·G'(n−j) + T(n)
//
// where T collects the terms in which all m servers are busy. There f falls by
// a constant factor, so T(n) = f(m)·G'(n−m) + (D/m)·T(n−1): m terms per job
// instead of n. Those are added as plain numbers around a moving base where they
// fit into a float64, and as logarithms where they do not.
type stage struct {
	weight  []float64 // ln f(0) … ln f(m)
	plain   []float64 // f(0) … f(m−1); nil where they are too large for that
	recent  []float64 // e^(ln G'(i) − base) for the last m of i
	base    float64
	lnBusy  float64   // ln (D/m)
	tail    float64   // ln T(n)
	g       []float64 // ln G(0) … ln G(n)
	station int       // in Network.Stations
}

// start prepares the convolution of all stations of a checked network but the
// one numbered without (-1 for all), for up to jobs jobs.
func (n Network) start(jobs, without int) *convolution {
	c := &convolution{unit: n.slowest()}
	if c.unit == 0 {
		c.unit = n.delay()
	}
	c.lnFree = math.Log(n.delay() / c.unit)
	for i, s := range n.Stations {
		if s.Servers == Delay || s.Demand == 0 || i == without {
			continue
		}
		c.stages = append(c.stages, newStage(s, i, c.unit, jobs))
	}
	return c
}

// newStage computes the weights of a station. More servers than jobs are never
// busy, so they are left out.
func newStage(s Station, index int, unit float64, jobs int) stage {
	m := min(s.Servers, jobs)
	lnDemand := math.Log(s.Demand / unit)
	weight := make([]float64, m+1)
	for j := 1; j <= m; j++ {
		weight[j] = weight[j-1] + lnDemand - math.Log(float64(j))
	}
	return stage{weight: weight, plain: plain(weight[:m]), lnBusy: lnDemand - math.Log(float64(m)), tail: math.Inf(-1), station: index}
}

// plain numbers are added many times faster than logarithms. largestPlain and
// reach keep what they may lose, numbers too small for a float64, below e^-400 of
// the sum.
const (
	largestPlain = 200 // ln of a weight
	reach        = 100 // of the base, in logarithms
)

func plain(weight []float64) []float64 {
	out := make([]float64, len(weight))
	for j, w := range weight {
		if w > largestPlain {
			return nil
		}
		out[j] = math.Exp(w)
	}
	return out
}

// at is ln f(j).
func (s *stage) at(j int) float64 {
	m := len(s.weight) - 1
	if j <= m {
		return s.weight[j]
	}
	return s.weight[m] + float64(j-m)*s.lnBusy
}

// next adds one job and returns ln G of the whole network.
func (c *convolution) next() float64 {
	n := len(c.free)
	switch n {
	case 0:
		c.free = append(c.free, 0)
	default:
		c.free = append(c.free, c.free[n-1]+c.lnFree-math.Log(float64(n)))
	}
	before := c.free
	for i := range c.stages {
		c.stages[i].next(before)
		before = c.stages[i].g
	}
	return before[n]
}

// next adds ln G(n) of the stations up to this one, given those before it.
func (s *stage) next(before []float64) {
	n, m := len(s.g), len(s.weight)-1
	if n >= m {
		s.tail = addLogs(s.weight[m]+before[n-m], s.lnBusy+s.tail)
	}
	s.g = append(s.g, addLogs(s.idle(before, n, min(n+1, m)), s.tail))
}

// idle is ln of the sum over the first few j, at which a server is idle.
func (s *stage) idle(before []float64, n, few int) float64 {
	s.recent = append(s.recent, math.Exp(before[n]-s.base))
	if s.plain != nil && !math.IsInf(before[n], -1) {
		if math.Abs(before[n]-s.base) > reach {
			s.base = before[n]
			for i := n - few + 1; i <= n; i++ {
				s.recent[i] = math.Exp(before[i] - s.base)
			}
		}
		sum := 0.0
		for j, f := range s.plain[:few] {
			sum += f * s.recent[n-j]
		}
		// Beyond the largest float64, or with 0 times that, only logarithms help.
		if sum > 0 && sum <= math.MaxFloat64 {
			return s.base + math.Log(sum)
		}
	}
	largest := math.Inf(-1)
	for j := range few {
		largest = max(largest, s.weight[j]+before[n-j])
	}
	if math.IsInf(largest, -1) {
		return largest
	}
	sum := 0.0
	for j := range few {
		sum += math.Exp(s.weight[j] + before[n-j] - largest)
	}
	return largest + math.Log(sum)
}

// constants returns ln G(0) … ln G(jobs).
func (c *convolution) constants(jobs int) []float64 {
	out := make([]float64, jobs+1)
	for n := range out {
		out[n] = c.next()
	}
	return out
}

// addLogs is ln(e^a + e^b).
func addLogs(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}
