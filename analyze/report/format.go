package report

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// missing stands for a number that is not there. Never 0.
const missing = "–"

// significant writes a value with three significant digits, without exponent
// below 1e12.
func significant(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return missing
	}
	if v == 0 {
		return "0"
	}
	if math.Abs(v) >= 1e12 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	digits := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	return strconv.FormatFloat(v, 'f', max(0, min(digits, 6)), 64)
}

// decimals is how many decimals three significant digits of v need.
func decimals(v float64) int {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return max(0, min(6, 2-int(math.Floor(math.Log10(math.Abs(v))))))
}

// ratioText writes a ratio with two decimals, small ones with three.
func ratioText(n Number) string {
	switch {
	case n == nil:
		return missing
	case *n > 0 && *n < 0.0005:
		return "<0.001"
	case *n >= 1e4 && !math.IsInf(*n, 0):
		return strconv.FormatFloat(*n, 'e', 0, 64)
	}
	return fixed(*n, ratioDecimals(*n))
}

func ratioDecimals(v float64) int {
	if math.Abs(v) < 0.1 {
		return 3
	}
	if math.Abs(v) >= 100 {
		return 0
	}
	return 2
}

func fixed(v float64, places int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return missing
	}
	if math.Abs(v) >= 1e12 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	s := strconv.FormatFloat(v, 'f', places, 64)
	if strings.Trim(s, "-0.") == "" {
		return strings.TrimPrefix(s, "-")
	}
	return s
}

// effectText writes the effect of a comparison: a ratio, or a difference of
// shares in percentage points.
func (c Comparison) effectText() string {
	if c.Effect == "difference" {
		return pointsText(c.Ratio.Estimate)
	}
	return ratioText(c.Ratio.Estimate)
}

// intervalText writes the interval of the effect, "" when there is none.
func (c Comparison) intervalText() string {
	r := c.Ratio
	if r.Lo == nil && r.Hi != nil && c.Effect == "difference" {
		return "at most " + pointsText(r.Hi)
	}
	if r.Lo == nil || r.Hi == nil {
		return ""
	}
	if c.Effect == "difference" {
		return pointsText(r.Lo) + " to " + pointsText(r.Hi)
	}
	return ratioText(r.Lo) + "–" + ratioText(r.Hi)
}

// pointsText writes a difference of shares in percentage points.
func pointsText(n Number) string {
	if n == nil {
		return missing
	}
	return signed(*n*100, 2) + " pp"
}

func signed(v float64, places int) string {
	s := fixed(v, places)
	if v > 0 && strings.Trim(s, "0.") != "" {
		return "+" + s
	}
	return s
}

// valueText writes a side's value in the metric's unit.
func valueText(n Number, unit string) string {
	if n == nil {
		return missing
	}
	if isShare(unit) {
		return percent(*n)
	}
	return significant(*n)
}

// sideText writes a side with its interval.
func sideText(s Side, unit string) string {
	text := valueText(s.Estimate, unit)
	if s.Estimate == nil || s.Lo == nil || s.Hi == nil {
		return text
	}
	scale, suffix := 1.0, ""
	if isShare(unit) {
		scale, suffix = 100, " %"
	}
	places := decimals(*s.Estimate * scale)
	return fixed(*s.Estimate*scale, places) + " (" + fixed(*s.Lo*scale, places) + "–" + fixed(*s.Hi*scale, places) + ")" + suffix
}

// isShare tells units that people read as percentages.
func isShare(unit string) bool { return unit == "ratio" || unit == "share" }

// unitText is the unit as shown beside a label, which says "per token" itself.
func unitText(unit string) string {
	if isShare(unit) {
		return "%"
	}
	switch unit {
	case "1/s":
		return "per s"
	case "core-ms/token":
		return "core-ms"
	case "1/token", "bytes/token":
		return ""
	}
	return unit
}

func percent(v float64) string { return significant(v*100) + " %" }

// percentText writes a ratio as a percentage with at most one decimal.
func percentText(n Number) string {
	if n == nil {
		return missing
	}
	return trimZero(fixed(*n*100, 1)) + " %"
}

func trimZero(s string) string { return strings.TrimSuffix(s, ".0") }

func numberText(n Number, places int) string {
	if n == nil {
		return missing
	}
	return fixed(*n, places)
}

// pText writes a probability; never 0.
func pText(n Number) string {
	switch {
	case n == nil:
		return missing
	case *n < 0.001:
		return "< 0.001"
	default:
		return fixed(*n, 3)
	}
}

// clockText shortens RFC 3339 to the time of day; the date stands elsewhere.
func clockText(start string) string {
	t, err := time.Parse(time.RFC3339Nano, start)
	if err != nil {
		return start
	}
	return t.UTC().Format("15:04:05")
}
