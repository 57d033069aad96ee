package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Work is what statements used.
type Work struct {
	Executions  float64
	Seconds     float64 // from begin to end, waiting included
	LockSeconds float64 // of these, waiting for locks
	CPUSeconds  float64 // of a processor; 0 where the server does not measure it
}

// plus adds other work.
func (w Work) plus(o Work) Work {
	return Work{w.Executions + o.Executions, w.Seconds + o.Seconds, w.LockSeconds + o.LockSeconds, w.CPUSeconds + o.CPUSeconds}
}

// Usage is what our exporter counted in one window: amounts between From and
// To, the first and the last reading of the statement summaries in it. The
// exporter reads them once a minute, so tokens are counted over the time of the
// readings and not over that of the window.
type Usage struct {
	From, To time.Time
	Readings int           // intervals between readings; 0 when there is nothing
	Gap      time.Duration // the longest of them
	Step     time.Duration // the median

	Tokens         float64         // successful token requests, at their mean rate where Uncovered
	Introspections float64         // successful introspections
	Uncovered      time.Duration   // of From to To, without a count of tokens
	Kinds          map[string]Work // token statements by kind
	Purposes       map[string]string
	All            Work    // statements of all clients
	CPUMeasured    bool    // whether the server measures the processor time of statements
	Unattributed   float64 // executions of no known kind
	Uncounted      float64 // executions that the summaries do not hold; near 0 is noise, since counts are not read at one moment
	Resets         int     // of a counter: the exporter was restarted

	Rows  map[string]float64 // token rows seen, by grant type
	Modes map[string]float64 // API Manager nodes by the mode that their logs say, at the end
	// InvalidTokensIndex tells whether the revocation look-up of persistence off
	// has an index; nil when the exporter does not say.
	InvalidTokensIndex *bool
}

// Plus adds the usage of another window. From and To become the ends of both.
func (u Usage) Plus(o Usage) Usage {
	if u.Readings == 0 {
		return o
	}
	if o.Readings == 0 {
		return u
	}
	sum := u
	sum.From, sum.To = earlier(u.From, o.From), later(u.To, o.To)
	sum.Readings, sum.Resets = u.Readings+o.Readings, u.Resets+o.Resets
	sum.Gap, sum.Step, sum.Uncovered = max(u.Gap, o.Gap), max(u.Step, o.Step), u.Uncovered+o.Uncovered
	sum.Tokens, sum.Introspections = u.Tokens+o.Tokens, u.Introspections+o.Introspections
	sum.All, sum.CPUMeasured = u.All.plus(o.All), u.CPUMeasured && o.CPUMeasured
	sum.Unattributed, sum.Uncounted = u.Unattributed+o.Unattributed, u.Uncounted+o.Uncounted
	sum.Kinds, sum.Rows = maps.Clone(u.Kinds), maps.Clone(u.Rows)
	sum.Purposes, sum.Modes = maps.Clone(u.Purposes), maps.Clone(o.Modes)
	for kind, w := range o.Kinds {
		sum.Kinds[kind] = sum.Kinds[kind].plus(w)
		sum.Purposes[kind] = o.Purposes[kind]
	}
	for grant, n := range o.Rows {
		sum.Rows[grant] += n
	}
	if o.InvalidTokensIndex != nil {
		sum.InvalidTokensIndex = o.InvalidTokensIndex
	}
	return sum
}

// ReadUsage reads what our exporter counted in every window of a spec, after its
// warm-up, in the order of the windows. Only sources that hold the exporter's own
// families can answer: prometheus and tsdb with profile exporter; another is a
// *SpecError. A window without them has no Readings, and a Problem says why.
func ReadUsage(ctx context.Context, spec Spec) ([]Usage, []Input, []Problem, error) {
	if spec.Kind != "prometheus" && spec.Kind != "tsdb" || spec.Profile != "" && spec.Profile != "exporter" {
		return nil, nil, nil, &SpecError{"what statements cost is read from our exporter: give a source of kind prometheus or tsdb with profile exporter"}
	}
	var out []Usage
	var inputs []Input
	var problems []Problem
	spec.begin()
	err := withDatabase(ctx, spec, func(db database) error {
		for i, w := range spec.Windows {
			w.Start = w.Start.Add(spec.Warmup)
			r := &windowReader{spec: spec, window: w, index: i, db: db, seen: map[string]answer{}, series: map[string]Series{}, queries: usageQueries}
			u, err := r.usage(ctx)
			if err != nil {
				return err
			}
			r.finish()
			out, inputs, problems = append(out, u), append(inputs, r.inputs...), append(problems, r.problems...)
		}
		return nil
	})
	return out, inputs, problems, err
}

// withDatabase opens the source of a spec for as long as use runs.
func withDatabase(ctx context.Context, spec Spec, use func(database) error) (err error) {
	if spec.Kind == "prometheus" {
		db, done, err := dial(ctx, spec)
		if err != nil {
			return err
		}
		defer done()
		return use(db)
	}
	db, err := openTSDB(spec.path(spec.TSDB))
	if err != nil {
		return fmt.Errorf("open the TSDB directory %s: %w", spec.TSDB, err)
	}
	defer func() { err = errors.Join(err, db.close()) }()
	return use(db)
}

// usageQueries is about how many queries one window takes, for the progress.
const usageQueries = 15

// usageRow is the row of everything that usage asks for.
var usageRow = row{series: "statements", kind: counted}

// usage reads one window.
func (r *windowReader) usage(ctx context.Context) (Usage, error) {
	u := Usage{Kinds: map[string]Work{}, Purposes: map[string]string{}, Rows: map[string]float64{}, Modes: map[string]float64{}}
	stamps, err := r.exporterSeries(ctx, "wso2_token_statement_read_timestamp_seconds")
	switch {
	case err != nil:
		return u, err
	case len(stamps) == 0:
		if !r.explained[usageRow.series] {
			r.explain(usageRow.series, "missing-data", "no samples of wso2_token_statement_read_timestamp_seconds: is the exporter's collector statements on, do the matchers fit, does the range hold data?")
		}
		return u, nil
	case len(stamps) > 1:
		// Two exporters at one database count the same statements.
		r.explain(usageRow.series, "ambiguous", fmt.Sprintf("%d exporters read statement summaries, and if that is one database they count the same: add matchers until one is left (source.matchers, or --match instance=HOST:9851); of several nodes one exporter reads the database, the others their logs", len(stamps)))
		return u, nil
	}
	read := newReadings(stamps[0].samples, r.window.Start, r.window.End)
	u.Readings, u.Gap, u.Step = read.intervals()
	if u.Readings == 0 {
		r.explain(usageRow.series, "missing-data", "fewer than two readings of the statement summaries lie in the range: give a longer one (the exporter reads every --collector.statements.interval)")
		return u, nil
	}
	u.From, u.To = ms(read.at[0]), ms(read.at[len(read.at)-1])
	for _, part := range []func(context.Context, readings, *Usage) error{r.statements, r.requested, r.facts} {
		if err := part(ctx, read, &u); err != nil {
			return u, err
		}
	}
	return u, nil
}

// exporterSeries fetches a family of the exporter.
func (r *windowReader) exporterSeries(ctx context.Context, metric string, matches ...match) ([]rawSeries, error) {
	return r.fetch(ctx, usageRow, selector{metric, matches}.with(r.spec.Matchers).String(), r.window.End)
}

// statements adds the counters of the summaries.
func (r *windowReader) statements(ctx context.Context, read readings, u *Usage) error {
	for _, c := range []struct {
		resource string
		field    func(*Work) *float64
	}{
		{"executions_total", func(w *Work) *float64 { return &w.Executions }},
		{"seconds_total", func(w *Work) *float64 { return &w.Seconds }},
		{"lock_seconds_total", func(w *Work) *float64 { return &w.LockSeconds }},
		{"cpu_seconds_total", func(w *Work) *float64 { return &w.CPUSeconds }},
	} {
		kinds, err := r.exporterSeries(ctx, "wso2_token_statement_"+c.resource)
		if err != nil {
			return err
		}
		for _, s := range kinds {
			kind, w := s.labels["kind"], u.Kinds[s.labels["kind"]]
			*c.field(&w) += read.rise(s, u)
			u.Kinds[kind], u.Purposes[kind] = w, s.labels["purpose"]
		}
		all, err := r.exporterSeries(ctx, "mysql_statement_"+c.resource)
		if err != nil {
			return err
		}
		for _, s := range all {
			*c.field(&u.All) += read.rise(s, u)
		}
	}
	u.CPUMeasured = u.All.CPUSeconds > 0
	missing, err := r.exporterSeries(ctx, "wso2_token_statement_unattributed_total")
	for _, s := range missing {
		if s.labels["reason"] == "uncounted" {
			u.Uncounted += read.rise(s, u)
		} else {
			u.Unattributed += read.rise(s, u)
		}
	}
	return err
}

// requested adds the requests to the endpoints between the readings.
func (r *windowReader) requested(ctx context.Context, _ readings, u *Usage) error {
	rows, _, err := rowsOf(r.spec)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rows, func(r row) bool { return r.series == EndpointRequests })
	tokens, err := r.counter(ctx, rows[i])
	if err != nil {
		return err
	}
	var covered time.Duration
	u.Tokens, covered = inside(tokens.Intervals, u.From, u.To)
	u.Uncovered = u.To.Sub(u.From) - covered
	if covered > 0 { // statements are divided by tokens: both have to be of the same time
		u.Tokens *= float64(u.To.Sub(u.From)) / float64(covered)
	}
	u.Resets += tokens.Resets
	introspections := row{
		series: "introspections", kind: counted, clock: endpointClock.with(r.spec.Matchers),
		query: selector{"wso2_token_endpoint_requests_total", []match{{"endpoint", "=", "introspect"}, {"code", "=", "2xx"}}}.with(r.spec.Matchers),
	}
	others, err := r.counter(ctx, introspections)
	u.Introspections, _ = inside(others.Intervals, u.From, u.To)
	return err
}

// facts adds what is known about grants, mode and schema.
func (r *windowReader) facts(ctx context.Context, _ readings, u *Usage) error {
	rows, err := r.exporterSeries(ctx, "wso2_token_rows_observed_total")
	if err != nil {
		return err
	}
	for _, s := range rows {
		rises, _ := increments(s.samples, r.window.Start.UnixMilli(), r.window.End.UnixMilli())
		for _, in := range rises {
			u.Rows[s.labels["grant_type"]] += in.Increase
		}
	}
	modes, err := r.exporterSeries(ctx, "wso2_token_persistence_log_mode")
	if err != nil {
		return err
	}
	for _, s := range modes {
		u.Modes[s.labels["mode"]] += s.samples[len(s.samples)-1].v
	}
	indexes, err := r.exporterSeries(ctx, "wso2_token_schema_index_present", match{"table", "=", "IDN_INVALID_TOKENS"}, match{"index", "=", "IDX_TOKEN_CONSUMER"})
	for _, s := range indexes {
		there := s.samples[len(s.samples)-1].v == 1
		u.InvalidTokensIndex = &there
	}
	return err
}

// inside is what of an interval series lies between two times, and how much of
// the time it covers. An increase is spread evenly over its interval.
func inside(in []Interval, from, to time.Time) (amount float64, covered time.Duration) {
	for _, v := range in {
		a, b := later(v.From, from), earlier(v.To, to)
		if a.Before(b) {
			amount += part(v, a, b)
			covered += b.Sub(a)
		}
	}
	return amount, covered
}
