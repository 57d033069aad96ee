//go:build !linux

package calibrate

import (
	"errors"
	"time"
)

// threadTime cannot be read here.
func threadTime() (time.Duration, error) {
	return 0, errors.New("the processor time of a thread is read on Linux only: use --engine java")
}
