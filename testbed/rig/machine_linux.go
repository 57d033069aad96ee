package rig

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ticks is the unit of /proc/stat and /proc/PID/stat on every Linux that Go
// runs on: USER_HZ, 100 per second.
const ticks = 100

// cpuTime is CPU time in seconds since boot.
type cpuTime struct{ machine, ours float64 }

// readCPU sums what the machine's CPUs and the given processes used. Time in
// interrupts counts as the machine's: unless the kernel accounts it apart, which
// distributions leave off, it is part of the time of the processes too. Time
// stolen by the hypervisor counts as well, it is somebody else's use.
func readCPU(pids []int) (cpuTime, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return cpuTime{}, fmt.Errorf("read the machine's CPU time: %w", err)
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	fields := strings.Fields(string(first)) // cpu user nice system idle iowait irq softirq steal …
	if len(fields) < 9 {
		return cpuTime{}, fmt.Errorf("read the machine's CPU time: /proc/stat begins with %q", first)
	}
	var t cpuTime
	for _, i := range []int{1, 2, 3, 6, 7, 8} { // all but idle and iowait
		n, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return t, fmt.Errorf("read the machine's CPU time: %w", err)
		}
		t.machine += n / ticks
	}
	for _, pid := range pids {
		used, err := processCPU(pid)
		if err != nil {
			return t, err
		}
		t.ours += used
	}
	return t, nil
}

// processCPU is user and system time of one process, in seconds.
func processCPU(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read CPU time of process %d: %w", pid, err)
	}
	// The command's name may hold anything, so count from its closing bracket.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("read CPU time of process %d: unexpected /proc/%d/stat", pid, pid)
	}
	sum := 0.0
	for _, field := range fields[11:13] { // utime, stime
		n, err := strconv.ParseFloat(field, 64)
		if err != nil {
			return 0, fmt.Errorf("read CPU time of process %d: %w", pid, err)
		}
		sum += n / ticks
	}
	return sum, nil
}

// pinSelf moves every thread of this process to cpus; threads that start later
// inherit it.
func pinSelf(cpus []int) error {
	if len(cpus) == 0 {
		return nil
	}
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	threads, err := filepath.Glob("/proc/self/task/*")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(filepath.Base(thread))
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(id, &set); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("pin the rig to %s: %w", list(cpus), err)
		}
	}
	return nil
}
