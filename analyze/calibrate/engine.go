package calibrate

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

// Go measures with crypto/rsa of the Go that this program was built with. The
// testbed's key manager signs with it; API Manager does not.
func Go(ctx context.Context, s Settings) (report.Calibration, error) {
	if err := s.check(); err != nil {
		return report.Calibration{}, err
	}
	key, err := rsa.GenerateKey(rand.Reader, s.Bits)
	if err != nil {
		return report.Calibration{}, fmt.Errorf("make a key: %w", err)
	}
	text := make([]byte, 700) // header and claims of a token, in base64
	sign := func() ([]byte, error) {
		sum := sha256.Sum256(text)
		return rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	}
	signed, err := sign()
	if err != nil {
		return report.Calibration{}, fmt.Errorf("sign: %w", err)
	}
	operations := map[string]func() error{
		signing: func() error { _, err := sign(); return err },
		verifying: func() error {
			sum := sha256.Sum256(text)
			return rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], signed)
		},
	}
	threads := []int{1, s.Threads}
	if s.Threads == 1 {
		threads = threads[:1]
	}
	r := rounds{}
	for i := range s.Rounds + 1 {
		length := s.Round
		if i == 0 {
			length = s.WarmUp
		}
		for _, n := range threads {
			for _, name := range []string{signing, verifying} {
				ms, err := busy(ctx, operations[name], n, length)
				if err != nil {
					return report.Calibration{}, fmt.Errorf("measure a %s: %w", name, err)
				}
				if i > 0 {
					r.add(name, n, ms)
				}
			}
		}
	}
	return r.calibration("go "+runtime.Version()+" crypto/rsa", s)
}

// busy runs an operation on some threads for a while and returns the milliseconds
// of processor time that one of them takes.
func busy(ctx context.Context, operation func() error, threads int, length time.Duration) (float64, error) {
	used, done := make([]time.Duration, threads), make([]int, threads)
	var group errgroup.Group
	for i := range threads {
		group.Go(func() error {
			// The clock is that of a thread, so the goroutine must stay on it.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			begin, err := threadTime()
			if err != nil {
				return err
			}
			for end := time.Now().Add(length); ; {
				if err := errors.Join(operation(), ctx.Err()); err != nil {
					return err
				}
				done[i]++
				if !time.Now().Before(end) {
					break
				}
			}
			now, err := threadTime()
			used[i] = now - begin
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	var total time.Duration
	count := 0
	for i := range threads {
		total += used[i]
		count += done[i]
	}
	return total.Seconds() * 1000 / float64(count), nil
}
