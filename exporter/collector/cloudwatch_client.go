package collector

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
)

// NewCloudWatchClient returns the SDK's client. Credentials, profiles and
// AWS_ENDPOINT_URL are the SDK's own business; no request is made here. An
// empty region leaves the choice to the SDK as well.
func NewCloudWatchClient(ctx context.Context, region string) (*cloudwatch.Client, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("no AWS region: give --cloudwatch.region or set AWS_REGION")
	}
	cfg.Credentials = credentials{cfg.Credentials}
	return cloudwatch.NewFromConfig(cfg), nil
}

// credentials marks every way of having no credentials as class auth, whatever
// network error the SDK's last resort, the instance metadata service, ended in.
type credentials struct{ aws.CredentialsProvider }

// Retrieve asks the SDK's provider.
func (p credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	creds, err := p.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return creds, &Failure{Auth, fmt.Errorf("find AWS credentials: %w", err)}
	}
	return creds, nil
}

// countAttempts makes one operation count the HTTP requests it takes.
func (c *CloudWatch) countAttempts(o *cloudwatch.Options) {
	o.HTTPClient = countingClient{o.HTTPClient, &c.attempts}
}

type countingClient struct {
	next cloudwatch.HTTPClient
	n    *atomic.Uint64
}

// Do counts a request and sends it.
func (c countingClient) Do(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.next.Do(r)
}

// awsClasses are the error codes that say something about our rights. Source:
// "Common Errors" of the CloudWatch API Reference.
var awsClasses = map[string]Class{
	"AccessDenied":                Permission,
	"AccessDeniedException":       Permission,
	"NotAuthorized":               Permission,
	"OptInRequired":               Permission,
	"UnauthorizedOperation":       Permission,
	"ExpiredToken":                Auth,
	"ExpiredTokenException":       Auth,
	"IncompleteSignature":         Auth,
	"InvalidClientTokenId":        Auth,
	"InvalidSignatureException":   Auth,
	"MissingAuthenticationToken":  Auth,
	"RequestExpired":              Auth,
	"SignatureDoesNotMatch":       Auth,
	"UnrecognizedClientException": Auth,
}

// awsFailure gives an error of the SDK its class, where the general rules for
// networks and deadlines do not know it.
func awsFailure(err error) error {
	if _, known := errors.AsType[*Failure](err); known {
		return err
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	if _, throttled := retry.DefaultThrottleErrorCodes[api.ErrorCode()]; throttled {
		return &Failure{Throttled, fmt.Errorf("%w; lengthen --cloudwatch.period or watch fewer instances", err)}
	}
	switch class := awsClasses[api.ErrorCode()]; class {
	case Permission:
		return &Failure{class, fmt.Errorf("%w; allow the action cloudwatch:GetMetricData", err)}
	case Auth:
		return &Failure{class, fmt.Errorf("%w; check the AWS credentials and this host's clock", err)}
	}
	return err
}

// statusFailure is what the statuses of the results mean, nil when all are
// complete. It names the first that is not and counts the others.
func (c *CloudWatch) statusFailure(answers []answer) error {
	var first *Failure
	failed := 0
	for i, a := range answers {
		if a.status == types.StatusCodeComplete {
			continue
		}
		if failed++; first != nil {
			continue
		}
		s := c.series[i]
		about := fmt.Sprintf("CloudWatch's result for %s %s of %s", s.metric.namespace, s.metric.aws, s.instance)
		switch a.status {
		case types.StatusCodeForbidden:
			first = &Failure{Permission, fmt.Errorf("%s is forbidden: allow the action cloudwatch:GetMetricData", about)}
		case "":
			first = &Failure{Partial, fmt.Errorf("%s is missing", about)}
		default:
			first = &Failure{Partial, fmt.Errorf("%s has status %s", about, a.status)}
		}
	}
	switch {
	case first == nil:
		return nil
	case failed > 1:
		return fmt.Errorf("%w, and %d more of %d results", first, failed-1, len(answers))
	}
	return first
}
