package projection

import (
	"fmt"
	"math"

	"github.com/tokenpersistence/toolkit/analyze/queueing"
	"github.com/tokenpersistence/toolkit/analyze/report"
)

// quantities are what a token costs, in seconds, and how long it takes.
type quantities struct {
	apim, database float64 // core-seconds
	delay          float64 // outside both CPUs
}

// network is the model of one mode on some hardware.
func (q quantities) network(h report.Hardware) queueing.Network {
	n := queueing.Network{Think: h.ThinkSeconds, Stations: []queueing.Station{
		{Demand: q.apim, Servers: h.APIManagerVCPUs},
		{Demand: q.delay, Servers: queueing.Delay},
	}}
	if h.DatabaseVCPUs > 0 {
		n.Stations = append(n.Stations, queueing.Station{Demand: q.database, Servers: h.DatabaseVCPUs})
	}
	return n
}

// response is what the model gives for a number of users, in seconds.
func (q quantities) response(h report.Hardware) (float64, error) {
	x, err := q.network(h).Throughput(h.Users)
	return queueing.Response(h.Users, x, h.ThinkSeconds), err
}

// fit returns the delay that makes the model's response time the measured one:
// 0 when the CPUs alone take as long or longer.
func (q quantities) fit(h report.Hardware, measured float64) (float64, error) {
	q.delay = 0
	alone, err := q.response(h)
	if err != nil || alone >= measured {
		return 0, err
	}
	// A delay of the whole response time is too long: the CPUs take some as well.
	lo, hi := 0.0, measured
	for hi-lo > precision*measured {
		q.delay = (lo + hi) / 2
		r, err := q.response(h)
		if err != nil {
			return 0, err
		}
		if r < measured {
			lo = q.delay
		} else {
			hi = q.delay
		}
	}
	return (lo + hi) / 2, nil
}

// precision of a fitted delay, as a share of the response time: far below what
// is measured, and 17 solutions away.
const precision = 1e-5

// mode is the model of one mode: its centre, and what each run says.
type mode struct {
	runs
	centre     quantities
	throughput float64   // geometric mean of the runs, tokens/s
	response   float64   // geometric mean of the runs, s
	delays     []float64 // of each run, fitted, s
	fitted     float64   // the delay that gives back the measured response time, s
	shortest   float64   // delay with which the model still gives back what was measured, s
	ceiling    float64   // response time that few answers undercut, s; +Inf where it is unknown
	backcast   outcome
}

// build fits the model to the runs of a mode.
func build(all runs, h report.Hardware) (mode, error) {
	m := mode{runs: all}
	apim, database := all.pick(sample.apimDemand), all.pick(sample.databaseDemand)
	m.centre = quantities{apim: centre(apim), database: centre(database)}
	m.throughput, m.response = centre(all.pick(sample.rate)), centre(all.pick(sample.responseTime))
	m.ceiling = all.ceiling
	var err error
	if m.fitted, err = m.centre.fit(h, m.response); err != nil {
		return m, err
	}
	for _, s := range all.samples {
		d, err := quantities{apim: s.apim, database: s.database}.fit(h, s.response)
		if err != nil {
			return m, err
		}
		m.delays = append(m.delays, d)
	}
	// Tolerance is what a back-cast may miss: near saturation a delay of nothing
	// may be as good as the fitted one.
	if m.shortest, err = m.centre.fit(h, m.response*(1-Tolerance)); err != nil {
		return m, err
	}
	m.centre.delay = m.longest()
	m.backcast, err = predict(m.centre, h)
	return m, err
}

// longest is the longest delay that the measurements allow: the fitted one, and
// no longer than the fastest answers took, which had to wait for it as well. If
// they took less than the shortest delay that fits, what passes outside the CPUs
// is no delay, and they say nothing about its length.
func (m mode) longest() float64 {
	if m.queues() {
		return m.fitted
	}
	return min(m.fitted, m.ceiling)
}

// queues says that the time outside the CPUs cannot be the same for all.
func (m mode) queues() bool { return m.ceiling < m.shortest }

func (s sample) apimDemand() float64     { return s.apim }
func (s sample) databaseDemand() float64 { return s.database }
func (s sample) rate() float64           { return s.throughput }
func (s sample) responseTime() float64   { return s.response }

func (r runs) pick(field func(sample) float64) []float64 {
	out := make([]float64, len(r.samples))
	for i, s := range r.samples {
		out[i] = field(s)
	}
	return out
}

// misses are the ratios by which the back-cast is off in throughput and
// response time.
func (m mode) misses() (throughput, response float64) {
	return m.backcast.throughput/m.throughput - 1, m.backcast.response/m.response - 1
}

// refusal says why a grant is not projected when a mode's back-cast is off, ""
// when it is not.
func (m mode) refusal(name string) string {
	throughput, response := m.misses()
	what, miss := fmt.Sprintf("%s tokens/s where %s were", short(m.backcast.throughput), short(m.throughput)), throughput
	why := ""
	switch {
	case throughput > Tolerance:
		why = "users who pause for longer than --think, a load generator that stalls, fewer users than environment.users"
	case throughput < -Tolerance && m.centre.delay > 0:
		why = "more users than environment.users, a shorter pause than --think"
	case throughput < -Tolerance:
		why = "the CPUs alone would take longer than an answer took, so the vCPUs or the CPU series are wrong"
	case math.Abs(response) > Tolerance:
		what, miss = fmt.Sprintf("a response time of %s ms where %s were", short(1000*m.backcast.response), short(1000*m.response)), response
		why = "fewer users than environment.users, a pause longer than --think"
	default:
		return ""
	}
	return fmt.Sprintf("with persistence %s the model gives %s measured (%+.1f %%); a model that is more than %.0f %% off says nothing about other hardware. Possible cause: %s",
		name, what, 100*miss, 100*Tolerance, why)
}

// short writes a value above 0 with three significant digits, without exponent.
func short(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// bottleneck names the resource that limits the throughput.
func bottleneck(x float64, q quantities, h report.Hardware) string {
	const busy = 0.8 // below it a resource leaves room
	apim := queueing.Utilisation(x, q.apim, h.APIManagerVCPUs)
	database := 0.0
	if h.DatabaseVCPUs > 0 {
		database = queueing.Utilisation(x, q.database, h.DatabaseVCPUs)
	}
	switch {
	case max(apim, database) < busy:
		return "none of the CPUs"
	case apim >= database:
		return "API Manager"
	default:
		return "database"
	}
}
