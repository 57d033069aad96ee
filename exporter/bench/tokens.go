package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// settleSlack is how long after the lateness the counter may take to have
// everything: two passes of the background and two scrapes.
const settleSlack = 20 * time.Second

// tokensFigure inserts rows at a steady rate while the exporter is scraped, and
// looks at what the counting cost and whether it is right.
func tokensFigure(ctx context.Context, s *stand) ([]row, error) {
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	ours, err := s.ours(ctx, large)
	if err != nil {
		return nil, err
	}
	if err := s.fillDigests(ctx); err != nil {
		return nil, err
	}
	before, err := s.reading(ctx, ours)
	if err != nil {
		return nil, err
	}
	scraper := s.scrapeEvery(ctx, ours, s.o.interval)
	start := time.Now()
	inserted, insertErr := s.insert(ctx, s.tables[large], s.o.rate, s.o.inserting)
	took := time.Since(start)
	loaded, err := s.reading(ctx, ours)
	if err := errors.Join(err, insertErr, ctx.Err()); err != nil {
		return nil, errors.Join(err, scraper.stop())
	}
	s.say("inserted %d rows in %v", inserted, took.Round(time.Second))
	after, err := s.settled(ctx, ours, before.observed+float64(inserted))
	if err := errors.Join(err, scraper.stop()); err != nil {
		return nil, err
	}
	observed := after.observed - before.observed
	examined := after.examined - before.examined
	rows := []row{
		{
			figure: "rows counted less rows inserted, after the lateness", found: fmt.Sprintf("%.0f of %d (%.0f/s for %v)", observed, inserted, float64(inserted)/took.Seconds(), took.Round(time.Second)),
			got: max(observed-float64(inserted), float64(inserted)-observed), bar: atMost(0, "rows"),
		},
		{
			figure: "rows examined by the tokens statements per row inserted",
			found:  fmt.Sprintf("%.0f / %d = %.2f (all statements of the account: %.2f)", examined, inserted, examined/float64(inserted), (after.account-before.account)/float64(inserted)),
			got:    examined / float64(inserted), bar: atMost(3, "×"),
		},
		{figure: fmt.Sprintf("resident memory at %d rows/s", s.o.rate), found: fmt.Sprintf("most %.1f MiB", scraper.resident), got: scraper.resident, bar: atMost(25, "MiB")},
		{figure: fmt.Sprintf("scrapes at %d rows/s", s.o.rate), found: times(scraper.took).String(), bar: none},
	}
	exporter, sessions, same := loaded.cpu.since(before.cpu)
	share := func(d time.Duration) float64 { return 100 * d.Seconds() / took.Seconds() }
	found := fmt.Sprintf("exporter %.2f %% + sessions %.2f %%", share(exporter), share(sessions))
	if !same {
		found += " (a session was replaced: less than all)"
	}
	return append(rows, row{
		figure: fmt.Sprintf("CPU at %d rows/s and a scrape every %v, of one core", s.o.rate, s.o.interval),
		found:  found, got: share(exporter + sessions), bar: atMost(1, "%"),
	}), nil
}

// settled waits until late rows have been read too, and reads.
func (s *stand) settled(ctx context.Context, p *program, want float64) (reading, error) {
	select {
	case <-time.After(s.o.lateness + min(s.o.lateness, 10*time.Second)): // the second reading of the rows is part of the cost
	case <-ctx.Done():
	}
	for deadline := time.Now().Add(settleSlack); ; time.Sleep(time.Second) {
		r, err := s.reading(ctx, p)
		if err != nil || r.observed == want || time.Now().After(deadline) {
			return r, err
		}
	}
}

// reading is what is known before and after.
type reading struct {
	observed float64 // the exporter's counter
	examined float64 // rows examined by the statements of the tokens collector, which all force an index
	account  float64 // rows examined by all statements of the exporter's account
	cpu      cpuUse
}

func (s *stand) reading(ctx context.Context, p *program) (reading, error) {
	var r reading
	families, _, err := p.page(ctx)
	if err != nil {
		return r, err
	}
	if err := p.judge(families); err != nil {
		return r, err
	}
	for _, m := range families["wso2_token_rows_observed_total"].GetMetric() {
		r.observed += m.GetCounter().GetValue()
	}
	// Rows of the small database are not ours to count: its exporter may run too.
	err = s.admin.QueryRowContext(ctx, `SELECT COALESCE(SUM(SUM_ROWS_EXAMINED), 0) FROM performance_schema.events_statements_summary_by_digest
		WHERE DIGEST_TEXT LIKE '%FORCE INDEX%' AND DIGEST_TEXT LIKE ?`, "%"+quoted(large)+"%").Scan(&r.examined)
	if err != nil {
		return r, fmt.Errorf("read rows examined: %w", err)
	}
	err = s.admin.QueryRowContext(ctx, `SELECT COALESCE(SUM(SUM_ROWS_EXAMINED), 0) FROM performance_schema.events_statements_summary_by_user_by_event_name
		WHERE USER = ?`, ourUser(large)).Scan(&r.account)
	if err != nil {
		return r, fmt.Errorf("read rows examined: %w", err)
	}
	r.cpu, err = s.cpu(ctx, p, ourUser(large))
	return r, err
}

// quoted is a name as digests show it.
func quoted(name string) string { return "`" + name + "`" }
