package rig

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// warmUp is the load each key manager gets before the first window of a grant.
const warmUp = 2 * time.Second

// ErrLeft says that something the demo started could not be ended or removed.
var ErrLeft = errors.New("clean up")

// Demo runs the experiment and its analysis, and prints what it does on out. It
// fails when a part fails, when the counts do not agree, and when ctx ends; in
// every case no process and no database directory is left.
func Demo(ctx context.Context, o Options, out io.Writer) (err error) {
	if err := o.Check(); err != nil {
		return err
	}
	if o.PrometheusURL != "" { // which has to know the addresses
		o.Listen = cmp.Or(o.Listen, "127.0.0.1:9851")
		o.WindowsListen = cmp.Or(o.WindowsListen, "127.0.0.1:9852")
	}
	if o.Out, err = prepareFolder(o.Out); err != nil {
		return err
	}
	var end closers
	defer func() {
		if left := end.close(); left != nil {
			err = errors.Join(err, fmt.Errorf("%w: %w", ErrLeft, left))
		}
	}()
	each := o.Warmup + o.Measure
	fmt.Fprintf(out, "%s\n%d pairs of windows of %s for each grant, the first %s discarded\nabout %s of load; order drawn with seed %d\n",
		Banner, o.Pairs, each, o.Warmup, estimate(o, each), o.Seed)
	p, err := findPrograms(ctx, o, &end)
	if err != nil {
		return err
	}
	s, err := setUp(ctx, o, p, out, &end)
	if err != nil {
		return err
	}
	if err := s.exposeWindows(ctx, &end); err != nil {
		return err
	}
	windows, all, err := s.experiment(ctx)
	if err != nil {
		return err
	}
	if err := s.writeLedger(windows, all); err != nil {
		return err
	}
	file, err := s.writeExperiment(windows)
	if err != nil {
		return err
	}
	analysis := analyze(ctx, o, p, file, out)
	fmt.Fprintln(out)
	if err := errors.Join(analysis, printTotals(out, all)); err != nil {
		return err
	}
	if !s.database.own {
		fmt.Fprintf(out, "The server of --dsn keeps its tables in database %s\n", s.database.config.DBName)
	}
	fmt.Fprintf(out, "Kept in %s: report.html, experiment.yaml, rig.json, tsdb, jtl, logs\n", o.Out)
	if o.Serve {
		fmt.Fprintf(out, "Serving until Ctrl-C\n  exporter     %s\n  windows      %s\n  key manager  %s (persistence on)\n  key manager  %s (persistence off)\n"+
			"  report       file://%s\n", s.exporter.url(), s.windowsURL(), s.urls[on], s.urls[off], filepath.Join(o.Out, "report.html"))
		<-ctx.Done()
	}
	return nil
}

// estimate is the time the windows will take, gaps included.
func estimate(o Options, each time.Duration) time.Duration {
	gap := 1300 * time.Millisecond // counts, purge, and the wait for the next whole second
	perGrant := time.Duration(2*o.Pairs)*(each+gap) + 2*(warmUp+gap) + lateness
	return (time.Duration(len(o.Grants)) * perGrant).Round(time.Second)
}

// prepareFolder makes the output folder, which must not hold anything yet: old
// and new results in one folder would be one experiment to the analysis.
func prepareFolder(name string) (string, error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("--out %s: %w", name, err)
	}
	for _, folder := range []string{path, filepath.Join(path, "jtl"), filepath.Join(path, "logs")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return "", fmt.Errorf("--out %s: %w", name, err)
		}
		entries, err := os.ReadDir(folder)
		if err != nil {
			return "", fmt.Errorf("--out %s: %w", name, err)
		}
		if len(entries) > 0 {
			return "", fmt.Errorf("%w: --out %s: the folder is not empty: name a new one", ErrOptions, name)
		}
	}
	return path, nil
}

// experiment records all windows of all grants.
func (s *stand) experiment(ctx context.Context) (_ []window, _ []total, err error) {
	exporter, testWindows := target{job, s.exporter.addr}, target{windowsJob, s.windowsAddr}
	if s.options.PrometheusURL != "" {
		both, err := checkPrometheus(ctx, s.options.PrometheusURL, exporter, testWindows, 20*time.Second)
		if err != nil {
			return nil, nil, err
		}
		if !both {
			s.note("no test windows on dashboards: this Prometheus has no job for them\n%s", strings.TrimSuffix(testWindows.config(), "\n"))
		}
	} else {
		prometheus, err := startRecorder(tsdbFolder(s.options.Out), exporter, testWindows)
		if err != nil {
			return nil, nil, err
		}
		defer func() { err = errors.Join(err, prometheus.stop()) }()
	}
	random := rand.New(rand.NewPCG(s.options.Seed, 0))
	var windows []window
	seen := map[string]int64{}
	for _, grant := range s.options.Grants {
		more, observed, err := s.grant(ctx, grant, order(random, s.options.Pairs))
		if err != nil {
			return nil, nil, err
		}
		windows = append(windows, more...)
		if tokensObserved(grant) {
			seen[grant] = observed
		}
	}
	// The last points of CloudWatch and the last increments of the counters come
	// with the scrapes after the last window.
	if !sleepUntil(ctx, time.Now().Add(2500*time.Millisecond)) {
		return nil, nil, ctx.Err()
	}
	return windows, totals(windows, seen), nil
}

// grant warms both key managers up and runs the pairs of one grant. It returns
// the windows, warm-ups included, and the rows the exporter counted.
func (s *stand) grant(ctx context.Context, grant string, pairs [][2]string) ([]window, int64, error) {
	before, err := s.baseline(ctx)
	if err != nil {
		return nil, 0, err
	}
	s.say("%s", grant)
	var windows []window
	var rows int64
	run := func(mode string, pair int, length, warmup time.Duration) (window, error) {
		w, err := s.run(ctx, window{Grant: grant, Mode: mode, Pair: pair}, length, warmup)
		windows = append(windows, w)
		rows += w.Rows
		return w, err
	}
	for _, mode := range []string{on, off} {
		if _, err := run(mode, 0, warmUp, 0); err != nil {
			return nil, 0, err
		}
	}
	for i, modes := range pairs {
		line := fmt.Sprintf("  pair %d/%d  ", i+1, len(pairs))
		for _, mode := range modes {
			w, err := run(mode, i+1, s.options.Warmup+s.options.Measure, s.options.Warmup)
			if err != nil {
				return nil, 0, err
			}
			line += fmt.Sprintf("  %-3s %5.0f tokens/s", mode, w.Rate)
		}
		s.say("%s", line)
	}
	if !tokensObserved(grant) {
		return windows, 0, nil
	}
	observed, err := s.observed(ctx, grant, before, rows)
	return windows, observed, err
}

// analyze runs the real program over what was recorded; its text report goes to
// out as well as to the folder.
func analyze(ctx context.Context, o Options, p programs, file string, out io.Writer) error {
	args := []string{"compare", file, "--format", strings.Join(o.Formats, ","), "--output", o.Out, "--fail-on", "nodata"}
	if o.PlainText {
		args = append(args, "--no-color")
	}
	fmt.Fprintln(out)
	cmd := exec.Command(p.analyze, args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := runChild(ctx, cmd); err != nil {
		return fmt.Errorf("analyze compare %s: %w", file, err)
	}
	return nil
}
