package study

import (
	"fmt"
	"math"

	"github.com/tokenpersistence/toolkit/analyze/report"
)

// userTolerance is how far the users found by Little's law may be from those
// declared.
const userTolerance = 0.05

// inFlight is the mean number of requests that users waited for at a time, by
// Little's law the throughput times the mean response time: the time that all
// requests of the measured part took together, failed ones included, over its
// length. With Z seconds between requests it is N − X·Z for N users. nil without
// a result file.
func (r run) inFlight() report.Number {
	if r.Requests == nil || r.span.length() <= 0 {
		return nil
	}
	ms := float64(r.Requests.FailedMS)
	for i, count := range r.Requests.ElapsedMS {
		ms += float64(i) * float64(count)
	}
	if ms == 0 {
		return nil
	}
	return number(ms / 1000 / r.span.length().Seconds())
}

// unaccounted says that in a closed loop the requests do not account for the
// declared users: N = X(R+Z) does not hold with Z = 0.
func (r run) unaccounted(o Options) string {
	users, busy := float64(o.Environment.Users), r.inFlight()
	if o.Load != ClosedLoad || users == 0 || busy == nil || math.Abs(*busy-users) <= userTolerance*users {
		return ""
	}
	if *busy > users {
		return fmt.Sprintf("throughput times response time accounts for %.4g users, %.0f are declared: there were more, or the result file holds requests of others", *busy, users)
	}
	return fmt.Sprintf("throughput times response time accounts for %.4g of %.0f users: the others paused between requests or the load generator stalled, so the users did not press as a closed loop without pauses would", *busy, users)
}
