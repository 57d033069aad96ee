package cloudwatch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CloudWatch's limits of one GetMetricData request.
const (
	maxQueries    = 500
	maxDatapoints = 100_800
)

// request is a decoded GetMetricData request.
type request struct {
	start, end    time.Time
	queries       []query
	maxDatapoints int
	ascending     bool
	nextToken     string
}

type query struct {
	id, label string
	series    seriesKey
	stat      string
	period    time.Duration
}

// result is one query's part of a page.
type result struct {
	id, label, status string
	points            []datapoint
}

// response is a page of results and the token of the next one.
type response struct {
	results   []result
	nextToken string
}

// apiError is an answer with an AWS error code; status is HTTP's.
type apiError struct {
	code, message string
	status        int
}

// Error returns the code and the message.
func (e *apiError) Error() string { return e.code + ": " + e.message }

func invalid(format string, args ...any) *apiError {
	return &apiError{"ValidationError", fmt.Sprintf(format, args...), 400}
}

// answer evaluates a request as of now.
func (s *Server) answer(r request, f Fault, now time.Time) (response, error) {
	if err := r.check(); err != nil {
		return response{}, err
	}
	first, from, err := parseToken(r.nextToken, len(r.queries))
	if err != nil {
		return response{}, err
	}
	room := maxDatapoints
	for _, limit := range []int{r.maxDatapoints, f.MaxDatapoints} {
		if limit > 0 {
			room = min(room, limit)
		}
	}
	visible := now.Add(-s.cfg.Delay - f.Late)
	var out response
	for i := first; i < len(r.queries); i++ {
		q := r.queries[i]
		points := s.evaluate(q, r, visible)
		if f.strikes(q.series.metric) && (f.Empty || f.Result != "") {
			points = nil
		}
		if i == first && !from.IsZero() {
			points = pointsFrom(points, from)
		}
		res := result{q.id, q.label, "Complete", points}
		if f.Result != "" && f.strikes(q.series.metric) {
			res.status = f.Result
		}
		if len(points) > room {
			res.points, res.status = points[:room], "PartialData"
			out.nextToken = makeToken(i, points[room].at)
			out.results = append(out.results, res)
			return out, nil
		}
		room -= len(points)
		out.results = append(out.results, res)
	}
	return out, nil
}

func (r request) check() error {
	switch {
	case len(r.queries) == 0:
		return invalid("The parameter MetricDataQueries is required.")
	case len(r.queries) > maxQueries:
		return invalid("%d metric queries are more than %d.", len(r.queries), maxQueries)
	case !r.start.Before(r.end):
		return invalid("The parameter StartTime must be less than the parameter EndTime.")
	}
	seen := make(map[string]bool)
	for _, q := range r.queries {
		if q.id == "" || seen[q.id] {
			return invalid("The Id %q is empty or not unique.", q.id)
		}
		seen[q.id] = true
		if !validPeriod(q.period) {
			return invalid("Period %s must be 1, 5, 10, 20, 30 or a multiple of 60 seconds.", q.period)
		}
		if _, known := statistics[q.stat]; !known {
			return invalid("Statistic %q is not one of those this endpoint computes: %s.", q.stat, strings.Join(statisticNames(), ", "))
		}
	}
	return nil
}

// evaluate returns a query's datapoints in the request's order. A stored point
// is visible once its whole period lies before visible.
func (s *Server) evaluate(q query, r request, visible time.Time) []datapoint {
	start := r.start
	if q.period <= time.Minute {
		start = floor(start, q.period)
	} else {
		start = floor(start, time.Minute)
	}
	var out []datapoint
	var bucket []float64
	flush := func() {
		if len(bucket) > 0 {
			out[len(out)-1].value = statistics[q.stat](bucket)
		}
	}
	for _, p := range s.store.between(q.series, start, r.end) {
		if p.at.Add(s.cfg.Period).After(visible) {
			break
		}
		at := floor(p.at, q.period)
		if len(out) == 0 || !out[len(out)-1].at.Equal(at) {
			flush()
			out, bucket = append(out, datapoint{at: at}), bucket[:0]
		}
		bucket = append(bucket, p.value)
	}
	flush()
	if !r.ascending {
		slices.Reverse(out)
	}
	return out
}

// statistics are those that follow from one value per stored period.
var statistics = map[string]func([]float64) float64{
	"Average":     func(v []float64) float64 { return sum(v) / float64(len(v)) },
	"Sum":         sum,
	"Minimum":     func(v []float64) float64 { return slices.Min(v) },
	"Maximum":     func(v []float64) float64 { return slices.Max(v) },
	"SampleCount": func(v []float64) float64 { return float64(len(v)) },
}

func sum(v []float64) float64 {
	var s float64
	for _, x := range v {
		s += x
	}
	return s
}

func statisticNames() []string {
	var names []string
	for name := range statistics {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// A token names the next query and datapoint, so that a page is stable however
// many points arrive meanwhile.
func makeToken(query int, at time.Time) string {
	return strconv.Itoa(query) + "." + strconv.FormatInt(at.Unix(), 10)
}

// pointsFrom returns the points from the one at t on, none if it is gone.
func pointsFrom(points []datapoint, t time.Time) []datapoint {
	i := slices.IndexFunc(points, func(p datapoint) bool { return p.at.Equal(t) })
	if i < 0 {
		return nil
	}
	return points[i:]
}

func parseToken(token string, queries int) (query int, at time.Time, err error) {
	if token == "" {
		return 0, time.Time{}, nil
	}
	q, t, _ := strings.Cut(token, ".")
	query, err1 := strconv.Atoi(q)
	unix, err2 := strconv.ParseInt(t, 10, 64)
	if err1 != nil || err2 != nil || query < 0 || query >= queries {
		return 0, time.Time{}, &apiError{"InvalidNextToken", "The next token specified is invalid.", 400}
	}
	return query, time.Unix(unix, 0), nil
}
