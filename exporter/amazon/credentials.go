package amazon

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// sessionName is what AWS's audit log shows for an assumed role.
const sessionName = "token-persistence-exporter"

// awsConfig is the SDK's own configuration: environment, profiles, instance
// metadata, AWS_ENDPOINT_URL. No request is made here. An empty region leaves
// the choice to the SDK as well; a role, unless empty, is assumed when
// credentials are needed first and again before they expire.
func awsConfig(ctx context.Context, region, role string) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return cfg, fmt.Errorf("load the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return cfg, errors.New("no AWS region: give --cloudwatch.region or set AWS_REGION")
	}
	provider := cfg.Credentials
	if role != "" {
		provider = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role,
			func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = sessionName }))
	}
	cfg.Credentials = credentials{provider, role}
	return cfg, nil
}

// credentials marks every way of having no credentials as class auth, whatever
// network error the SDK's last resort, the instance metadata service, ended in;
// a role that we may not assume is a missing permission.
type credentials struct {
	aws.CredentialsProvider
	role string
}

// Retrieve asks the SDK's provider.
func (p credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	creds, err := p.CredentialsProvider.Retrieve(ctx)
	if err == nil {
		return creds, nil
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok && p.role != "" && awsClasses[api.ErrorCode()] == collector.Permission {
		return creds, &collector.Failure{Class: collector.Permission, Err: fmt.Errorf("assume the role of --cloudwatch.assume-role: %w; allow our identity the action sts:AssumeRole on it, and let its trust policy name us", err)}
	}
	return creds, &collector.Failure{Class: collector.Auth, Err: fmt.Errorf("find AWS credentials: %w", err)}
}
