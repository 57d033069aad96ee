// Package ststest imitates the AWS security token service for tests of assumed
// roles: the query protocol of AssumeRole, as far as the SDK asks for it.
package ststest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// What the broker hands out.
const (
	AccessKey = "ASIAROLE"
	Session   = "role-session"
)

// Broker is a token service for one role.
type Broker struct {
	URL     string
	refusal atomic.Value
}

// Start serves until the test ends. Requests have to carry the wanted
// parameters and be signed by accessKey for a region.
func Start(tb testing.TB, accessKey, region string, want map[string]string) *Broker {
	tb.Helper()
	b := &Broker{}
	b.Refuse("")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		if code := b.refusal.Load(); code != "" {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>no</Message></Error></ErrorResponse>`, code)
			return
		}
		for key, value := range want {
			if got := r.FormValue(key); got != value {
				tb.Errorf("%s is %q, want %q", key, got, value)
			}
		}
		if signed := r.Header.Get("Authorization"); !strings.Contains(signed, "Credential="+accessKey+"/") || !strings.Contains(signed, "/"+region+"/sts/") {
			tb.Errorf("signed %s", signed)
		}
		fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
<AccessKeyId>%s</AccessKeyId><SecretAccessKey>canary-role</SecretAccessKey><SessionToken>%s</SessionToken>
<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`, AccessKey, Session, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	}))
	tb.Cleanup(server.Close)
	b.URL = server.URL
	return b
}

// Refuse answers with an error of this code from now on; none is no error.
func (b *Broker) Refuse(code string) { b.refusal.Store(code) }

// Signed reports whether a request was signed with what a broker handed out.
func Signed(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Authorization"), "Credential="+AccessKey+"/") && r.Header.Get("X-Amz-Security-Token") == Session
}
