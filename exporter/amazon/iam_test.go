package amazon

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// awsIdentity gives the test's process AWS credentials and nothing else of AWS.
func awsIdentity(t *testing.T) {
	t.Helper()
	for _, name := range []string{"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "c4n4ry-key")
	t.Setenv("AWS_SESSION_TOKEN", "c4n4ry-session")
}

func TestIAMToken(t *testing.T) {
	awsIdentity(t)
	for _, tc := range []struct{ endpoint, given, want string }{
		{"apim.abcdefghijkl.eu-west-3.rds.amazonaws.com:3306", "us-east-1", "eu-west-3"},
		{"apim.cluster-ro-abcdefghijkl.cn-north-1.rds.amazonaws.com.cn:3306", "", "cn-north-1"},
		{"APIM.ABC.EU-WEST-3.RDS.AMAZONAWS.COM:3306", "", "eu-west-3"},
		{"db.example:3307", "us-east-1", "us-east-1"},
	} {
		login, err := NewIAMLogin(t.Context(), tc.endpoint, "exporter", tc.given)
		if err != nil {
			t.Fatal(err)
		}
		token, err := login(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rest, found := strings.CutPrefix(token.Reveal(), tc.endpoint+"?")
		query, err := url.ParseQuery(rest)
		if !found || err != nil {
			t.Fatalf("no query behind %s?: %v", tc.endpoint, err)
		}
		signed, err := time.Parse("20060102T150405Z", query.Get("X-Amz-Date"))
		if err != nil || time.Since(signed).Abs() > time.Minute {
			t.Errorf("signed at %s, %v", query.Get("X-Amz-Date"), err)
		}
		for key, want := range map[string]string{
			"Action": "connect", "DBUser": "exporter", "X-Amz-Expires": "900", "X-Amz-Security-Token": "c4n4ry-session",
			"X-Amz-Credential": "AKIDEXAMPLE/" + signed.Format("20060102") + "/" + tc.want + "/rds-db/aws4_request",
		} {
			if query.Get(key) != want {
				t.Errorf("%s: %s is %q, want %q", tc.endpoint, key, query.Get(key), want)
			}
		}
	}
	if _, err := NewIAMLogin(t.Context(), "db.example:3306", "exporter", ""); err == nil || !strings.Contains(err.Error(), "--mysqld.iam-auth: no AWS region: give --cloudwatch.region") {
		t.Errorf("without a region: %v", err)
	}
}

// TestIAMWithoutCredentials: who cannot sign has no token to show.
func TestIAMWithoutCredentials(t *testing.T) {
	awsIdentity(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	login, err := NewIAMLogin(t.Context(), "db.example:3306", "exporter", "eu-west-3")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := login(t.Context()); collector.ClassOf(err) != collector.Auth || !strings.Contains(err.Error(), "find AWS credentials") {
		t.Errorf("class %s of %v", collector.ClassOf(err), err)
	}
}
