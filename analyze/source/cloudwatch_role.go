package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// sessionName is what AWS's audit log shows for an assumed role.
const sessionName = "token-persistence-analyze"

// identity is who CloudWatch is asked as: the identity that the SDK finds, or a
// role that it assumes when credentials are needed first, and again before they
// expire. No request is made here.
func identity(cfg aws.Config, c CloudWatch) aws.CredentialsProvider {
	provider := cfg.Credentials
	if c.AssumeRole != "" {
		provider = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), c.AssumeRole,
			func(o *stscreds.AssumeRoleOptions) {
				o.RoleSessionName = sessionName
				if c.ExternalID != "" {
					o.ExternalID = aws.String(c.ExternalID)
				}
			}))
	}
	return credentials{provider, c.AssumeRole}
}

// credentials say what to set when the SDK finds nobody to sign a request as,
// whatever its last resort, the instance metadata service, ended in, and what to
// allow when a role may not be assumed.
type credentials struct {
	aws.CredentialsProvider
	role string
}

// Retrieve asks the SDK's provider.
func (c credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	found, err := c.CredentialsProvider.Retrieve(ctx)
	if err == nil {
		return found, nil
	}
	api, answered := errors.AsType[smithy.APIError](err)
	switch {
	case c.role == "" || !answered:
		return found, fmt.Errorf("find AWS credentials (set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY): %w", err)
	case forbidden(api.ErrorCode()):
		return found, &roleError{fmt.Errorf("assume the role of source.cloudwatch.assume_role: %w (allow our identity the action sts:AssumeRole on it, and let its trust policy name us and the external_id)", err)}
	}
	return found, fmt.Errorf("assume the role of source.cloudwatch.assume_role: %w", err)
}

// roleError is a role that may not be assumed. What it says to do is about STS,
// not about CloudWatch.
type roleError struct{ error }

// Unwrap is AWS's error.
func (e *roleError) Unwrap() error { return e.error }
