package amazon

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/exporter/collector"
	endpoint "github.com/tokenpersistence/toolkit/testbed/cloudwatch"
)

const roleARN = "arn:aws:iam::123456789012:role/watcher"

// fakeSTS hands out credentials for roleARN, or an error of this code.
func fakeSTS(t *testing.T, code *string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		if *code != "" {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>no</Message></Error></ErrorResponse>`, *code)
			return
		}
		for key, want := range map[string]string{"Action": "AssumeRole", "RoleArn": roleARN, "RoleSessionName": "token-persistence-exporter"} {
			if got := r.FormValue(key); got != want {
				t.Errorf("%s is %q, want %q", key, got, want)
			}
		}
		if signed := r.Header.Get("Authorization"); !strings.Contains(signed, "Credential=AKIDEXAMPLE/") || !strings.Contains(signed, "/eu-west-3/sts/") {
			t.Errorf("signed %s", signed)
		}
		fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>c4n4ry-role</SecretAccessKey><SessionToken>role-session</SessionToken>
<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	t.Cleanup(server.Close)
	return server
}

func TestAssumeRole(t *testing.T) {
	awsIdentity(t)
	code := ""
	requests := 0
	cw, err := endpoint.New(endpoint.Config{Period: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	metrics := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=ASIAROLE/") || r.Header.Get("X-Amz-Security-Token") != "role-session" {
			t.Error("CloudWatch was not asked as the role")
		}
		cw.ServeHTTP(w, r)
	}))
	t.Cleanup(metrics.Close)
	t.Setenv("AWS_ENDPOINT_URL", metrics.URL)
	t.Setenv("AWS_ENDPOINT_URL_STS", fakeSTS(t, &code).URL)
	t.Setenv("AWS_MAX_ATTEMPTS", "1")
	poll := func() (fresh bool, err error) {
		client, err := NewCloudWatchClient(t.Context(), "eu-west-3", roleARN)
		if err != nil {
			t.Fatal(err)
		}
		return newCloudWatch(t, CloudWatchConfig{RDSInstances: []string{"db"}, Period: time.Minute}, client).poll(t.Context())
	}
	cw.Put(awsRDS, "CPUUtilization", "db", floorTo(time.Now(), time.Minute).Add(-time.Minute), 50)
	if fresh, err := poll(); err != nil || !fresh {
		t.Fatalf("fresh %t, %v", fresh, err)
	}
	asked := requests
	for refusal, want := range map[string]struct {
		class collector.Class
		hint  string
	}{
		"AccessDenied":         {collector.Permission, "sts:AssumeRole"},
		"ExpiredToken":         {collector.Auth, "find AWS credentials"},
		"InvalidClientTokenId": {collector.Auth, "find AWS credentials"},
	} {
		code = refusal
		if _, err := poll(); collector.ClassOf(err) != want.class || !strings.Contains(err.Error(), want.hint) || strings.Contains(err.Error(), "c4n4ry") {
			t.Errorf("%s: class %s of %v; want %s and %s", refusal, collector.ClassOf(err), err, want.class, want.hint)
		}
	}
	if requests != asked {
		t.Error("CloudWatch was asked without the role")
	}
}
