package rig

import (
	"fmt"
	"strconv"
	"strings"
)

// Layout says which CPUs each part may use. An empty list leaves a part free.
type Layout struct {
	Database    []int
	KeyManagers []int
	Users       []int // and the exporter, Prometheus and the rig itself
}

// Split gives the key managers, whose processor the experiment is about, half
// of the CPUs and the database half of what remains, as in the published set-up
// of 4, 4 and 2. On two CPUs database and users share one; on one CPU nothing
// is pinned.
func Split(cpus []int) Layout {
	n := len(cpus)
	switch {
	case n < 2:
		return Layout{}
	case n == 2:
		return Layout{Database: cpus[:1], Users: cpus[:1], KeyManagers: cpus[1:]}
	}
	users := max(1, n/4)
	database := max(1, n/4)
	return Layout{Database: cpus[:database], Users: cpus[database : database+users], KeyManagers: cpus[database+users:]}
}

// note describes the layout for the report.
func (l Layout) note(all []int) string {
	if len(l.Database)+len(l.KeyManagers)+len(l.Users) == 0 {
		return fmt.Sprintf("CPUs: %s, nothing pinned; database, key managers and users compete", list(all))
	}
	text := fmt.Sprintf("CPUs: database on %s, key managers on %s, users, exporter and Prometheus on %s",
		list(l.Database), list(l.KeyManagers), list(l.Users))
	if overlap(l.Database, l.Users) {
		text += "; database and users share, so that a busy database slows the users too"
	}
	if overlap(l.KeyManagers, l.Users) || overlap(l.KeyManagers, l.Database) {
		text += "; the key managers share their CPUs"
	}
	return text
}

// ParseCPUs reads a list as taskset takes it: 0,2-3.
func ParseCPUs(text string) ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		low, high, isRange := strings.Cut(part, "-")
		first, err := strconv.Atoi(strings.TrimSpace(low))
		last := first
		if err == nil && isRange {
			last, err = strconv.Atoi(strings.TrimSpace(high))
		}
		if err != nil || first < 0 || last < first || last > 4095 {
			return nil, fmt.Errorf("CPU list %q: want numbers and ranges like 0,2-3", text)
		}
		for cpu := first; cpu <= last; cpu++ {
			out = append(out, cpu)
		}
	}
	return out, nil
}

// list prints CPUs as numbers, or "any CPU".
func list(cpus []int) string {
	if len(cpus) == 0 {
		return "any CPU"
	}
	words := make([]string, len(cpus))
	for i, cpu := range cpus {
		words[i] = strconv.Itoa(cpu)
	}
	return "CPU " + strings.Join(words, ",")
}

func overlap(a, b []int) bool {
	if len(a) == 0 || len(b) == 0 {
		return true
	}
	for _, x := range a {
		for _, y := range b {
			if x == y {
				return true
			}
		}
	}
	return false
}
