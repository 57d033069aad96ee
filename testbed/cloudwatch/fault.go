package cloudwatch

import (
	"slices"
	"time"
)

// Fault is something that goes wrong with the next requests.
type Fault struct {
	Requests      int           // how many requests it meets; 0 means every one until ClearFaults
	Code          string        // answer with this AWS error instead: Throttled, AccessDenied, …
	Result        string        // give results this StatusCode and no datapoints: Forbidden, InternalError, PartialData
	Metric        string        // Result and Empty strike this metric only; "" means all
	Empty         bool          // results without datapoints, as if nothing had been reported
	Late          time.Duration // more delay than configured
	MaxDatapoints int           // page size, as if the client had asked for it
	Hang          bool          // take the request and stay silent until the client gives up
	Cut           int           // break off the answer after so many bytes
	NextToken     string        // end the page with this token, whether or not more follows: the same for ever, or
	Endless       bool          // end the page with a token that was never used, for ever
	Clock         time.Duration // the service's clock is so far ahead of this machine's
}

// Error codes that a request may be answered with, as CloudWatch spells them.
const (
	Throttled     = "Throttling"
	AccessDenied  = "AccessDenied"
	ExpiredToken  = "ExpiredToken"
	InvalidToken  = "InvalidClientTokenId"
	InternalFault = "InternalServiceFault"

	signatureExpired = "SignatureDoesNotMatch"
)

// maxSkew is how far the time of a signature may be from the service's clock.
const maxSkew = 5 * time.Minute

// Inject adds a fault. Of several that are live a request meets the oldest.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
}

// ClearFaults ends every fault.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// nextFault counts a request and returns the fault it meets, the zero Fault when
// none.
func (s *Server) nextFault() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Requests++
	if len(s.faults) == 0 {
		return Fault{}
	}
	s.stats.Faults++
	f := s.faults[0]
	if f.Requests > 0 {
		if s.faults[0].Requests--; s.faults[0].Requests == 0 {
			s.faults = slices.Delete(s.faults, 0, 1)
		}
	}
	return f
}

// strikes says whether the fault concerns a metric's result.
func (f Fault) strikes(metric string) bool { return f.Metric == "" || f.Metric == metric }
