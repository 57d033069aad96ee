package report

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

const latencyKey = "solid: persistence on; dashed: persistence off; the successful requests of all windows together"

// latencyPicture draws which share of a grant's requests took at most so long, a
// line per mode. A wide range of times gets a log scale.
func latencyPicture(r Report, grant string) (picture, bool) {
	p := newPlot()
	lo, hi := math.Inf(1), math.Inf(-1)
	var lines []plot.Plotter
	var says []string
	for _, l := range r.Latencies {
		xys := latencyLine(l)
		if l.Grant != grant || len(xys) == 0 {
			continue
		}
		lo, hi = min(lo, xys[0].X), max(hi, xys[len(xys)-1].X)
		lines = append(lines, line(xys, modeRole(l.Persistence), 2, dashes(l.Persistence)))
		says = append(says, describeLatency(l))
	}
	if len(says) == 0 {
		return picture{}, false
	}
	ticks := []float64{0, 25, 50, 75, 100}
	p.Add(rules{ticks})
	p.Add(lines...)
	p.X.Min, p.X.Max = lo*0.95, hi*1.05
	p.X.Tick.Marker = labelled(ticksBetween(p.X.Min, p.X.Max), 1)
	p.X.Label.Text = "milliseconds"
	if hi > 5*lo {
		p.X.Scale = plot.LogScale{}
		p.X.Tick.Marker = labelled(logTicks(p.X.Min, p.X.Max), 1)
		p.X.Label.Text = "milliseconds (log scale)"
	}
	p.Y.Min, p.Y.Max = 0, 100
	p.Y.Tick.Marker = labelled(ticks, 1)
	return picture{
		name: fileName(grant + "-latency"), plot: p, width: figureWidth, height: figureHeight,
		label: "Latency", caption: "all windows of a mode together",
		title: "Share of requests within a time, " + grant, description: strings.Join(says, "; ") + ".",
		unit: "% of the requests", key: latencyKey,
	}, true
}

// modeRole is the colour of a mode.
func modeRole(mode string) string {
	if mode == "off" {
		return "off"
	}
	return "on"
}

// latencyLine are the points of a distribution in per cent. Half a millisecond
// stands for what was measured as 0, which a log scale cannot show.
func latencyLine(l Latency) plotter.XYs {
	var out plotter.XYs
	for i := range min(len(l.Shares), len(l.Milliseconds)) {
		x, y := max(l.Milliseconds[i], 0.5), l.Shares[i]*100
		if !(x <= 1e12) || !(y >= 0 && y <= 100) {
			continue
		}
		if len(out) == 0 {
			out = append(out, plotter.XY{X: x, Y: 0})
		}
		out = append(out, plotter.XY{X: max(x, out[len(out)-1].X), Y: y})
	}
	return out
}

// describeLatency reads a line aloud.
func describeLatency(l Latency) string {
	text := fmt.Sprintf("persistence %s, %d requests", l.Persistence, l.Requests)
	for _, p := range []struct {
		share float64
		word  string
	}{{0.5, "half"}, {0.95, "95 %"}, {0.99, "99 %"}} {
		if ms, ok := within(l, p.share); ok {
			text += fmt.Sprintf(", %s within %s ms", p.word, significant(ms))
		}
	}
	return text
}

// within is the time in which at least a share of the requests was answered.
func within(l Latency, share float64) (ms float64, ok bool) {
	for i := range min(len(l.Shares), len(l.Milliseconds)) {
		if l.Shares[i] >= share {
			return l.Milliseconds[i], true
		}
	}
	return 0, false
}

// ticksBetween are round values within a range, which is wider than nothing.
func ticksBetween(lo, hi float64) []float64 {
	size := niceStep(max((hi-lo)/4, 1e-12))
	var out []float64
	for i := math.Ceil(lo / size); i*size <= hi && len(out) < 10; i++ {
		out = append(out, i*size)
	}
	return out
}

// logTicks are 1, 2 and 5 times the powers of ten within a range above 0; where
// those are many, the powers alone.
func logTicks(lo, hi float64) []float64 {
	factors := []float64{1, 2, 5}
	if hi/lo > 2000 {
		factors = factors[:1]
	}
	var out []float64
	for e := math.Floor(math.Log10(lo)); e <= math.Log10(hi); e++ {
		for _, f := range factors {
			if v := f * math.Pow(10, e); v >= lo && v <= hi {
				out = append(out, v)
			}
		}
	}
	return out
}
