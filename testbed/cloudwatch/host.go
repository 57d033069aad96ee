package cloudwatch

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"
)

// host is what one reading says about the machine below a database. What could
// not be read is absent.
type host struct {
	levels map[string]float64 // by CloudWatch's name, in bytes: what holds at this moment
	disk   *disk              // nil: the folder's file system has no device in /proc/diskstats
}

// disk holds the counters of a block device since boot. The kernel prints its
// milliseconds as unsigned 32 bits, which begin again after 49 days of
// operations; the difference of two readings is right all the same.
type disk struct {
	at                  time.Time
	device              uint64 // as stat gives it
	reads, writes       uint64 // completed
	readTime, writeTime uint32 // from entering the queue to completion, summed over the operations
	queueTime           uint32 // the same of all operations, those for discarding and flushing included
}

// rates adds to m what now says, and what the disk did since before.
func (now host) rates(before host, m map[string]float64) {
	maps.Copy(m, now.levels)
	if now.disk == nil || before.disk == nil || !now.disk.follows(*before.disk) {
		return
	}
	a, b := *before.disk, *now.disk
	m["ReadLatency"] = latency(b.reads-a.reads, b.readTime-a.readTime)
	m["WriteLatency"] = latency(b.writes-a.writes, b.writeTime-a.writeTime)
	m["DiskQueueDepth"] = float64(b.queueTime-a.queueTime) / 1000 / b.at.Sub(a.at).Seconds()
}

// follows says whether both readings are of one device that was there all the time.
func (d disk) follows(before disk) bool {
	return d.device == before.device && d.reads >= before.reads && d.writes >= before.writes && d.at.After(before.at)
}

// latency is the mean time of an operation in seconds, 0 without operations, as
// CloudWatch has it.
func latency(operations uint64, milliseconds uint32) float64 {
	if operations == 0 {
		return 0
	}
	return float64(milliseconds) / 1000 / float64(operations)
}

// errNoDevice says that a file system is not one block device: overlay, tmpfs,
// btrfs and network file systems are not.
var errNoDevice = errors.New("no such device in /proc/diskstats")

// parseDisk finds the row of a device in /proc/diskstats: its numbers and name,
// then counters, of which newer kernels have more.
func parseDisk(text []byte, major, minor uint32) (disk, error) {
	wanted := [2]string{strconv.FormatUint(uint64(major), 10), strconv.FormatUint(uint64(minor), 10)}
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) < 3 || string(fields[0]) != wanted[0] || string(fields[1]) != wanted[1] {
			continue
		}
		const name, counters = 2, 11
		if len(fields) <= name+counters {
			return disk{}, fmt.Errorf("%s: %d counters, want %d", fields[name], len(fields)-name-1, counters)
		}
		var n [counters]uint64
		for i := range n {
			var err error
			if n[i], err = strconv.ParseUint(string(fields[name+1+i]), 10, 64); err != nil {
				return disk{}, fmt.Errorf("%s: counter %d: %w", fields[name], i+1, err)
			}
		}
		return disk{reads: n[0], readTime: uint32(n[3]), writes: n[4], writeTime: uint32(n[7]), queueTime: uint32(n[10])}, nil
	}
	return disk{}, fmt.Errorf("%d:%d: %w", major, minor, errNoDevice)
}

// parseSize finds a line like "VmSwap: 12 kB" in /proc/meminfo or
// /proc/PID/status and returns its bytes.
func parseSize(text []byte, name string) (float64, error) {
	for line := range bytes.Lines(text) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		if string(key) != name {
			continue
		}
		number, ok := bytes.CutSuffix(bytes.TrimSpace(value), []byte(" kB"))
		if !ok {
			return 0, fmt.Errorf("%s: %q is not in kB", name, bytes.TrimSpace(value))
		}
		n, err := strconv.ParseUint(string(number), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		return float64(n) * 1024, nil
	}
	return 0, fmt.Errorf("no line %s", name)
}
