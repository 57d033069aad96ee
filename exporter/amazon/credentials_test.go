package amazon

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/exporter/collector"
	"github.com/tokenpersistence/toolkit/internal/ststest"
	endpoint "github.com/tokenpersistence/toolkit/testbed/cloudwatch"
)

const roleARN = "arn:aws:iam::123456789012:role/watcher"

func TestAssumeRole(t *testing.T) {
	awsIdentity(t)
	requests := 0
	cw, err := endpoint.New(endpoint.Config{Period: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	metrics := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		if !ststest.Signed(r) {
			t.Error("CloudWatch was not asked as the role")
		}
		cw.ServeHTTP(w, r)
	}))
	t.Cleanup(metrics.Close)
	t.Setenv("AWS_ENDPOINT_URL", metrics.URL)
	broker := ststest.Start(t, "AKIDEXAMPLE", "eu-west-3", map[string]string{"Action": "AssumeRole", "RoleArn": roleARN, "RoleSessionName": "token-persistence-exporter"})
	t.Setenv("AWS_ENDPOINT_URL_STS", broker.URL)
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
		broker.Refuse(refusal)
		if _, err := poll(); collector.ClassOf(err) != want.class || !strings.Contains(err.Error(), want.hint) || strings.Contains(err.Error(), "c4n4ry") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: class %s of %v; want %s and %s", refusal, collector.ClassOf(err), err, want.class, want.hint)
		}
	}
	if requests != asked {
		t.Error("CloudWatch was asked without the role")
	}
}
