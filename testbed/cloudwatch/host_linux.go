package cloudwatch

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// readHost measures the machine below a database. Nothing of it needs a
// privilege beyond reaching the folder.
func readHost(t Target) host {
	h := host{levels: make(map[string]float64)}
	// What cannot be read is absent, as CloudWatch leaves out what an instance
	// does not have.
	keep := func(metric string, value float64, err error) {
		if err == nil {
			h.levels[metric] = value
		}
	}
	memory, err := freeableMemory()
	keep("FreeableMemory", memory, err)
	swap, err := swapUsage(t.PIDs)
	keep("SwapUsage", swap, err)
	if t.Folder == "" {
		return h
	}
	free, err := freeStorage(t.Folder)
	keep("FreeStorageSpace", free, err)
	if d, err := readDisk(t.Folder); err == nil {
		h.disk = &d
	}
	return h
}

// freeableMemory is MemAvailable, which AWS names as its source too.
func freeableMemory() (float64, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	return parseSize(text, "MemAvailable")
}

// swapUsage is the swap space that the processes occupy.
func swapUsage(pids []int) (float64, error) {
	sum := 0.0
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return 0, err
		}
		swap, err := parseSize(text, "VmSwap")
		if err != nil {
			return 0, fmt.Errorf("parse /proc/%d/status: %w", pid, err)
		}
		sum += swap
	}
	return sum, nil
}

// freeStorage is what a user without privileges, like a database server, can
// still write to the folder's file system.
func freeStorage(folder string) (float64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(folder, &fs); err != nil {
		return 0, fmt.Errorf("read the free space of %s: %w", folder, err)
	}
	return float64(fs.Bavail) * float64(fs.Frsize), nil
}

// readDisk reads the counters of the device below a folder.
func readDisk(folder string) (disk, error) {
	var stat unix.Stat_t
	if err := unix.Stat(folder, &stat); err != nil {
		return disk{}, fmt.Errorf("find the device of %s: %w", folder, err)
	}
	at := time.Now()
	text, err := os.ReadFile("/proc/diskstats")
	if err != nil {
		return disk{}, err
	}
	device := uint64(stat.Dev) //nolint:unconvert // narrower on some architectures
	d, err := parseDisk(text, unix.Major(device), unix.Minor(device))
	if err != nil {
		return disk{}, fmt.Errorf("read the disk of %s: %w", folder, err)
	}
	d.at, d.device = at, device
	return d, nil
}

// CheckDisk says why the disk below a folder cannot be measured, nil when it can:
// without a device of its own in /proc/diskstats a database has no ReadLatency,
// WriteLatency and DiskQueueDepth.
func CheckDisk(folder string) error {
	_, err := readDisk(folder)
	return err
}
