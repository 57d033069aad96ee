package source

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/ststest"
)

// TestCloudWatchRole reads as an assumed role: CloudWatch is asked with what STS
// handed out, and what STS refuses ends the run with what to allow.
func TestCloudWatchRole(t *testing.T) {
	const role = "arn:aws:iam::123456789012:role/watcher"
	server, _, spec := clouded(t)
	asRole := true
	metrics := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asRole = asRole && ststest.Signed(r)
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(metrics.Close)
	broker := ststest.Start(t, "AKIDTEST", "eu-test-1",
		map[string]string{"Action": "AssumeRole", "RoleArn": role, "RoleSessionName": "token-persistence-analyze", "ExternalId": "study-7"})
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": metrics.URL, "AWS_ENDPOINT_URL_STS": broker.URL, "AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "canary-secret", "AWS_SESSION_TOKEN": "",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	spec.CloudWatch.AssumeRole, spec.CloudWatch.ExternalID = role, "study-7"
	d, err := Read(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	checkClouded(t, d)
	if !asRole {
		t.Error("CloudWatch was asked without the role")
	}

	for code, c := range map[string]struct{ want, not string }{
		"AccessDenied": {"allow our identity the action sts:AssumeRole", "cloudwatch:GetMetricData"},
		"ExpiredToken": {"check the AWS credentials and this host's clock", "sts:AssumeRole on it"},
	} {
		broker.Refuse(code)
		_, err := Read(t.Context(), spec)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "source.cloudwatch.assume_role") ||
			strings.Contains(err.Error(), c.not) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %q", code, err, c.want)
		}
	}
}
