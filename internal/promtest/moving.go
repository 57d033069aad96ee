package promtest

import (
	"math"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

// The labels that the made series have from their server.
const (
	MovingJob      = "token-persistence"
	MovingInstance = "db.example.com:9851"
)

// Moving makes a series of every one in the contract: an exporter that has all
// collectors on and whose every counter moves. Persistence is off, from a fifth
// of the time on, and off again for the last two fifths. The figures are
// plausible, no more.
func (c *Contract) Moving(from, to time.Time, step time.Duration) []Series {
	var out []Series
	for _, name := range c.Names() {
		for _, one := range c.series[name] {
			b := labels.NewBuilder(one).Set(model.MetricNameLabel, name).Set("job", MovingJob).Set("instance", MovingInstance)
			out = append(out, Series{b.Labels(), c.samples(name, one, from, to, step)})
		}
	}
	return out
}

func (c *Contract) samples(name string, of labels.Labels, from, to time.Time, step time.Duration) []promql.FPoint {
	n := int(to.Sub(from)/step) + 1
	out := make([]promql.FPoint, 0, n)
	sum := 1.0
	for i := range n {
		at := from.Add(time.Duration(i) * step)
		on := 5*i >= n && 5*i < 3*n
		v := gauge(name, of, i, on, at)
		if c.counters[name] {
			sum += perSecond(name, of, i, on) * step.Seconds()
			v = sum
		}
		out = append(out, promql.FPoint{T: at.UnixMilli(), F: v})
	}
	return out
}

// wave lies between 0.5 and 1.5, so that nothing stands still.
func wave(i int) float64 { return 1 + 0.5*math.Sin(float64(i)/10) }

// size is 1 to 9, different from series to series and the same at every call.
func size(of labels.Labels) float64 {
	return float64(1 + labels.NewBuilder(of).Del("le").Labels().Hash()%9)
}

// perSecond is the rate of a counter.
func perSecond(name string, of labels.Labels, i int, on bool) float64 {
	rate := size(of) * wave(i)
	switch {
	case strings.HasSuffix(name, "_bucket"):
		rate *= float64(1+rank(of.Get("le"))) / float64(len(bounds))
	case strings.HasSuffix(name, "_seconds_total") || strings.HasSuffix(name, "_seconds_sum"):
		rate /= 100
	}
	if strings.HasPrefix(name, "mysql_statement_") {
		rate *= 1000 // more than the token statements together
	}
	persistent := name == "wso2_token_rows_observed_total" || of.Get("purpose") == "persistence" ||
		of.Get("table") == "IDN_OAUTH2_ACCESS_TOKEN" && of.Get("operation") != "fetch"
	other := of.Get("kind") == "insert_invalid_token" || of.Get("kind") == "revocation_check"
	if persistent && !on || other && on {
		return 0
	}
	return rate
}

// bounds are the histogram's in rising order.
var bounds = [...]string{"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "+Inf"}

func rank(le string) int {
	for i, b := range bounds {
		if b == le {
			return i
		}
	}
	return len(bounds) - 1
}

// gauge is the value of a gauge.
func gauge(name string, of labels.Labels, i int, on bool, at time.Time) float64 {
	has := func(suffixes ...string) bool {
		for _, s := range suffixes {
			if strings.HasSuffix(name, s) {
				return true
			}
		}
		return false
	}
	switch {
	case name == "wso2_token_tax_ratio":
		v := map[string]float64{"lower": 0.3, "upper": 0.42}[of.Get("bound")]
		if !on {
			v /= 20
		}
		return v * wave(i)
	case name == "wso2_token_persistence_log_mode":
		if on == (of.Get("mode") == "on") {
			return 1
		}
		return 0
	case has("_timestamp_seconds"):
		return float64(at.Unix() - 20)
	case has("_info", "_success", "_successful", "_index_present"):
		return 1
	case has("_excess_privileges", "_offset_seconds", "_left_out", "_read_only"):
		return 0
	case has("mysql_connections_max"):
		return 500
	case has("rds_iops_limit"):
		return 3000
	case has("mysql_uptime_seconds"):
		return 86400 + float64(i)
	case has("_ratio"):
		return 0.4 * wave(i)
	case has("_seconds"):
		return 0.005 * wave(i)
	case has("_bytes"):
		return size(of)*1e8 + float64(i)*1e5
	default:
		return size(of)*10*wave(i) + float64(i)/10
	}
}
