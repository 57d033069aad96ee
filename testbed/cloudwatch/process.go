package cloudwatch

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// usage is what one process has used since it started.
type usage struct {
	start      uint64        // start time in ticks since boot: tells a reused PID
	cpu        time.Duration // all threads, exited ones included
	cores      float64       // cores its affinity allows
	readCalls  uint64        // read, pread and friends on files; recv is not among them
	writeCalls uint64
	readBytes  uint64 // that reached the block layer
	writeBytes uint64
}

// reading is the sum over the processes of a target at one moment.
type reading struct {
	at     time.Time
	starts []uint64
	usage
	host host // of a database only
}

// closeEnough bounds the time one reading may take: processor time is divided
// by the time between readings, so a preemption inside one would show as load.
const closeEnough = 2 * time.Millisecond

// readGroup sums the processes; read is the platform's reader of one process.
// A process that is gone makes the whole reading an error.
func readGroup(pids []int, cores float64, read func(pid int) (usage, error)) (reading, error) {
	var r reading
	for range 3 {
		began := time.Now()
		r = reading{}
		for _, pid := range pids {
			u, err := read(pid)
			if err != nil {
				return reading{}, fmt.Errorf("read process %d: %w", pid, err)
			}
			r.starts = append(r.starts, u.start)
			r.cpu += u.cpu
			r.cores = max(r.cores, u.cores)
			r.readCalls += u.readCalls
			r.writeCalls += u.writeCalls
			r.readBytes += u.readBytes
			r.writeBytes += u.writeBytes
		}
		took := time.Since(began)
		r.at = began.Add(took / 2)
		if took <= closeEnough {
			break
		}
	}
	if cores > 0 {
		r.cores = cores
	}
	return r, nil
}

// follows says whether both readings are of the very same processes.
func (r reading) follows(before reading) bool {
	return len(r.starts) > 0 && slices.Equal(r.starts, before.starts)
}

// parseStart finds the start time, field 22, in /proc/PID/stat. The command in
// field 2 may hold spaces and parentheses, so fields count from its last one.
func parseStart(stat []byte) (uint64, error) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, fmt.Errorf("no command in %q", stat)
	}
	fields := bytes.Fields(stat[end+1:])
	const start = 22 - 3
	if len(fields) <= start {
		return 0, fmt.Errorf("%d fields after the command, want more than %d", len(fields), start)
	}
	return strconv.ParseUint(string(fields[start]), 10, 64)
}

// parseIO reads the counters of /proc/PID/io into u.
func parseIO(text []byte, u *usage) error {
	into := map[string]*uint64{
		"syscr": &u.readCalls, "syscw": &u.writeCalls,
		"read_bytes": &u.readBytes, "write_bytes": &u.writeBytes,
	}
	for line := range bytes.Lines(text) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		counter := into[string(name)]
		if !ok || counter == nil {
			continue
		}
		n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 64)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		*counter = n
		delete(into, string(name))
	}
	if len(into) > 0 {
		return fmt.Errorf("%d of its counters are missing", len(into))
	}
	return nil
}
