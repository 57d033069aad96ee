package rig

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/tokenpersistence/toolkit/internal/testwindow"
	"github.com/tokenpersistence/toolkit/testbed/keymanager"
	"github.com/tokenpersistence/toolkit/testbed/users"
)

// Modes of token persistence, as experiment files spell them.
const (
	on  = "on"
	off = "off"
)

// window is one stretch of load that was run and counted.
type window struct {
	Grant      string    `json:"grant"`
	Mode       string    `json:"persistence"`
	Pair       int       `json:"pair"` // 0: warm-up of the key managers
	Start      time.Time `json:"start"`
	End        time.Time `json:"end"`
	JTL        string    `json:"jtl"` // relative to the output folder
	Received   int       `json:"tokens_received"`
	JTLRows    int       `json:"jtl_successes"`
	Requests   int64     `json:"access_log_requests"` // as the exporter counted them
	Rows       int64     `json:"rows"`                // token rows, for refresh their audit copies too
	Rate       float64   `json:"tokens_per_second"`   // successes of the measured part
	Slowest    float64   `json:"slowest_answer_seconds"`
	ForeignCPU float64   `json:"foreign_cpu"` // cores that other processes used
	Before     Quiet     `json:"quiesced"`    // the database when the window began
}

// order decides which mode of a pair comes first, for all pairs of a grant.
func order(random *rand.Rand, pairs int) [][2]string {
	out := make([][2]string, pairs)
	for i := range out {
		out[i] = [2]string{on, off}
		if random.IntN(2) == 1 {
			out[i] = [2]string{off, on}
		}
	}
	return out
}

// run runs one window from idle to idle and counts it.
func (s *stand) run(ctx context.Context, w window, length, warmup time.Duration) (window, error) {
	name := fmt.Sprintf("%s-%s-%d", w.Grant, w.Mode, w.Pair)
	if w.Pair == 0 {
		name = fmt.Sprintf("%s-%s-warmup", w.Grant, w.Mode)
	}
	b := users.Burst{URL: s.urls[w.Mode], Grant: w.Grant, Duration: length, Rate: s.options.Rate}
	if w.Grant == keymanager.RefreshToken {
		prepare := b
		prepare.JTL, prepare.Rate = s.path("jtl", name+"-prepare.jtl"), 0
		if t, err := s.load(ctx, users.Command{Prepare: true, Burst: prepare}); err != nil || t.Failures > 0 {
			return w, fmt.Errorf("give %s users a refresh token: %d failures: %s: %w", w.Grant, t.Failures, t.Failure, err)
		}
	}
	var err error
	if w.Before, err = s.database.quiesce(ctx, s.options.Quiesce); err != nil {
		return w, err
	}
	before, err := s.baseline(ctx)
	if err != nil {
		return w, err
	}
	w.JTL = filepath.Join("jtl", name+".jtl")
	b.JTL = s.path(w.JTL)
	// Whole seconds, so that the 1-second points of CloudWatch fit the window;
	// a moment ahead, so that every user is waiting when it begins.
	w.Start = time.Now().Add(150 * time.Millisecond).Truncate(time.Second).Add(time.Second)
	w.End = w.Start.Add(length)
	b.Start = w.Start
	if w.Pair > 0 {
		defer s.window.plan(testwindow.Window{
			Grant: w.Grant, Persistence: w.Mode, Block: w.Pair, Start: w.Start.Add(warmup), End: w.End,
		})()
	}
	tally, err := s.measure(ctx, &w, b)
	if err != nil {
		return w, err
	}
	w.Received = tally.Tokens
	if tally.Failures > 0 {
		// Failures stay in the result file; the analysis counts them. A window
		// with nothing but failures is a broken rig.
		if tally.Tokens == 0 {
			return w, fmt.Errorf("%s with persistence %s: every request failed: %s", w.Grant, w.Mode, tally.Failure)
		}
		s.note("%s %s pair %d: %d requests failed, the first: %s", w.Grant, w.Mode, w.Pair, tally.Failures, tally.Failure)
	}
	if err := w.readJTL(b.JTL, warmup); err != nil {
		return w, err
	}
	return w, s.settle(ctx, &w, before)
}

// measure runs the burst with the machine's CPU time read at its two ends.
func (s *stand) measure(ctx context.Context, w *window, b users.Burst) (users.Tally, error) {
	type end struct {
		cpu cpuTime
		err error
	}
	ends := make(chan end, 2)
	watch, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for _, at := range []time.Time{w.Start, w.End} {
			if !sleepUntil(watch, at) {
				ends <- end{err: watch.Err()}
				continue
			}
			cpu, err := readCPU(s.pids)
			ends <- end{cpu, err}
		}
	}()
	tally, err := s.load(ctx, users.Command{Burst: b})
	if err != nil {
		return tally, err
	}
	first, last := <-ends, <-ends
	if err := errors.Join(first.err, last.err); err != nil {
		return tally, err
	}
	seconds := w.End.Sub(w.Start).Seconds()
	w.ForeignCPU = max(0, (last.cpu.machine-first.cpu.machine)-(last.cpu.ours-first.cpu.ours)) / seconds
	return tally, nil
}

func sleepUntil(ctx context.Context, at time.Time) bool {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// readJTL counts the successful rows of the result file, which is a count of
// its own: the users process reports what it received from memory.
func (w *window) readJTL(path string, warmup time.Duration) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // read only: nothing to lose
	rows := csv.NewReader(file)
	rows.ReuseRecord = true
	if _, err := rows.Read(); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	from, to := w.Start.Add(warmup).UnixMilli(), w.End.UnixMilli()
	measured := 0
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			w.Rate = float64(measured) * 1000 / float64(to-from)
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		if row[7] != "true" {
			continue
		}
		w.JTLRows++
		start, startErr := strconv.ParseInt(row[0], 10, 64)
		elapsed, elapsedErr := strconv.ParseInt(row[1], 10, 64)
		if err := errors.Join(startErr, elapsedErr); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		w.Slowest = max(w.Slowest, float64(elapsed)/1000)
		if end := start + elapsed; end >= from && end < to {
			measured++
		}
	}
}
