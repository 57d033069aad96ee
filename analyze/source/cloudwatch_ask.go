package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

const (
	queriesPerRequest = 500 // CloudWatch's limit
	pagesPerRequest   = 50  // a page holds up to 100,800 points: more is a fault
	attempts          = 6   // of a request that is throttled or breaks off
)

// allowAction is what to do about every missing permission.
const allowAction = "allow the action cloudwatch:GetMetricData"

// newCloudWatch is the SDK's client with the SDK's own settings: environment,
// profiles, instance metadata, AWS_ENDPOINT_URL. No request is made here.
func newCloudWatch(ctx context.Context, c CloudWatch) (*cloudwatch.Client, error) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(c.Region), awsconfig.WithRetryMaxAttempts(attempts))
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, &SpecError{"no AWS region: set source.cloudwatch.region, or AWS_REGION"}
	}
	cfg.Credentials = identity(cfg, c)
	return cloudwatch.NewFromConfig(cfg), nil
}

// ask gets the points of all metrics of the window.
func (r *periodReader) ask(ctx context.Context) (map[metricID]periodAnswer, error) {
	queries, ids := r.queries()
	start, end := r.span()
	answers := make(map[metricID]periodAnswer, len(ids))
	for first := 0; first < len(queries); first += queriesPerRequest {
		last := min(first+queriesPerRequest, len(queries))
		in := &cloudwatch.GetMetricDataInput{
			StartTime: aws.Time(start), EndTime: aws.Time(end),
			ScanBy: types.ScanByTimestampAscending, MetricDataQueries: queries[first:last],
		}
		byID := map[string]metricID{}
		for i := first; i < last; i++ {
			byID[*queries[i].Id] = ids[i]
		}
		asking, cancel := context.WithTimeout(ctx, queryTimeout)
		err := r.pages(asking, in, byID, answers)
		cancel()
		if err != nil {
			return nil, fmt.Errorf("read %d metrics from CloudWatch for %s: %w", last-first, rangeText(start, end), explained(err))
		}
	}
	return answers, nil
}

// pages reads one request to its last page. A page may be empty and yet have a
// successor; a token that comes twice would never end. Until its last page a
// result's status is PartialData: the last one stands.
func (r *periodReader) pages(ctx context.Context, in *cloudwatch.GetMetricDataInput, byID map[string]metricID, answers map[metricID]periodAnswer) error {
	tokens := map[string]bool{}
	for range pagesPerRequest {
		out, err := r.client.GetMetricData(ctx, in)
		if err != nil {
			return err
		}
		for _, result := range out.MetricDataResults {
			id, ours := byID[aws.ToString(result.Id)]
			if !ours {
				return fmt.Errorf("the answer has a result %q that was not asked for", aws.ToString(result.Id))
			}
			if len(result.Timestamps) != len(result.Values) {
				return fmt.Errorf("the answer about %s has %d times and %d values", id.metric, len(result.Timestamps), len(result.Values))
			}
			a := answers[id]
			if a.points == nil {
				a.points = points{}
			}
			a.status = result.StatusCode
			for i, t := range result.Timestamps {
				if finite(result.Values[i]) {
					a.points[t.UnixMilli()] = result.Values[i]
				}
			}
			answers[id] = a
		}
		token := aws.ToString(out.NextToken)
		switch {
		case token == "":
			return nil
		case tokens[token]:
			return errors.New("the answer's pages begin again and would never end")
		}
		tokens[token] = true
		in.NextToken = out.NextToken
	}
	return fmt.Errorf("the answer has more than %d pages", pagesPerRequest)
}

// explained adds what to do about an error of AWS.
func explained(err error) error {
	if _, role := errors.AsType[*roleError](err); role {
		return err
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	if _, throttled := retry.DefaultThrottleErrorCodes[api.ErrorCode()]; throttled {
		return fmt.Errorf("%w (%d attempts were refused: wait a minute and start again)", err, attempts)
	}
	if forbidden(api.ErrorCode()) {
		return fmt.Errorf("%w (%s)", err, allowAction)
	}
	switch api.ErrorCode() {
	case "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidClientTokenId", "InvalidSignatureException",
		"MissingAuthenticationToken", "RequestExpired", "SignatureDoesNotMatch", "UnrecognizedClientException":
		return fmt.Errorf("%w (check the AWS credentials and this host's clock)", err)
	}
	return err
}

// forbidden says whether a code of AWS means that a permission is missing.
func forbidden(code string) bool {
	switch code {
	case "AccessDenied", "AccessDeniedException", "NotAuthorized", "OptInRequired", "UnauthorizedOperation":
		return true
	}
	return false
}
