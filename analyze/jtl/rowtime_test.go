package jtl

import "testing"

// TestDates is a table of the times that JMeter can be told to write.
func TestDates(t *testing.T) {
	const second = 1782900001000 // 2026-07-01T10:00:01Z
	for _, c := range []struct {
		in    string
		ms    int64
		local bool
	}{
		{"2026/07/01 10:00:01.234", second + 234, true},
		{"2026-07-01 10:00:01", second, true},
		{"2026-07-01T10:00:01.5Z", second + 500, false},
		{"2026-07-01T12:00:01.123456789+02:00", second + 123, false},
		{"2026-07-01T04:30:01-0530", second, false},
		{"2026-07-01T12:00:01+02", second, false},
		{"2024-02-29T23:59:59Z", 1709251199000, false},
	} {
		if ms, local, ok := parseDate([]byte(c.in)); !ok || ms != c.ms || local != c.local {
			t.Errorf("%s: %d %t %t, want %d %t", c.in, ms, local, ok, c.ms, c.local)
		}
	}
	for _, in := range []string{
		"", "1782900001000", "07/01/2026 10:00:01", "26/07/01 10:00:01.000", "2026-07/01 10:00:01", "2026-02-30T10:00:01Z",
		"2026-13-01T10:00:01Z", "2026-07-01T24:00:01Z", "2026-07-01T10:60:01Z", "2026-07-01T10:00:61Z", "2026-07-01 10:00:01 PM",
		"2026-07-01T10:00:01.", "2026-07-01T10:00:01+2", "2026-07-01T10:00:01+0:200", "2026-07-01T10:00:01+02:0", "2026-07-01T10:00",
	} {
		if ms, _, ok := parseDate([]byte(in)); ok {
			t.Errorf("%s was read as %d", in, ms)
		}
	}
}
