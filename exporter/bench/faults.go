package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tokenpersistence/toolkit/internal/faultproxy"
)

// patience is the scrape timeout that the fault figure announces.
const patience = time.Second

// faultsFigure breaks the database in several ways and measures by how much
// answers come after the scrape's deadline. A broken database may make a page
// short, never late.
func faultsFigure(ctx context.Context, s *stand) (rows []row, err error) {
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	a, err := s.ourAccount(ctx, "exporter_faults", large)
	if err != nil {
		return nil, err
	}
	proxy, err := faultproxy.Start(a.address)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, proxy.Close()) }()
	a.address = proxy.Addr()
	p, err := start(ctx, ourCommand(s.o, a, large))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()

	command := func(f func()) func() error { return func() error { f(); return nil } }
	repair := command(proxy.Repair)
	lock, unlock := s.locker(ctx)
	var overruns []float64
	for _, f := range []struct {
		name       string
		begin, end func() error
	}{
		{"frozen server", s.server.Pause, s.server.Resume},
		{"black hole", command(proxy.Freeze), repair},
		{"100 bytes per second", command(func() { proxy.Trickle(100) }), repair},
		{"connections refused", command(func() { proxy.Refuse(true); proxy.Cut() }), repair},
		{"locked token table", lock, unlock},
	} {
		over, err := p.underFault(ctx, s.o.faults, f.begin, f.end)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		overruns = append(overruns, over...)
		rows = append(rows, row{
			figure: "answers under a fault: " + f.name, bar: none,
			found: fmt.Sprintf("latest %+.0f ms of the deadline of %v (n = %d)", slices.Max(over), patience, len(over)),
		})
	}
	late := make([]float64, len(overruns))
	for i, o := range overruns {
		late[i] = max(0, o)
	}
	return append(rows, row{
		figure: "deadline overrun p99 under all faults", found: fmt.Sprintf("%.0f ms (n = %d)", times(late).p99, len(late)),
		got: times(late).p99, bar: atMost(50, "ms"),
	}), nil
}

// underFault scrapes while the fault lasts and returns by how many milliseconds
// each answer came after the deadline; then it waits until all is well again.
func (p *program) underFault(ctx context.Context, n int, begin, end func() error) ([]float64, error) {
	if err := begin(); err != nil {
		return nil, err
	}
	var over []float64
	var err error
	for range n {
		var took time.Duration
		if took, _, err = p.scrape(ctx, patience); err != nil {
			break
		}
		over = append(over, (took-patience).Seconds()*1000)
	}
	if err := errors.Join(err, end()); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		err := p.healthy(ctx)
		if err == nil {
			return over, nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return nil, fmt.Errorf("not healthy again after the fault: %w", err)
		}
	}
}

// locker locks and unlocks the large token table.
func (s *stand) locker(ctx context.Context) (lock, unlock func() error) {
	release := func() error { return nil }
	return func() error {
		conn, err := s.tables[large].Conn(ctx)
		if err != nil {
			return err
		}
		release = func() error {
			_, err := conn.ExecContext(context.WithoutCancel(ctx), "UNLOCK TABLES")
			return errors.Join(err, conn.Close())
		}
		_, err = conn.ExecContext(ctx, "LOCK TABLES IDN_OAUTH2_ACCESS_TOKEN WRITE")
		return err
	}, func() error { return release() }
}
