package study

import (
	"errors"
	"fmt"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/report"
	"github.com/tokenpersistence/toolkit/analyze/source"
)

// demand measures what one token costs: by the utilisation law D = U·m/X, with
// the mean U of a series, the factor m that turns it into an amount per second,
// and the rate X of successful tokens. Both are taken over the same time: that
// of the points which lie wholly in the measured part and of which the requests
// are known.
func demand(name string, factor func(report.Environment) (float64, error)) func(source.Run, span, Options) (measure, error) {
	return func(r source.Run, s span, o Options) (measure, error) {
		series, ok := r.Series[name]
		if !ok {
			return measure{}, errors.New("no series")
		}
		perSecond, err := factor(o.Environment)
		if err != nil {
			return measure{}, err
		}
		if s.length() <= 0 {
			return measure{}, errTooShort
		}
		m := measure{}
		if missing := missingPoints(series, s); missing != "" {
			m.cap = name + ": " + missing
		}
		amount := 0.0
		for _, p := range series.Points {
			end := p.Time.Add(series.Step)
			if series.Step <= 0 || !s.holds(p.Time, end) {
				continue
			}
			if tokens, known := issued(r, p.Time, end); known {
				spent := perSecond * p.Value * series.Step.Seconds()
				amount += spent
				m.tokens += tokens
				m.n++
				if tokens > 0 {
					m.parts = append(m.parts, spent/tokens)
				}
			}
		}
		if m.n == 0 {
			return measure{}, errNoSample
		}
		if m.tokens == 0 {
			return measure{}, errors.New("no token was issued while the series was sampled")
		}
		m.value = amount / m.tokens
		return m, nil
	}
}

// apimCores, databaseCores and once are the factors of demand: core-milliseconds
// per second of a busy host, and operations per second as they are.
func apimCores(e report.Environment) (float64, error) {
	return coreMS(e.APIManager, "the API Manager's core count is unknown: set environment.apim.vcpus")
}

func databaseCores(e report.Environment) (float64, error) {
	return coreMS(e.Database, "the database's core count is unknown: set environment.database.vcpus")
}

func once(report.Environment) (float64, error) { return 1, nil }

func coreMS(h report.Host, unknown string) (float64, error) {
	if h.VCPUs <= 0 {
		return 0, errors.New(unknown)
	}
	return 1000 * float64(h.VCPUs), nil
}

// issued counts the successful tokens of a stretch of a window. A second or an
// increment that reaches out of it counts by the part inside, as if its tokens
// were spread evenly. known is false where the requests of some of the stretch
// were not counted.
func issued(r source.Run, from, to time.Time) (tokens float64, known bool) {
	if r.Requests == nil {
		return counted(r.Series[source.EndpointRequests].Intervals, from, to)
	}
	start, end := from.Sub(r.Window.Start), to.Sub(r.Window.Start)
	if start < 0 || end > r.Window.End.Sub(r.Window.Start).Truncate(time.Second) {
		return 0, false
	}
	for i := int(start / time.Second); i < len(r.Requests.Seconds); i++ {
		second := time.Duration(i) * time.Second
		if second >= end {
			break
		}
		inside := min(end, second+time.Second) - max(start, second)
		tokens += float64(r.Requests.Seconds[i].Successes) * inside.Seconds()
	}
	return tokens, true
}

func counted(intervals []source.Interval, from, to time.Time) (tokens float64, known bool) {
	var covered time.Duration
	for _, in := range intervals {
		a, b := in.From, in.To
		if a.Before(from) {
			a = from
		}
		if b.After(to) {
			b = to
		}
		if inside := b.Sub(a); inside > 0 {
			tokens += in.Increase * inside.Seconds() / in.To.Sub(in.From).Seconds()
			covered += inside
		}
	}
	return tokens, covered >= to.Sub(from)
}

// missingPoints says that a gauge is known to lack points in the measured part:
// the grid on which the others lie has room for more, between them or at its
// edges. Points at an edge may be as early or late as those between them.
func missingPoints(series source.Series, s span) string {
	if series.Step <= 0 {
		return ""
	}
	var jitter time.Duration
	var first, last time.Time
	have, missing := 0, 0
	for _, p := range series.Points {
		if !s.holds(p.Time, p.Time.Add(series.Step)) {
			continue
		}
		if have > 0 {
			distance := p.Time.Sub(last)
			if distance > series.Step+series.Step/4 {
				missing += max(1, int((distance+series.Step/2)/series.Step)-1)
			} else {
				jitter = max(jitter, (distance - series.Step).Abs())
			}
		} else {
			first = p.Time
		}
		last = p.Time
		have++
	}
	if have == 0 {
		return ""
	}
	for _, edge := range []time.Duration{first.Sub(s.from), s.to.Sub(last.Add(series.Step))} {
		missing += int(max(0, edge-2*jitter) / series.Step)
	}
	if missing == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d points are missing", missing, have+missing)
}

// otherRequests says that a result file holds requests besides the tokens: the
// hosts worked for them too.
func (r run) otherRequests() string {
	q := r.Requests
	if q == nil || q.Counted+q.BadRows >= q.Rows {
		return ""
	}
	others := q.Rows - q.Counted - q.BadRows
	if float64(others) <= highOthers*float64(q.Rows) {
		return ""
	}
	return fmt.Sprintf("%d of %d rows are other requests, whose work is in the cost per token too: measure token requests alone", others, q.Rows)
}
