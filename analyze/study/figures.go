package study

import (
	"fmt"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
)

// mostBins bounds the points of a throughput line: a plot cannot show more, and
// the report should stay small.
const mostBins = 240

// figures are the plots of every grant: the three that the published page shows
// and throughput, each window a line over the seconds since its start. Warm-up
// is included here, and only here.
func figures(runs []run, o Options) []report.Figure {
	out := []report.Figure{}
	for start := 0; start < len(runs); {
		end := start + 1
		for end < len(runs) && runs[end].Window.Grant == runs[start].Window.Grant {
			end++
		}
		width := binWidth(runs[start:end])
		for _, m := range metrics() {
			if m.effect != asRatio || len(m.series) == 0 || perToken(m.id) {
				continue
			}
			f := report.Figure{Grant: runs[start].Window.Grant, Metric: m.id, Label: m.label, Unit: m.unit, Warmup: o.Warmup.Seconds()}
			if m.id == throughput && width > 1 {
				f.Label = fmt.Sprintf("%s, means over %d s", m.label, width)
			}
			for _, r := range runs[start:end] {
				line := gaugeLine(r, m.series[0])
				if m.id == throughput {
					line = throughputLine(r, width)
				}
				if len(line.Seconds) > 0 {
					f.Lines = append(f.Lines, line)
				}
			}
			if len(f.Lines) > 0 {
				out = append(out, f)
			}
		}
		start = end
	}
	return out
}

// binWidth is the number of seconds that one point of a grant's throughput
// lines stands for.
func binWidth(runs []run) int {
	longest := 0
	for _, r := range runs {
		longest = max(longest, int(r.Window.End.Sub(r.Window.Start)/time.Second))
	}
	return max(1, (longest+mostBins-1)/mostBins)
}

func newLine(r run) report.Line {
	return report.Line{Persistence: string(r.Window.Mode), Block: r.Window.Block, Seconds: []float64{}, Values: []float64{}}
}

// add draws a value at a time since the window's start, unless it is no number.
func add(line *report.Line, at time.Duration, value float64) {
	if number(value) == nil {
		return
	}
	line.Seconds = append(line.Seconds, at.Seconds())
	line.Values = append(line.Values, value)
}

// throughputLine draws successes per second at the middle of each bin. A last
// bin that is not full is left out.
func throughputLine(r run, width int) report.Line {
	line := newLine(r)
	if r.Requests == nil {
		for _, in := range r.Series[source.EndpointRequests].Intervals {
			if length := in.To.Sub(in.From); length > 0 {
				add(&line, in.From.Sub(r.Window.Start)+length/2, in.Increase/length.Seconds())
			}
		}
		return line
	}
	bins := seconds(r.Run, span{r.Window.Start, r.Window.End})
	for i := 0; i+width <= len(bins); i += width {
		sum := uint64(0)
		for _, b := range bins[i : i+width] {
			sum += b.Successes
		}
		line.Seconds = append(line.Seconds, float64(i)+float64(width)/2)
		line.Values = append(line.Values, float64(sum)/float64(width))
	}
	return line
}

// gaugeLine draws the points that lie wholly in the window, each at the middle
// of the time it covers.
func gaugeLine(r run, series string) report.Line {
	line := newLine(r)
	s := r.Series[series]
	window := span{r.Window.Start, r.Window.End}
	for _, p := range s.Points {
		if window.holds(p.Time, p.Time.Add(s.Step)) {
			add(&line, p.Time.Sub(r.Window.Start)+s.Step/2, p.Value)
		}
	}
	return line
}
