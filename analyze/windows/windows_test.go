package windows_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
	"github.com/tokenpersistence/toolkit/analyze/windows"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// load is a stretch of a simulated recording.
type load struct {
	seconds float64
	rate    float64 // tokens/s
	on      float64 // share of the tokens that leave a row
	grant   string
	blind   bool // no scrapes
}

// simulation turns stretches into what would have been recorded of them.
type simulation struct {
	step    time.Duration
	offset  time.Duration // of the scrapes against whole seconds
	phi, cv float64       // of the tokens per scrape
	without []string      // series that nobody recorded
	seed    uint64
}

// usual is a quiet system with a scrape every 5 s.
var usual = simulation{step: 5 * time.Second, offset: 1370 * time.Millisecond, phi: 0.3, cv: 0.03}

// record plays the loads one after the other from noon on. A load of 0 tokens/s
// is a pause. Totals are those at the time of a scrape.
func (s simulation) record(loads ...load) source.Recording {
	random := rand.New(rand.NewPCG(s.seed, 11))
	length := 0.0
	for _, l := range loads {
		length += l.seconds
	}
	end := noon.Add(time.Duration(length * float64(time.Second)))
	r := source.Recording{Start: noon, End: end, Series: map[string]source.Series{}}
	noise := random.NormFloat64()
	add := func(name string, in source.Interval, increase float64) {
		in.Increase = increase
		series := r.Series[name]
		series.Step = s.step
		series.Intervals = append(series.Intervals, in)
		r.Series[name] = series
	}
	last := noon.Add(s.offset)
	pending := map[string]float64{}
	for at := last.Add(s.step); !at.After(end); at = at.Add(s.step) {
		noise = s.phi*noise + math.Sqrt(1-s.phi*s.phi)*random.NormFloat64()
		scraped := true
		begin := noon
		for _, l := range loads {
			until := begin.Add(time.Duration(l.seconds * float64(time.Second)))
			from, to := latest(begin, at.Add(-s.step)), earliest(until, at)
			if to.After(from) {
				tokens := max(0, l.rate*to.Sub(from).Seconds()*(1+s.cv*noise))
				pending[source.EndpointRequests] += tokens
				pending["token_inserts"] += tokens * l.on
				if l.grant == "refresh_token" {
					pending["invalid_inserts"] += tokens * (1 - l.on)
				}
				if l.grant != "" {
					pending["rows_"+l.grant] += tokens * l.on
				}
				scraped = scraped && !l.blind
			}
			begin = until
		}
		if !scraped {
			continue
		}
		in := source.Interval{From: last, To: at}
		for _, name := range []string{source.EndpointRequests, source.EndpointErrors, "token_inserts", "invalid_inserts", "rows_client_credentials", "rows_password", "rows_refresh_token"} {
			if !slices.Contains(s.without, name) {
				add(name, in, pending[name])
			}
		}
		clear(pending)
		last = at
	}
	return r
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

var usualOptions = windows.Options{MinLength: time.Minute, MinChange: 0.2}

func propose(t *testing.T, r source.Recording, o windows.Options) windows.Proposal {
	t.Helper()
	p, err := windows.Propose(r, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// shown is a proposal as people see it.
func shown(p windows.Proposal) string {
	var b strings.Builder
	if err := windows.Text(&b, p); err != nil {
		return err.Error()
	}
	return b.String()
}

// near checks the edges of a window, in seconds after noon.
func near(t *testing.T, w windows.Window, from, to, within float64) {
	t.Helper()
	start, end := w.Start.Sub(noon).Seconds(), w.End.Sub(noon).Seconds()
	if math.Abs(start-from) > within || math.Abs(end-to) > within {
		t.Errorf("a window from %.2f s to %.2f s, want %g to %g", start, end, from, to)
	}
}

// TestFindsTheWindows is a study as somebody runs it: each grant in pairs, the
// order drawn by lot, warm-up bursts and restarts between.
func TestFindsTheWindows(t *testing.T) {
	on := func(grant string, rate float64) load { return load{300, rate, 1, grant, false} }
	off := func(grant string, rate float64) load { return load{300, rate, 0, grant, false} }
	pause, burst := load{seconds: 100}, load{20, 300, 1, "client_credentials", false}
	loads := []load{
		pause, burst, pause,
		on("client_credentials", 760), pause, off("client_credentials", 970), pause,
		off("client_credentials", 960), pause, on("client_credentials", 770), pause,
		off("password", 360), pause, on("password", 430), pause,
		on("password", 440), pause, off("password", 365), pause,
		on("refresh_token", 330), pause, off("refresh_token", 410), pause,
	}
	for _, s := range []simulation{usual, {step: time.Second, offset: 370 * time.Millisecond, phi: 0.6, cv: 0.06}, {step: 15 * time.Second, offset: 7 * time.Second, phi: 0.3, cv: 0.02}} {
		p := propose(t, s.record(loads...), usualOptions)
		want := []struct {
			grant string
			mode  source.Mode
			block int
			rate  float64
		}{
			{"client_credentials", source.On, 1, 760}, {"client_credentials", source.Off, 1, 970}, {"client_credentials", source.Off, 2, 960}, {"client_credentials", source.On, 2, 770},
			{"password", source.Off, 1, 360}, {"password", source.On, 1, 430}, {"password", source.On, 2, 440}, {"password", source.Off, 2, 365},
			{"refresh_token", source.On, 1, 330}, {"refresh_token", source.Off, 1, 410},
		}
		if len(p.Windows) != len(want) || len(p.LeftOut) != 1 {
			t.Fatalf("every %s: %d windows and %d left out, want %d and 1: %+v", s.step, len(p.Windows), len(p.LeftOut), len(want), p.LeftOut)
		}
		for i, w := range p.Windows {
			from := 220 + 400*float64(i)
			near(t, w, from, from+300, 0.15*s.step.Seconds()+0.2)
			if e := want[i]; w.Grant != e.grant || w.Persistence != e.mode || w.Block != e.block || math.Abs(w.TokensPerSecond/e.rate-1) > 0.02 {
				t.Errorf("every %s: window %d is %s %s block %d, %.1f tokens/s; want %+v (%s)", s.step, i+1, w.Grant, w.Persistence, w.Block, w.TokensPerSecond, e, w.Mode)
			}
		}
		if why := p.LeftOut[0].Why; !strings.Contains(why, "shorter than --min-length 1m0s") {
			t.Errorf("left out because %s", why)
		}
		if p.WarmupSeconds != 60 {
			t.Errorf("a warm-up of %g s (%s)", p.WarmupSeconds, p.WarmupWhy)
		}
		for _, n := range p.Notes {
			t.Errorf("note %q", n)
		}
	}
}

// TestSwitchWithoutPause: the load goes on while nodes are restarted with the
// other mode, and a rolling restart has both for a while.
func TestSwitchWithoutPause(t *testing.T) {
	p := propose(t, usual.record(load{300, 400, 1, "password", false}, load{300, 400, 0, "password", false}), usualOptions)
	if len(p.Windows) != 2 || p.Windows[0].Persistence != source.On || p.Windows[1].Persistence != source.Off {
		t.Fatalf("%s", shown(p))
	}
	near(t, p.Windows[0], 1.37, 300, 5)
	near(t, p.Windows[1], 300, 600, 6)
	if w := p.Windows[0]; !strings.Contains(w.Ends, "persistence changes from on to off") || w.Begins != "the data begin" {
		t.Errorf("begins %q, ends %q", w.Begins, w.Ends)
	}
	p = propose(t, usual.record(load{300, 400, 1, "password", false}, load{120, 400, 0.5, "password", false}, load{300, 400, 0, "password", false}), usualOptions)
	if len(p.Windows) != 2 || len(p.LeftOut) != 1 || !strings.Contains(p.LeftOut[0].Why, "neither on nor off") {
		t.Errorf("%s", shown(p))
	}
}

// TestGrantsWithoutPause: two grants one after the other.
func TestGrantsWithoutPause(t *testing.T) {
	p := propose(t, usual.record(load{300, 400, 1, "password", false}, load{300, 400, 1, "client_credentials", false}), usualOptions)
	if len(p.Windows) != 2 || p.Windows[0].Grant != "password" || p.Windows[1].Grant != "client_credentials" {
		t.Fatalf("%s", shown(p))
	}
	if !strings.Contains(p.Windows[1].Begins, "grant changes from password to client_credentials") {
		t.Errorf("begins %q", p.Windows[1].Begins)
	}
}

// TestLevels: more users are another experiment, a slow minute is not.
func TestLevels(t *testing.T) {
	p := propose(t, usual.record(load{300, 400, 1, "password", false}, load{300, 600, 1, "password", false}), usualOptions)
	if len(p.Windows) != 2 {
		t.Fatalf("%s", shown(p))
	}
	near(t, p.Windows[0], 1.37, 300, 6)
	if !strings.Contains(p.Windows[0].Ends, "throughput rises from") {
		t.Errorf("ends %q", p.Windows[0].Ends)
	}
	for name, loads := range map[string][]load{
		"10 %":          {{300, 400, 1, "password", false}, {300, 440, 1, "password", false}},
		"40 s of stall": {{300, 400, 1, "password", false}, {40, 150, 1, "password", false}, {300, 400, 1, "password", false}},
		"a ramp":        {{15, 100, 1, "password", false}, {15, 250, 1, "password", false}, {300, 400, 1, "password", false}},
	} {
		if p := propose(t, usual.record(loads...), usualOptions); len(p.Windows) != 1 || len(p.LeftOut) != 0 {
			t.Errorf("%s: %d windows, left out %+v", name, len(p.Windows), p.LeftOut)
		}
	}
}

// TestLongLoad: hours of load, scraped every second, with one change of level.
func TestLongLoad(t *testing.T) {
	s := simulation{step: time.Second, phi: 0.3, cv: 0.05, without: []string{"rows_client_credentials", "rows_refresh_token", "invalid_inserts"}}
	p := propose(t, s.record(load{9_000, 400, 1, "password", false}, load{6_000, 600, 1, "password", false}), usualOptions)
	if len(p.Windows) != 2 {
		t.Fatalf("%s", shown(p))
	}
	near(t, p.Windows[0], 0, 9_000, 4)
}

// TestGapEndsAWindow: while nobody scraped, anything may have happened.
func TestGapEndsAWindow(t *testing.T) {
	p := propose(t, usual.record(load{300, 400, 1, "password", false}, load{60, 400, 1, "password", true}, load{300, 400, 1, "password", false}), usualOptions)
	if len(p.Windows) != 2 || !strings.Contains(p.Windows[0].Ends, "no scrapes for") || !strings.Contains(p.Windows[1].Begins, "scrapes begin again after") {
		t.Fatalf("%s", shown(p))
	}
	near(t, p.Windows[0], 1.37, 300, 5)
	if !told(p.Notes, "tokens were issued within 1 gap of the scrapes and are in no window") {
		t.Errorf("notes %q", p.Notes)
	}
	// One scrape that is missing is no gap.
	r := usual.record(load{300, 400, 1, "password", false})
	for name, s := range r.Series {
		s.Intervals[20].To, s.Intervals[20].Increase = s.Intervals[21].To, s.Intervals[20].Increase+s.Intervals[21].Increase
		s.Intervals = slices.Delete(s.Intervals, 21, 22)
		r.Series[name] = s
	}
	if p := propose(t, r, usualOptions); len(p.Windows) != 1 {
		t.Errorf("%d windows", len(p.Windows))
	}
}

// TestIdleIsNoWindow: the portal asks for a token now and then.
func TestIdleIsNoWindow(t *testing.T) {
	idle := load{600, 0.5, 1, "password", false}
	p := propose(t, usual.record(idle, load{300, 400, 1, "password", false}, idle), usualOptions)
	if len(p.Windows) != 1 || len(p.LeftOut) != 0 {
		t.Fatalf("%s", shown(p))
	}
	near(t, p.Windows[0], 600, 900, 1)
}

// TestShortPause: without a whole scrape of silence two windows are one, with
// one they are two, and the reader is told that they may be one.
func TestShortPause(t *testing.T) {
	loads := []load{{300, 400, 1, "password", false}, {12, 0, 0, "", false}, {300, 400, 1, "password", false}}
	p := propose(t, usual.record(loads...), usualOptions)
	if len(p.Windows) != 2 || !told(p.Windows[1].Notes, "if that was an outage within one run") {
		t.Errorf("%s", shown(p))
	}
	o := usualOptions
	o.MinPause = 20 * time.Second
	p = propose(t, usual.record(loads...), o)
	if len(p.Windows) != 1 || len(p.Notes) == 0 || !strings.Contains(p.Notes[0], "1 pause shorter than --min-pause 20s") {
		t.Errorf("%s", shown(p))
	}
}

// TestDips: at one scrape a second, a pause of 1.4 s shows as cells with few
// tokens; a slower second does not, and neither does a quiet system.
func TestDips(t *testing.T) {
	s := simulation{step: time.Second, offset: 370 * time.Millisecond, phi: 0.3, cv: 0.05}
	p := propose(t, s.record(load{100, 400, 1, "password", false}, load{seconds: 1.4}, load{100, 400, 1, "password", false}), usualOptions)
	if len(p.Windows) != 2 || !strings.Contains(p.Windows[0].Ends, "hardly any tokens for") && !strings.Contains(p.Windows[0].Ends, "no tokens for") {
		t.Fatalf("%s", shown(p))
	}
	near(t, p.Windows[1], 101.4, 201.4, 0.9)
	p = propose(t, s.record(load{100, 400, 1, "password", false}, load{2, 200, 1, "password", false}, load{100, 400, 1, "password", false}), usualOptions)
	if len(p.Windows) != 1 {
		t.Errorf("%d windows, left out %+v", len(p.Windows), p.LeftOut)
	}
	// Two tokens a second, one scrape in 20 without any.
	r := s.record(load{600, 2, 1, "password", false})
	for i := range r.Series[source.EndpointRequests].Intervals {
		if i%20 == 10 {
			r.Series[source.EndpointRequests].Intervals[i].Increase = 0
		}
	}
	if p = propose(t, r, usualOptions); len(p.Windows) != 1 {
		t.Errorf("%d windows of a quiet system, left out %d", len(p.Windows), len(p.LeftOut))
	}
}

// TestPlan: of two windows with a pause of half a scrape between, the second
// begins where all others would end.
func TestPlan(t *testing.T) {
	s := simulation{step: time.Second, offset: 370 * time.Millisecond, phi: 0.3, cv: 0.05}
	on, off, pause := load{70, 400, 1, "password", false}, load{70, 300, 0, "password", false}, load{seconds: 2}
	p := propose(t, s.record(pause, on, pause, off, load{seconds: 0.9}, off, pause, on, pause, off, pause, on, pause), usualOptions)
	if len(p.Windows) != 6 || len(p.LeftOut) != 0 || !strings.Contains(p.Windows[1].Ends, "throughput dips for a scrape where the others, of 1m10s, end") {
		t.Fatalf("%s", shown(p))
	}
	near(t, p.Windows[1], 74, 144, 1)
	near(t, p.Windows[2], 144.9, 214.9, 1)
	if !told(p.Windows[2].Notes, "after window 2 of the same mode and grant") || p.Windows[2].Block != 2 {
		t.Errorf("%s", shown(p))
	}
	// The same dip where no window would end is part of one.
	p = propose(t, s.record(pause, on, pause, load{40, 300, 0, "password", false}, load{seconds: 0.9}, load{30, 300, 0, "password", false}, pause, on, pause, off, pause, on, pause), usualOptions)
	if len(p.Windows) != 5 {
		t.Errorf("%d windows, left out %+v", len(p.Windows), p.LeftOut)
	}
}

// told says whether one of the notes holds a text.
func told(notes []string, text string) bool {
	return slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, text) })
}

// TestRefuses: nothing was counted, or nothing was issued.
func TestRefuses(t *testing.T) {
	for want, r := range map[string]source.Recording{
		"no token request was counted":  {Start: noon, End: noon.Add(time.Hour)},
		"not one token was issued from": usual.record(load{seconds: 600}),
	} {
		if _, err := windows.Propose(r, usualOptions); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
