package calibrate

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// threadTime is the processor time of the thread that asks.
func threadTime() (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0, fmt.Errorf("read the processor time of a thread: %w", err)
	}
	return time.Duration(t.Nano()), nil
}
