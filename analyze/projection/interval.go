package projection

import (
	"math"
	"math/rand/v2"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/stats"
)

// centre is the geometric mean of values above 0, and the arithmetic mean where
// a value is 0. A constant is returned as it is.
func centre(values []float64) float64 {
	logs, err := stats.Logs(values)
	if err != nil {
		return mean(values)
	}
	constant := true
	for _, v := range values {
		constant = constant && v == values[0]
	}
	if constant {
		return values[0]
	}
	return math.Exp(mean(logs))
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// contrast draws weights for k runs such that Σ w[i]·x[i] is distributed as the
// error of the mean of x under Student's t with k−1 degrees of freedom. One
// draw for all quantities of the same runs keeps the dependence between them:
// a run that was slow in everything is one event.
func contrast(k int, random *rand.Rand) []float64 {
	w := make([]float64, k)
	average := 0.0
	for i := range w {
		w[i] = random.NormFloat64()
		average += w[i] / float64(k)
	}
	chi := 0.0
	for range k - 1 {
		z := random.NormFloat64()
		chi += z * z
	}
	scale := 1 / math.Sqrt(float64(k)*chi)
	for i := range w {
		w[i] = (w[i] - average) * scale
	}
	return w
}

func dot(w, x []float64) float64 {
	sum := 0.0
	for i := range w {
		sum += w[i] * x[i]
	}
	return sum
}

// mostShift bounds a draw of a logarithm: with two runs Student's t has no
// variance, and e^30 of a demand is as good as infinite.
const mostShift = 30

// draw moves the model within what its runs allow: once with the longest delay
// that the measurements allow, once with the shortest.
func (m mode) draw(w []float64) (slow, fast quantities) {
	shift := func(centre float64, values []float64) float64 {
		logs, err := stats.Logs(values)
		if err != nil {
			return max(0, centre+dot(w, values))
		}
		return centre * math.Exp(min(max(dot(w, logs), -mostShift), mostShift))
	}
	slow = quantities{apim: shift(m.centre.apim, m.pick(sample.apimDemand))}
	if m.database {
		slow.database = shift(m.centre.database, m.pick(sample.databaseDemand))
	}
	fast = slow
	if m.fitted > 0 {
		delay := min(max(0, m.fitted+dot(w, m.delays)), 1e6*m.response)
		slow.delay, fast.delay = delay, delay*min(m.shortest/m.fitted, 1)
		if !m.queues() {
			slow.delay = min(delay, m.ceiling)
			fast.delay = min(fast.delay, slow.delay)
		}
	}
	return slow, fast
}

// paired says whether two modes have one run each in the same blocks, so that
// what disturbed a block disturbed both.
func paired(on, off mode) bool {
	if len(on.samples) != len(off.samples) {
		return false
	}
	for i, s := range on.samples {
		if s.block == 0 || s.block != off.samples[i].block || (i > 0 && s.block == on.samples[i-1].block) {
			return false
		}
	}
	return true
}

// draws are the outcomes of the Monte Carlo for one mode, with the longest and
// with the shortest delay.
type draws struct{ slow, fast outcomes }

type outcomes struct{ throughput, response, apimBusy, databaseBusy []float64 }

func (d *outcomes) add(o outcome) {
	d.throughput = append(d.throughput, o.throughput)
	d.response = append(d.response, o.response)
	d.apimBusy = append(d.apimBusy, o.apimBusy)
	d.databaseBusy = append(d.databaseBusy, o.databaseBusy)
}

// add solves the network of one draw with both delays.
func (d *draws) add(m mode, w []float64, h report.Hardware) (slow, fast float64, err error) {
	a, b := m.draw(w)
	x, err := predict(a, h)
	if err != nil {
		return 0, 0, err
	}
	y := x
	if a != b {
		if y, err = predict(b, h); err != nil {
			return 0, 0, err
		}
	}
	d.slow.add(x)
	d.fast.add(y)
	return x.throughput, y.throughput, nil
}

// simulate solves the projected network for n draws of both modes. least and
// most are the throughput off / on of each draw, with those delays on either
// side that make it smallest and largest.
func simulate(on, off mode, h report.Hardware, n int, seed uint64) (a, b draws, least, most []float64, err error) {
	random := rand.New(rand.NewPCG(seed, uint64(len(on.samples))<<32|uint64(len(off.samples))))
	together := paired(on, off)
	for range n {
		w := contrast(len(on.samples), random)
		v := w
		if !together {
			v = contrast(len(off.samples), random)
		}
		slowOn, fastOn, err := a.add(on, w, h)
		if err != nil {
			return a, b, nil, nil, err
		}
		slowOff, fastOff, err := b.add(off, v, h)
		if err != nil {
			return a, b, nil, nil, err
		}
		least, most = append(least, slowOff/fastOn), append(most, fastOff/slowOn)
	}
	return a, b, least, most, nil
}

// interval puts a lower quantile of the lower draws and an upper quantile of the
// upper ones around an estimate. Without draws there is no interval.
func interval(estimate, scale float64, lower, upper []float64) report.Interval {
	out := report.Interval{Estimate: number(estimate * scale)}
	if q, err := stats.Quantile(lower, (1-level)/2, stats.Type7); err == nil {
		out.Lo = number(q * scale)
	}
	if q, err := stats.Quantile(upper, (1+level)/2, stats.Type7); err == nil {
		out.Hi = number(q * scale)
	}
	return out
}

// runLevel is the t interval of a quantity over its runs, around a given centre.
func runLevel(centre, scale float64, values []float64) report.Interval {
	out := report.Interval{Estimate: number(centre * scale)}
	if logs, err := stats.Logs(values); err == nil {
		if e, err := stats.MeanT(logs, level); err == nil {
			e = e.Exp()
			out.Lo, out.Hi = number(e.Lo*scale), number(e.Hi*scale)
		}
	}
	return out
}
