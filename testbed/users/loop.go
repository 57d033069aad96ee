package users

import (
	"context"
	"time"
)

// pause keeps a user whose requests fail at once from spinning.
const pause = 50 * time.Millisecond

// loop asks for tokens until the burst is over or ctx ends; requests live as
// long as work.
func (u *user) loop(ctx, work context.Context, b Burst, users int, out *jtl) Tally {
	start := b.Start
	if start.IsZero() {
		start = time.Now()
	}
	end, next := start.Add(b.Duration), start
	var interval time.Duration
	if b.Rate > 0 {
		interval = time.Duration(float64(users) / b.Rate * float64(time.Second))
		next = start.Add(time.Duration(u.phase * float64(interval)))
	}
	var sum Tally
	for sleepUntil(ctx, next) && time.Now().Before(end) {
		t := u.once(work, b, out)
		sum.add(t)
		if t.Failures > 0 {
			sleepUntil(ctx, time.Now().Add(pause))
		}
		if t.lost && u.target != nil {
			sum.Chains++
			for !u.begin(work) {
				if !sleepUntil(ctx, time.Now().Add(time.Second)) || time.Now().After(end) {
					return sum
				}
			}
		}
		next = next.Add(interval)
		if next.After(end) {
			break
		}
	}
	return sum
}

// sleepUntil reports false when ctx ended first.
func sleepUntil(ctx context.Context, at time.Time) bool {
	wait := time.Until(at)
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
