package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/stats"
	"github.com/tokenpersistence/toolkit/testbed/keymanager"
	"github.com/tokenpersistence/toolkit/testbed/users"
)

// seed decides the order of the halves of each pair.
const seed = 3

// effectFigure lets users ask a key manager for tokens as fast as they can,
// with our exporter scraped beside them and without an exporter, in pairs whose
// order is drawn at random.
func effectFigure(ctx context.Context, s *stand) (rows []row, err error) {
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	if err := s.retire(ctx, large); err != nil {
		return nil, err
	}
	load, err := s.newLoad(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, load.close()) }()
	random := rand.New(rand.NewPCG(seed, seed))
	var with, without []float64
	for pair := range s.o.pairs {
		first := random.IntN(2) == 0
		for _, watched := range []bool{first, !first} {
			rate, err := load.half(ctx, pair, watched)
			if err != nil {
				return nil, err
			}
			if watched {
				with = append(with, rate)
			} else {
				without = append(without, rate)
			}
		}
	}
	x, xErr := stats.Logs(with)
	y, yErr := stats.Logs(without)
	if err := errors.Join(xErr, yErr); err != nil {
		return nil, err
	}
	var found string
	switch e, err := stats.PairedT(x, y, 0.95); {
	case errors.Is(err, stats.ErrConstant): // windows of a few tokens
		found = fmt.Sprintf("%.3f × in every pair", math.Exp(x[0]-y[0]))
	case err != nil:
		return nil, err
	default:
		e = e.Exp()
		found = fmt.Sprintf("%.3f × [%.3f, %.3f], 95 %%", e.Value, e.Lo, e.Hi)
	}
	return []row{{
		figure: "token throughput with the exporter against without",
		found:  fmt.Sprintf("%s (%d pairs of %v, %.0f against %.0f tokens/s)", found, s.o.pairs, s.o.window, median(with), median(without)),
		bar:    none,
	}}, nil
}

// load is a key manager with persistence on and its users.
type load struct {
	stand   *stand
	account account
	url     string
	users   *users.Population
	cancel  context.CancelFunc
	ended   chan error
}

func (s *stand) newLoad(ctx context.Context) (*load, error) {
	a, err := s.ourAccount(ctx, "exporter_pairs", large)
	if err != nil {
		return nil, err
	}
	l := &load{stand: s, account: a, users: users.New(s.clients, 20, seed), ended: make(chan error, 1)}
	ctx, l.cancel = context.WithCancel(ctx)
	ready := make(chan string, 1)
	database := s.server.Config(large)
	database.InterpolateParams = true // as Connector/J does
	go func() {
		l.ended <- keymanager.Serve(ctx, keymanager.Config{
			DSN: database.FormatDSN(), Persistence: true, Logs: filepath.Join(s.dir, "keymanager"),
		}, func(url string) { ready <- url })
	}()
	select {
	case l.url = <-ready:
		return l, nil
	case err := <-l.ended:
		l.cancel()
		return nil, err
	}
}

func (l *load) close() error {
	l.users.Close()
	l.cancel()
	return <-l.ended
}

// half measures tokens per second in one half of a pair. The warm-up lets the
// exporter do what it does once after a start.
func (l *load) half(ctx context.Context, pair int, watched bool) (rate float64, err error) {
	if watched {
		p, err := start(ctx, ourCommand(l.stand.o, l.account, large))
		if err != nil {
			return 0, err
		}
		scraper := l.stand.scrapeEvery(ctx, p, l.stand.o.interval)
		defer func() { err = errors.Join(err, scraper.stop(), p.stop()) }()
	}
	burst := users.Burst{URL: l.url, Grant: keymanager.ClientCredentials}
	for _, length := range []time.Duration{l.stand.o.warmup, l.stand.o.window} {
		burst.Duration = length
		burst.JTL = filepath.Join(l.stand.dir, fmt.Sprintf("%d-%v-%v.jtl", pair, watched, length))
		tally, err := l.users.Load(ctx, burst)
		if err != nil {
			return 0, err
		}
		if tally.Failures > 0 {
			return 0, fmt.Errorf("pair %d: %d requests failed, the first: %s", pair, tally.Failures, tally.Failure)
		}
		rate = float64(tally.Tokens) / length.Seconds()
	}
	return rate, nil
}

// retire ends one of our exporters; the next figure that needs it starts it anew.
func (s *stand) retire(ctx context.Context, schema string) error {
	p := s.programs[schema]
	if p == nil {
		return nil
	}
	delete(s.programs, schema)
	if _, err := s.admin.ExecContext(ctx, "DROP USER '"+ourUser(schema)+"'@'127.0.0.1'"); err != nil {
		return err
	}
	return p.stop()
}
