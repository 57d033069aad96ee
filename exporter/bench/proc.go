package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// residentMiB is the memory of a process that is in RAM.
func residentMiB(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if kib, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseFloat(strings.Fields(kib)[0], 64)
			return n / 1024, err
		}
	}
	return 0, errors.New("no VmRSS in /proc/PID/status")
}

// threadCPU is the time that one thread of a process ran, to the nanosecond;
// /proc/PID/task/TID/stat has ticks of 10 ms, more than a whole scrape.
func threadCPU(pid int, thread string) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "task", thread, "schedstat"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), " ")
	n, err := strconv.ParseInt(first, 10, 64)
	return time.Duration(n), err
}

// cpuUse is CPU time used so far by an exporter and by its sessions' threads in
// the server.
type cpuUse struct {
	exporter time.Duration
	sessions map[string]time.Duration // by thread id
}

// cpu reads the use of our exporter on one database.
func (s *stand) cpu(ctx context.Context, p *program, user string) (cpuUse, error) {
	u := cpuUse{sessions: map[string]time.Duration{}}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", p.process.PID()))
	if err != nil {
		return u, err
	}
	// Go keeps its threads: none ends with time on its account.
	for _, t := range threads {
		d, err := threadCPU(p.process.PID(), filepath.Base(t))
		if err != nil {
			return u, err
		}
		u.exporter += d
	}
	rows, err := s.admin.QueryContext(ctx, "SELECT THREAD_OS_ID FROM performance_schema.threads WHERE PROCESSLIST_USER = ?", user)
	if err != nil {
		return u, err
	}
	defer rows.Close()
	for rows.Next() {
		var id sql.NullString
		if err := rows.Scan(&id); err != nil {
			return u, err
		}
		if u.sessions[id.String], err = threadCPU(s.server.PID(), id.String); err != nil {
			return u, fmt.Errorf("a session's thread: %w", err)
		}
	}
	return u, rows.Err()
}

// since returns what was used after an earlier reading, and whether both are
// of the same sessions.
func (u cpuUse) since(before cpuUse) (exporter, sessions time.Duration, same bool) {
	exporter = u.exporter - before.exporter
	same = len(u.sessions) == len(before.sessions)
	for id := range maps.Keys(u.sessions) {
		was, known := before.sessions[id]
		same = same && known
		sessions += u.sessions[id] - was
	}
	return exporter, sessions, same
}
