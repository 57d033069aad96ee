// Package thresholds holds every limit that an alert fires at and a dashboard
// draws, once. It holds values and reasons and no expression: alerts/ has the
// rules, dashboards/ the panels.
//
//	t, err := thresholds.Get("database_cpu_saturated") // t.Value is 0.9
package thresholds

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tokenpersistence/toolkit/internal/nearest"
)

// Severity says how soon somebody has to act.
type Severity string

// The severities of alerts.
const (
	Critical Severity = "critical" // act now: tokens are refused or soon will be
	Warning  Severity = "warning"  // a ticket: act in working hours
	Info     Severity = "info"     // worth knowing when you look
)

// Threshold is one limit.
type Threshold struct {
	ID       string
	Value    float64
	Unit     string   // ratio, bytes, bytes/day, rows, seconds, per second, sessions, USD, …
	Below    bool     // bad is below the value, not above it
	Severity Severity // of the alert that it belongs to; guards have that of their alert
	Why      string   // one sentence
	Source   string   // who says so; "ours" for judgement
}

// Get returns the threshold; an unknown id is an error that suggests the nearest.
func Get(id string) (Threshold, error) {
	var ids []string
	for _, t := range table {
		if t.ID == id {
			return t, nil
		}
		ids = append(ids, t.ID)
	}
	return Threshold{}, fmt.Errorf("no threshold %s: %s", id, nearest.Hint(id, ids))
}

// All returns the thresholds in the order of the table.
func All() []Threshold { return append([]Threshold(nil), table...) }

// String is the value as PromQL and people read it: no exponent, no more digits
// than it has.
func (t Threshold) String() string { return strconv.FormatFloat(t.Value, 'f', -1, 64) }

// Text is the value with its unit as Prometheus' templates write
// them beside it: 90%, 1GiB, 20ms.
func (t Threshold) Text() string {
	switch t.Unit {
	case "ratio":
		return number(t.Value*100) + "%"
	case "bytes", "bytes/day":
		unit, value := "B", t.Value
		for _, larger := range []string{"KiB", "MiB", "GiB", "TiB"} {
			if value < 1024 {
				break
			}
			unit, value = larger, value/1024
		}
		return number(value) + unit + strings.TrimPrefix(t.Unit, "bytes")
	case "seconds":
		switch minutes := t.Value / 60; {
		case t.Value < 1:
			return number(t.Value*1000) + "ms"
		case minutes >= 1 && minutes == math.Trunc(minutes):
			return number(minutes) + "m"
		}
		return number(t.Value) + "s"
	case "times":
		return number(t.Value) + "×"
	case "per second":
		return number(t.Value) + "/s"
	}
	return count(t.Value) + " " + t.Unit
}

// count is a number of things: 500k, 1M.
func count(v float64) string {
	switch {
	case v >= 1e6:
		return number(v/1e6) + "M"
	case v >= 1e3:
		return number(v/1e3) + "k"
	}
	return number(v)
}

// number rounds away what multiplication added: 0.07*100 is 7.000000000000001.
func number(v float64) string {
	return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64)
}
