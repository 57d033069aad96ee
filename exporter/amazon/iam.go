package amazon

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/rds/auth"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// NewIAMLogin returns a Database.Login for IAM authentication of RDS: a token
// signed with this process's AWS credentials. Signing is arithmetic and no
// request, so each attempt to log in gets a token of its own, which cannot have
// outlived its 15 minutes. The region is that in the endpoint's name, else the
// one given, else the SDK's. A role for CloudWatch does not sign tokens: who
// may read metrics need not be who may log in.
func NewIAMLogin(ctx context.Context, endpoint, user, region string) (func(context.Context) (collector.Secret, error), error) {
	if in := rdsRegion(endpoint); in != "" {
		region = in
	}
	cfg, err := awsConfig(ctx, region, "")
	if err != nil {
		return nil, fmt.Errorf("--mysqld.iam-auth: %w", err)
	}
	return func(ctx context.Context) (collector.Secret, error) {
		token, err := auth.BuildAuthToken(ctx, endpoint, cfg.Region, user, cfg.Credentials)
		if err != nil {
			return "", fmt.Errorf("sign a token for --mysqld.iam-auth: %w", err)
		}
		return collector.Secret(token), nil
	}, nil
}

// rdsRegion finds the region in NAME.ID.REGION.rds.amazonaws.com and its like
// in China, or returns nothing.
func rdsRegion(endpoint string) string {
	host, _, err := net.SplitHostPort(endpoint)
	if err != nil {
		return ""
	}
	before, _, found := strings.Cut(strings.ToLower(host), ".rds.amazonaws.com")
	if !found {
		return ""
	}
	return before[strings.LastIndexByte(before, '.')+1:]
}
