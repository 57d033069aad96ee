package study

import (
	"fmt"
	"slices"
	"strings"
)

// saturated is the utilisation from which a host is called the limit of a closed
// loop. Users bring what they can, so a host that is busier than all others and
// close to fully busy is what they wait for; below it they wait elsewhere.
const saturated = 0.8

// certain is the utilisation from which that is sure. Below it users may as well wait
// elsewhere: 100 of them who are away between tokens can make 4 cores 95 % busy
// and yet gain little from faster ones. The sentences then say probably. Measured
// in simulations: docs/methods.md.
const certain = 0.97

// explain says per grant in up to three sentences what a token costs before and
// after, which host limits the throughput in each mode, and what follows. The
// sentences come from the numbers of the comparisons and from nothing else. A
// grant without data, or without the CPU of any host, has no explanation.
func explain(grants []*grant, o Options) []string {
	out := []string{}
	for _, g := range grants {
		if len(g.unusable) > 0 {
			continue
		}
		var sentences []string
		for _, s := range []string{g.costs(), g.limits(o), g.consequence(o)} {
			if s != "" {
				sentences = append(sentences, strings.ToUpper(s[:1])+s[1:]+".")
			}
		}
		if len(sentences) > 0 {
			out = append(out, g.name+": "+strings.Join(sentences, " "))
		}
	}
	return out
}

// host is what the comparisons of a grant say about one machine.
type host struct {
	name    string
	on, off float64 // utilisations
	known   bool    // both of them
	cost    *comparison
	cores   int
}

// hosts are the API Manager and the database as measured for a grant.
func (g *grant) hosts(o Options) []host {
	all := []host{
		{name: "the API Manager", cost: g.comparison(apimCoreMS), cores: o.Environment.APIManager.VCPUs},
		{name: "the database", cost: g.comparison(databaseCoreMS), cores: o.Environment.Database.VCPUs},
	}
	for i, metric := range []string{apimCPU, databaseCPU} {
		if c := g.comparison(metric); c != nil && c.On.Estimate != nil && c.Off.Estimate != nil {
			all[i].on, all[i].off, all[i].known = *c.On.Estimate, *c.Off.Estimate, true
		}
	}
	return all
}

// costs says what a token takes of each host with and without persistence, and
// for the API Manager why, where the published page says it.
func (g *grant) costs() string {
	var parts []string
	for _, h := range g.hosts(Options{}) {
		if h.cost == nil || h.cost.Ratio.Estimate == nil || h.cost.On.Estimate == nil || h.cost.Off.Estimate == nil {
			continue
		}
		r := h.cost.Ratio
		switch {
		case r.Lo == nil || r.Hi == nil:
			parts = append(parts, fmt.Sprintf("%s took %s instead of %s core-ms per token (off/on %s, no interval)", h.name, figure(*h.cost.Off.Estimate), figure(*h.cost.On.Estimate), ratio(*r.Estimate)))
		case *r.Lo <= 1 && *r.Hi >= 1:
			parts = append(parts, fmt.Sprintf("whether %s takes more or less per token is undecided (off/on %s [%s, %s])", h.name, ratio(*r.Estimate), ratio(*r.Lo), ratio(*r.Hi)))
		default:
			parts = append(parts, fmt.Sprintf("%s takes %s instead of %s core-ms per token (off/on %s [%s, %s])", h.name, figure(*h.cost.Off.Estimate), figure(*h.cost.On.Estimate), ratio(*r.Estimate), ratio(*r.Lo), ratio(*r.Hi)))
		}
		if h.cost.Metric == apimCoreMS && r.Lo != nil && *r.Lo > 1 && (g.name == "password" || g.name == "refresh_token") {
			parts[len(parts)-1] += ", as the published page says: the refresh token is then a signed JWT, a second signature"
		}
	}
	return strings.Join(parts, "; ")
}

// limits says which host limited the throughput in each mode, or under a given
// rate how busy the hosts were.
func (g *grant) limits(o Options) string {
	var known []host
	for _, h := range g.hosts(o) {
		if h.known {
			known = append(known, h)
		}
	}
	switch {
	case len(known) == 0:
		return ""
	case o.Load == RateLoad:
		return atRate(known)
	}
	on, off := busiest(known, host.with), busiest(known, host.without)
	switch {
	case on == nil && off == nil:
		return nothingSaturated(known)
	case on == nil:
		return fmt.Sprintf("without persistence %s (%s)%s %slimits throughput; with it %s", off.name, off.change(), others(known, *off, host.without), probably(off.off), unsaturated(known))
	case off == nil:
		return fmt.Sprintf("with persistence %s (%s)%s %slimits throughput; without it %s", on.name, on.change(), others(known, *on, host.with), probably(on.on), unsaturated(known))
	case on.name == off.name:
		return fmt.Sprintf("%s (%s)%s %s", on.name, on.change(), others(known, *off, host.without), inBoth(on.on, on.off))
	}
	return fmt.Sprintf("the bottleneck %smoves from %s (%s) to %s (%s)", probably(on.on, off.off), on.name, on.change(), off.name, off.change())
}

// inBoth says that a host limits throughput in both modes, as surely as it does in
// each.
func inBoth(on, off float64) string {
	switch {
	case on < certain && off >= certain:
		return "limits throughput without persistence, and probably with it"
	case on >= certain && off < certain:
		return "limits throughput with persistence, and probably without it"
	}
	return probably(on, off) + "limits throughput in both modes"
}

// probably hedges a sentence that rests on these utilisations.
func probably(busy ...float64) string {
	if slices.Min(busy) >= certain {
		return ""
	}
	return "probably "
}

func (h host) with() float64    { return h.on }
func (h host) without() float64 { return h.off }

// change is the utilisation before and after.
func (h host) change() string { return fmt.Sprintf("%.0f → %.0f %% busy", 100*h.on, 100*h.off) }

// busiest is the host with the highest utilisation in a mode, nil when even that
// is not saturated.
func busiest(known []host, busy func(host) float64) *host {
	var top *host
	for i := range known {
		if u := busy(known[i]); u >= saturated && (top == nil || u > busy(*top)) {
			top = &known[i]
		}
	}
	return top
}

// others contrasts the limiting host with the other one, if its CPU is known.
func others(known []host, limit host, busy func(host) float64) string {
	for _, h := range known {
		switch {
		case h.name == limit.name:
		case busy(h) >= saturated:
			return fmt.Sprintf(", with %s close (%s),", h.name, h.change())
		default:
			return fmt.Sprintf(", not %s (%s),", h.name, h.change())
		}
	}
	return ""
}

// elsewhere is where users wait when they wait for no CPU.
const elsewhere = "waits for locks, disk or connections, delays in the network, or the load generator"

// unsaturated says what limits a mode in which no known CPU does.
func unsaturated(known []host) string {
	if len(known) == 1 {
		return "that host is not saturated, and the other's CPU is unknown"
	}
	return "neither CPU is saturated, so the limit is outside both: " + elsewhere
}

func nothingSaturated(known []host) string {
	if len(known) == 1 {
		return fmt.Sprintf("%s (%s) does not limit throughput, and the other host's CPU is unknown", known[0].name, known[0].change())
	}
	return fmt.Sprintf("neither %s (%s) nor %s (%s) is saturated, so what limits throughput is outside both CPUs: %s",
		known[0].name, known[0].change(), known[1].name, known[1].change(), elsewhere)
}

// atRate describes utilisation where the load was given.
func atRate(known []host) string {
	var parts []string
	for _, h := range known {
		text := fmt.Sprintf("%s is %s", h.name, h.change())
		if max(h.on, h.off) >= saturated {
			text += ", which leaves it little room"
		}
		parts = append(parts, text)
	}
	return "at the offered rate " + strings.Join(parts, ", ")
}

// consequence says what became of the throughput and, for the host that limits
// it without persistence, the most that its cores can issue at the cost found.
func (g *grant) consequence(o Options) string {
	var parts []string
	if c := g.tokens(); o.Load != RateLoad && c.Ratio.Estimate != nil && g.known(o) {
		parts = append(parts, changed(c))
	}
	for _, h := range g.hosts(o) {
		if !h.known || h.off < saturated || !decided(h.cost) || h.cores == 0 {
			continue
		}
		parts = append(parts, fmt.Sprintf("the %s of %s can issue at most %s tokens/s at that cost, %s with persistence",
			cores(h.cores), h.name, figure(1000*float64(h.cores) / *h.cost.Off.Estimate), figure(1000*float64(h.cores) / *h.cost.On.Estimate)))
	}
	return strings.Join(parts, "; ")
}

func cores(n int) string {
	if n == 1 {
		return "one core"
	}
	return fmt.Sprintf("%d cores", n)
}

// known says whether any host's utilisation is.
func (g *grant) known(o Options) bool {
	for _, h := range g.hosts(o) {
		if h.known {
			return true
		}
	}
	return false
}

// changed puts the throughput ratio into words.
func changed(c *comparison) string {
	r := c.Ratio
	if r.Lo == nil || r.Hi == nil {
		return fmt.Sprintf("throughput off/on was %s, without an interval", ratio(*r.Estimate))
	}
	if c.Method == methodWithin {
		return fmt.Sprintf("throughput off/on was %s [%s, %s] within this window only", ratio(*r.Estimate), ratio(*r.Lo), ratio(*r.Hi))
	}
	interval := fmt.Sprintf("(off/on %s [%s, %s])", ratio(*r.Estimate), ratio(*r.Lo), ratio(*r.Hi))
	switch {
	case *r.Lo > 1:
		return "throughput rises " + interval
	case *r.Hi < 1:
		return "throughput falls " + interval
	}
	return "whether throughput changes is undecided " + interval
}

// decided says whether the interval of a cost excludes no change.
func decided(c *comparison) bool {
	return c != nil && c.Ratio.Lo != nil && c.Ratio.Hi != nil && c.On.Estimate != nil && c.Off.Estimate != nil &&
		*c.On.Estimate > 0 && *c.Off.Estimate > 0 && (*c.Ratio.Lo > 1 || *c.Ratio.Hi < 1)
}

// comparison finds a metric of the grant, nil when it has none.
func (g *grant) comparison(metric string) *comparison {
	for i := range g.comparisons {
		if g.comparisons[i].Metric == metric {
			return &g.comparisons[i]
		}
	}
	return nil
}
