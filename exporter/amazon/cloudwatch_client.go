package amazon

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// NewCloudWatchClient returns the SDK's client, which acts as role unless that
// is empty. No request is made here.
func NewCloudWatchClient(ctx context.Context, region, role string) (*cloudwatch.Client, error) {
	cfg, err := awsConfig(ctx, region, role)
	if err != nil {
		return nil, err
	}
	return cloudwatch.NewFromConfig(cfg), nil
}

// awsClasses are the error codes that say something about our rights. Source:
// "Common Errors" of the CloudWatch API Reference.
var awsClasses = map[string]collector.Class{
	"AccessDenied":                collector.Permission,
	"AccessDeniedException":       collector.Permission,
	"NotAuthorized":               collector.Permission,
	"OptInRequired":               collector.Permission,
	"UnauthorizedOperation":       collector.Permission,
	"ExpiredToken":                collector.Auth,
	"ExpiredTokenException":       collector.Auth,
	"IncompleteSignature":         collector.Auth,
	"InvalidClientTokenId":        collector.Auth,
	"InvalidSignatureException":   collector.Auth,
	"MissingAuthenticationToken":  collector.Auth,
	"RequestExpired":              collector.Auth,
	"SignatureDoesNotMatch":       collector.Auth,
	"UnrecognizedClientException": collector.Auth,
}

// awsFailure gives an error of the SDK its class, where the general rules for
// networks and deadlines do not know it.
func awsFailure(err error) error {
	if _, known := errors.AsType[*collector.Failure](err); known {
		return err
	}
	if _, garbled := errors.AsType[*smithy.DeserializationError](err); garbled && collector.ClassOf(err) == collector.Other {
		return &collector.Failure{Class: collector.Partial, Err: err}
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return err
	}
	if _, throttled := retry.DefaultThrottleErrorCodes[api.ErrorCode()]; throttled {
		return &collector.Failure{Class: collector.Throttled, Err: fmt.Errorf("%w; lengthen --cloudwatch.period or watch fewer instances", err)}
	}
	switch class := awsClasses[api.ErrorCode()]; class {
	case collector.Permission:
		return &collector.Failure{Class: class, Err: fmt.Errorf("%w; allow the action cloudwatch:GetMetricData", err)}
	case collector.Auth:
		return &collector.Failure{Class: class, Err: fmt.Errorf("%w; check the AWS credentials and this host's clock", err)}
	}
	return err
}

// statusFailure is what the statuses of the results mean, nil when all are
// complete. It names the first that is not and counts the others.
func (c *CloudWatch) statusFailure(answers []answer) error {
	var first *collector.Failure
	failed := 0
	for i, a := range answers {
		if a.status == types.StatusCodeComplete {
			continue
		}
		if failed++; first != nil {
			continue
		}
		about := c.series[i].about()
		switch a.status {
		case types.StatusCodeForbidden:
			first = &collector.Failure{Class: collector.Permission, Err: fmt.Errorf("%s is forbidden: allow the action cloudwatch:GetMetricData", about)}
		case "":
			first = &collector.Failure{Class: collector.Partial, Err: fmt.Errorf("%s is missing", about)}
		default:
			first = &collector.Failure{Class: collector.Partial, Err: fmt.Errorf("%s has status %s", about, a.status)}
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
