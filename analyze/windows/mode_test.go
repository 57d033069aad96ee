package windows_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/windows"
)

// TestMetricsAreInTheContract: every series that is asked for is one that the
// exporter promises.
func TestMetricsAreInTheContract(t *testing.T) {
	text, err := os.ReadFile("../../exporter/testdata/metrics.prom")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range windows.Metrics() {
		found := false
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, m.Metric+"{") {
				continue
			}
			all := true
			for name, value := range m.Labels {
				all = all && strings.Contains(line, name+`="`+value+`"`)
			}
			found = found || all
		}
		if !found {
			t.Errorf("%s: the exporter exposes no %s with %v", m.Name, m.Metric, m.Labels)
		}
	}
}

// gauge is a series that stands at a value for all of a recording.
func gauge(r source.Recording, value float64) source.Series {
	const step = 5 * time.Second
	s := source.Series{Step: step}
	for at := r.Start; at.Before(r.End); at = at.Add(step) {
		s.Points = append(s.Points, source.Point{Time: at, Value: value})
	}
	return s
}

// scaled is a counter that rises by a share of another, read every so often.
func scaled(s source.Series, share float64, every int) source.Series {
	out := source.Series{Step: s.Step}
	held := 0.0
	for i, in := range s.Intervals {
		held += in.Increase * share
		in.Increase = 0
		if i%every == every-1 {
			in.Increase, held = held, 0
		}
		out.Intervals = append(out.Intervals, in)
	}
	return out
}

// TestMode is what tells the mode, and what does not.
func TestMode(t *testing.T) {
	bare := usual
	bare.without = []string{"token_inserts", "invalid_inserts", "rows_client_credentials", "rows_password", "rows_refresh_token"}
	rowsOnly := usual
	rowsOnly.without = []string{"token_inserts", "invalid_inserts"}
	for name, c := range map[string]struct {
		s    simulation
		on   float64 // rows per token
		more func(r source.Recording)
		want source.Mode
		why  string
	}{
		"rows inserted":             {usual, 1, nil, source.On, "1.00 rows inserted per token"},
		"no rows inserted":          {usual, 0, nil, source.Off, "0.00 rows inserted per token"},
		"nothing recorded":          {bare, 1, nil, "", "nothing that counts rows or statements was recorded"},
		"rows found":                {rowsOnly, 1, nil, source.On, "1.00 rows found per token"},
		"no rows found":             {rowsOnly, 0, nil, source.Off, "0.00 rows found per token"},
		"rows that vanish":          {rowsOnly, 0.04, nil, "", "too few for tokens that stay"},
		"statements":                {bare, 1, func(r source.Recording) { with(r, "insert_statements", 1, 3) }, source.On, "INSERT statements per token"},
		"no statements":             {bare, 1, func(r source.Recording) { with(r, "insert_statements", 0, 1) }, source.Off, "0.00 INSERT statements per token"},
		"handed out again, perhaps": {usual, 0, func(r source.Recording) { with(r, "latest_statements", 1, 1) }, "", "yet 1.00 look-ups of a stored token"},
		"rows and look-ups":         {usual, 1, func(r source.Recording) { with(r, "latest_statements", 1, 1) }, source.On, "1.00 rows inserted"},
		"the log alone":             {bare, 1, func(r source.Recording) { r.Series["log_off"] = gauge(r, 1) }, source.Off, "API Manager's log says off"},
		"the log agrees":            {usual, 1, func(r source.Recording) { r.Series["log_on"] = gauge(r, 2) }, source.On, "; API Manager's log says on"},
		"the log contradicts":       {usual, 1, func(r source.Recording) { r.Series["log_off"] = gauge(r, 1) }, "", "but API Manager's log says off"},
		"nodes of both modes, alone": {bare, 1, func(r source.Recording) {
			r.Series["log_on"], r.Series["log_off"] = gauge(r, 1), gauge(r, 1)
		}, "", "nothing that counts"},
	} {
		r := c.s.record(load{seconds: 60}, load{300, 400, c.on, "client_credentials", false}, load{seconds: 60})
		if c.more != nil {
			c.more(r)
		}
		p := propose(t, r, usualOptions)
		if len(p.Windows) != 1 {
			t.Errorf("%s: %d windows, left out %+v", name, len(p.Windows), p.LeftOut)
			continue
		}
		if w := p.Windows[0]; w.Persistence != c.want || !strings.Contains(w.Mode, c.why) {
			t.Errorf("%s: %q because %s, want %q because %q", name, w.Persistence, w.Mode, c.want, c.why)
		}
	}
}

// with adds a counter that follows the tokens.
func with(r source.Recording, name string, share float64, every int) {
	r.Series[name] = scaled(r.Series[source.EndpointRequests], share, every)
}

// TestGrant is what tells the grant, and what does not.
func TestGrant(t *testing.T) {
	norows := usual
	norows.without = []string{"rows_client_credentials", "rows_password", "rows_refresh_token"}
	for name, c := range map[string]struct {
		s     simulation
		loads []load
		more  func(r source.Recording)
		want  string
		why   string
	}{
		"rows":                {usual, []load{{300, 400, 1, "password", false}}, nil, "password", "100.0 % of the rows"},
		"rows of several":     {usual, []load{{300, 400, 1, "password", false}}, func(r source.Recording) { with(r, "rows_refresh_token", 0.5, 1) }, "", "the rows are of several grants: password 67 %, refresh_token 33 %"},
		"voided":              {usual, []load{{300, 400, 0, "refresh_token", false}}, nil, "refresh_token", "1.00 refresh tokens voided per token"},
		"off leaves no trace": {usual, []load{{300, 400, 0, "password", false}}, nil, "", "only a refresh leaves a trace"},
		"look-ups":            {norows, []load{{300, 400, 1, "password", false}}, func(r source.Recording) { with(r, "refresh_statements", 1, 1) }, "refresh_token", "look-ups by refresh token per token"},
		"no rows":             {norows, []load{{300, 400, 1, "password", false}}, nil, "", "no rows were seen"},
		"the partner's":       {usual, []load{{300, 400, 0, "password", false}, {seconds: 60}, {300, 400, 1, "password", false}}, nil, "password", "taken from window 2 beside it"},
		"the only one":        {usual, []load{{300, 400, 0, "", false}, {seconds: 60}, {300, 300, 0, "", false}, {seconds: 60}, {300, 400, 1, "password", false}}, nil, "password", "the only grant that was seen"},
		"of two, none for it": {usual, []load{{300, 400, 0, "", false}, {seconds: 60}, {300, 300, 0, "", false}, {seconds: 60}, {300, 400, 1, "password", false}, {seconds: 60}, {300, 400, 1, "client_credentials", false}}, nil, "", "only a refresh leaves a trace"},
		"a refresh stays one": {usual, []load{{300, 400, 0, "refresh_token", false}, {seconds: 60}, {300, 400, 1, "password", false}}, nil, "refresh_token", "voided"},
	} {
		r := c.s.record(append([]load{{seconds: 60}}, append(c.loads, load{seconds: 60})...)...)
		if c.more != nil {
			c.more(r)
		}
		p := propose(t, r, usualOptions)
		if len(p.Windows) == 0 {
			t.Errorf("%s: %s", name, shown(p))
			continue
		}
		if w := p.Windows[0]; w.Grant != c.want || !strings.Contains(w.GrantWhy, c.why) {
			t.Errorf("%s: %q because %s, want %q because %q", name, w.Grant, w.GrantWhy, c.want, c.why)
		}
	}
}

// TestPairs is how windows come together to blocks.
func TestPairs(t *testing.T) {
	pause := load{seconds: 60}
	on, off := load{300, 400, 1, "password", false}, load{300, 350, 0, "password", false}
	for name, c := range map[string]struct {
		order  string // modes in the order of time
		blocks []int
		note   string
	}{
		"by lot":           {"1001", []int{1, 1, 2, 2}, ""},
		"always on first":  {"1010", []int{1, 1, 2, 2}, "each of the 2 pairs begins with persistence on, so the order looks not randomised"},
		"one mode first":   {"1100", []int{1, 2, 1, 2}, "the windows of the two modes do not take turns"},
		"one too many":     {"10011", []int{1, 1, 2, 2, 0}, "1 window without a partner"},
		"one mode":         {"11", []int{0, 0}, "no pair of windows: every one of them has persistence on"},
		"one pair is fine": {"01", []int{1, 1}, ""},
	} {
		var loads []load
		for _, mode := range c.order {
			loads = append(loads, map[rune]load{'1': on, '0': off}[mode], pause)
		}
		p := propose(t, usual.record(loads...), usualOptions)
		if len(p.Windows) != len(c.blocks) {
			t.Errorf("%s: %d windows", name, len(p.Windows))
			continue
		}
		for i, w := range p.Windows {
			if w.Block != c.blocks[i] {
				t.Errorf("%s: window %d is in block %d, want %d", name, i+1, w.Block, c.blocks[i])
			}
		}
		if c.note == "" && len(p.Notes) > 0 || c.note != "" && !told(p.Notes, c.note) {
			t.Errorf("%s: notes %q, want %q", name, p.Notes, c.note)
		}
	}
}
