package cloudwatch

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// supported is nil where processes can be measured.
func supported() error { return nil }

// readProcess measures one process. Reading /proc/PID/io of another user's
// process needs that user's rights or root.
func readProcess(pid int) (usage, error) {
	var u usage
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	if u.start, err = parseStart(stat); err != nil {
		return u, fmt.Errorf("parse /proc/%d/stat: %w", pid, err)
	}
	if u.cpu, err = processTime(pid); err != nil {
		return u, err
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(pid, &set); err != nil {
		return u, fmt.Errorf("read its processor affinity: %w", err)
	}
	u.cores = float64(set.Count())
	io, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return u, err
	}
	if err := parseIO(io, &u); err != nil {
		return u, fmt.Errorf("parse /proc/%d/io: %w", pid, err)
	}
	return u, nil
}

// processTime reads the CPU clock of a process. Its clock id is the inverted
// PID above two bits that choose the scheduler's clock (clock_getcpuclockid(3)
// computes the same); reading it needs no privilege.
func processTime(pid int) (time.Duration, error) {
	const schedulerClock = 2
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|schedulerClock, &ts); err != nil {
		return 0, fmt.Errorf("read its processor clock: %w", err)
	}
	return time.Duration(ts.Nano()), nil
}
