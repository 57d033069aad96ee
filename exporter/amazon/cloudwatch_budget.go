package amazon

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

const (
	// httpPerRequest is how many HTTP requests a period may cost for each set of up
	// to 500 metrics: pages, the SDK's retries and our own together. One is enough
	// in health. It is no setting: whatever CloudWatch answers, and whatever
	// AWS_MAX_ATTEMPTS says, a period costs no more.
	httpPerRequest = 10
	// maxAnswer bounds one HTTP answer: that to 500 queries, of ten datapoints each,
	// has about 200 kB. Decoding takes some thirty times as much memory.
	maxAnswer = 2 << 20
	// skewTolerance is how far AWS's clock may be from ours without meaning
	// anything: it is known to the second and some milliseconds on the way.
	skewTolerance = 5 * time.Second
)

var errBudget = &collector.Failure{Class: collector.Guard, Err: fmt.Errorf("the period's budget of HTTP requests to CloudWatch, %d for every %d metrics, is used up", httpPerRequest, queriesPerRequest)}

// meteredClient counts the HTTP requests to CloudWatch, refuses those beyond the
// period's budget and bounds the answers.
type meteredClient struct {
	next     cloudwatch.HTTPClient
	attempts *atomic.Uint64
	left     *atomic.Int64
}

// Do sends a request if the budget allows it.
func (c meteredClient) Do(r *http.Request) (*http.Response, error) {
	if c.left.Add(-1) < 0 {
		return nil, errBudget
	}
	c.attempts.Add(1)
	response, err := c.next.Do(r)
	if err != nil {
		return nil, err
	}
	response.Body = http.MaxBytesReader(nil, response.Body, maxAnswer)
	return response, nil
}

// meter makes one operation count what it costs.
func (c *CloudWatch) meter(o *cloudwatch.Options) {
	o.HTTPClient = meteredClient{o.HTTPClient, &c.attempts, &c.left}
}

// refill begins a period's budget.
func (c *CloudWatch) refill() {
	sets := (len(c.series) + queriesPerRequest - 1) / queriesPerRequest
	c.left.Store(int64(httpPerRequest * sets))
}

// clock is the time by AWS's clock, as far as it is known: periods are complete
// by that one, whatever this host's says.
func (c *CloudWatch) clock() time.Time {
	skew := time.Duration(c.skew.Load())
	if skew.Abs() < skewTolerance {
		skew = 0
	}
	return time.Now().Add(skew)
}

// learnSkew keeps how far AWS's clock was ahead of ours when it answered.
func (c *CloudWatch) learnSkew(out *cloudwatch.GetMetricDataOutput) {
	if skew, ok := awsmiddleware.GetAttemptSkew(out.ResultMetadata); ok {
		c.skew.Store(int64(skew))
		c.skewKnown.Store(true)
	}
}
