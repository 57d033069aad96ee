package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// targetRounds is how often each of several targets is scraped: enough for the
// heap to find its size.
const targetRounds = 20

// targetsFigure compares the memory of one exporter with several targets behind
// its /probe. All of them are the small database of the same server, since what
// is measured is the exporter.
func targetsFigure(ctx context.Context, s *stand) ([]row, error) {
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	a, err := s.ourAccount(ctx, "exporter_targets", small)
	if err != nil {
		return nil, err
	}
	var rows []row
	var one float64
	for _, n := range slices.Compact([]int{1, min(10, s.o.targets), s.o.targets}) {
		mib, took, sessions, err := s.targets(ctx, a, n)
		if err != nil {
			return rows, err
		}
		if n == 1 {
			one = mib
		}
		per := 0.0
		if n > 1 {
			per = (mib - one) / float64(n-1)
		}
		rows = append(rows, row{
			figure: fmt.Sprintf("resident memory with %d targets", n),
			found:  fmt.Sprintf("%.1f MiB, %.2f × that of one, %.2f MiB for each further target; %d sessions; scrapes %s", mib, mib/one, per, sessions, took),
			got:    mib, bar: none,
		})
	}
	return rows, nil
}

// targets starts an exporter with so many targets, scrapes all of them in turn,
// and ends it.
func (s *stand) targets(ctx context.Context, a account, n int) (mib float64, took summary, sessions int, err error) {
	config, password := filepath.Join(s.dir, fmt.Sprintf("targets-%d.yml", n)), filepath.Join(s.dir, "targets.password")
	text := strings.Builder{}
	text.WriteString("targets:\n")
	for i := range n {
		fmt.Fprintf(&text, "  t%d:\n    mysqld: {address: '%s', username: %s, password_file: %s, database: %s}\n", i, a.address, a.user, password, small)
	}
	if err := errors.Join(os.WriteFile(password, []byte(a.password), 0o600), os.WriteFile(config, []byte(text.String()), 0o600)); err != nil {
		return 0, took, 0, err
	}
	p, err := start(ctx, command{
		name: fmt.Sprintf("exporter with %d targets", n), path: s.o.exporter, args: []string{"--config.file=" + config},
		up: anyPage, log: filepath.Join(s.dir, fmt.Sprintf("targets-%d.log", n)), env: []string{"AWS_EC2_METADATA_DISABLED=true"},
	})
	if err != nil {
		return 0, took, 0, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	s.say("started %s", p.name)
	var all []float64
	for round := range targetRounds {
		for i := range n {
			probe := *p
			probe.url, probe.up = strings.TrimSuffix(p.url, "/metrics")+fmt.Sprintf("/probe?target=t%d", i), ourUp
			d, err := probe.scrapeOK(ctx)
			if err != nil {
				return 0, took, 0, err
			}
			all = append(all, d)
			if round == targetRounds-1 {
				if err := probe.healthy(ctx); err != nil {
					return 0, took, 0, err
				}
			}
		}
	}
	err = s.admin.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.processlist WHERE USER = ?", a.user).Scan(&sessions)
	if err != nil {
		return 0, took, 0, err
	}
	mib, err = residentMiB(p.process.PID())
	return mib, times(all), sessions, err
}

// anyPage takes every page: that of an exporter without a target of its own.
func anyPage(map[string]*dto.MetricFamily) error { return nil }
