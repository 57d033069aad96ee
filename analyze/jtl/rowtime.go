package jtl

import (
	"bytes"
	"fmt"
	"time"
)

// parseDate reads the dates that can mean only one thing: year first, as
// JMeter's yyyy/MM/dd HH:mm:ss.SSS or ISO 8601, to the second or finer. local
// says that no time zone stands behind it; UTC is assumed. Everything else, such
// as 07/01/26 or 12-hour clocks, is refused.
func parseDate(text []byte) (ms int64, local, ok bool) {
	const shape = "dddd-dd-dd dd:dd:dd"
	if len(text) < len(shape) {
		return 0, false, false
	}
	for i, c := range []byte(shape) {
		switch got := text[i]; {
		case c == 'd' && (got < '0' || got > '9'),
			c == '-' && got != '-' && (got != '/' || text[4] != text[7]),
			c == ' ' && got != ' ' && got != 'T',
			c == ':' && got != ':':
			return 0, false, false
		}
	}
	fraction, rest, ok := cutFraction(text[len(shape):])
	if !ok {
		return 0, false, false
	}
	zone, local, ok := parseZone(rest)
	if !ok {
		return 0, false, false
	}
	year, month, day := decimal(text[:4]), decimal(text[5:7]), decimal(text[8:10])
	hour, minute, second := decimal(text[11:13]), decimal(text[14:16]), decimal(text[17:19])
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	if t.Month() != time.Month(month) || t.Day() != day || hour > 23 || minute > 59 || second > 59 {
		return 0, false, false
	}
	return t.UnixMilli() + fraction - zone.Milliseconds(), local, true
}

// cutFraction reads .SSS, with one to nine digits, into milliseconds.
func cutFraction(text []byte) (ms int64, rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '.' {
		return 0, text, true
	}
	n := digits(text[1:])
	if n == 0 || n > 9 {
		return 0, nil, false
	}
	for i := range 3 {
		ms *= 10
		if i < n {
			ms += int64(text[1+i] - '0')
		}
	}
	return ms, text[1+n:], true
}

// parseZone reads Z, +hh:mm, +hhmm, +hh or nothing.
func parseZone(text []byte) (east time.Duration, local, ok bool) {
	switch {
	case len(text) == 0:
		return 0, true, true
	case string(text) == "Z":
		return 0, false, true
	case text[0] != '+' && text[0] != '-':
		return 0, false, false
	}
	figures := bytes.Replace(text[1:], []byte(":"), nil, 1)
	colon := len(figures) < len(text)-1
	if digits(figures) < len(figures) || len(figures) != 4 && (len(figures) != 2 || colon) || colon && text[3] != ':' {
		return 0, false, false
	}
	east = time.Duration(decimal(figures[:2])) * time.Hour
	if len(figures) == 4 {
		east += time.Duration(decimal(figures[2:])) * time.Minute
	}
	if text[0] == '-' {
		east = -east
	}
	return east, false, true
}

// decimal is the value of a short text of digits.
func decimal(text []byte) int {
	n := 0
	for _, c := range text {
		n = 10*n + int(c-'0')
	}
	return n
}

// isDate recognises a timeStamp that JMeter wrote as a date that we do not read.
func isDate(fields [][]byte, c columns) bool {
	return c.time < len(fields) && len(fields[c.time]) >= 8 && digits(fields[c.time]) < len(fields[c.time]) &&
		digits(fields[c.time]) > 0 && bytes.ContainsAny(fields[c.time], "-/:.")
}

func dateError(name string, line int, value string) error {
	return fmt.Errorf("%s:%d: timeStamp %q is a date that can be read in more than one way: set -Jjmeter.save.saveservice.timestamp_format=ms and measure again", name, line, value)
}
