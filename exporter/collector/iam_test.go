package collector

import (
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenpersistence/toolkit/internal/rdstest"
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

// fakeRDS is a server behind a front that takes tokens.
type fakeRDS struct {
	*rdstest.Front
	mu     sync.Mutex
	tokens []string // all that were shown, newest last
	refuse bool
}

// database is what leads to the server with tokens.
func (r *fakeRDS) database(t *testing.T, authority *rdstest.Authority) Database {
	t.Helper()
	login, err := NewIAMLogin(t.Context(), serverName+":3306", "iam", "")
	if err != nil {
		t.Fatal(err)
	}
	return Database{Network: "tcp", Address: r.Addr(), User: "iam", Schema: "mysql", Login: login, Token: true, TLS: trusting(authority, serverName)}
}

func startRDS(t *testing.T, authority *rdstest.Authority) *fakeRDS {
	t.Helper()
	server := sharedServer(t)
	exec(t, server.Open(t, ""), "CREATE USER IF NOT EXISTS nopassword@'127.0.0.1'")
	r := &fakeRDS{}
	front, err := rdstest.Start(server.Addr, "nopassword", authority, serverName, func(user, token string) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.tokens = append(r.tokens, token)
		return user == "iam" && !r.refuse && strings.HasPrefix(token, serverName+":3306?Action=connect&DBUser=iam&")
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Front = front
	t.Cleanup(func() {
		if err := front.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// shown returns how many tokens the front has seen, and lets it refuse those to come.
func (r *fakeRDS) shown(refuse bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = refuse
	return len(r.tokens)
}

func TestIAMLogin(t *testing.T) {
	awsIdentity(t)
	authority := newAuthority(t)
	r := startRDS(t, authority)
	link := newLink(t, r.database(t, authority))
	for range 3 {
		if _, err := link.Session(soon(t)); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.shown(false); n != 1 {
		t.Errorf("%d logins for one connection", n)
	}
	time.Sleep(1100 * time.Millisecond) // a token's time has seconds
	link.Drop()
	if _, err := link.Session(soon(t)); err != nil {
		t.Fatal(err)
	}
	if r.tokens[0] == r.tokens[1] {
		t.Error("the second connection came with the first one's token")
	}

	before := r.shown(true)
	link.Drop()
	for range 20 {
		_, err := link.Session(soon(t))
		if ClassOf(err) != Auth || !strings.Contains(err.Error(), "rds-db:connect") || strings.Contains(err.Error(), "X-Amz") || strings.Contains(err.Error(), "c4n4ry") {
			t.Fatalf("class %s of %v", ClassOf(err), err)
		}
	}
	if n := r.shown(false); n != before+1 {
		t.Errorf("%d attempts with refused tokens", n-before)
	}
	link.gate.Open()
	if _, err := link.Session(soon(t)); err != nil {
		t.Errorf("after the pause: %v", err)
	}
}

// TestTokensStayOnTLS: a token goes neither to a server without TLS nor to one
// whose certificate is not trusted, and no password goes out in clear.
func TestTokensStayOnTLS(t *testing.T) {
	awsIdentity(t)
	authority := newAuthority(t)
	r := startRDS(t, authority)
	d := r.database(t, authority)
	d.TLS = nil
	if _, err := NewLink(d, &Gate{}); err == nil || !strings.Contains(err.Error(), "--mysqld.tls-ca") {
		t.Errorf("without TLS: %v", err)
	}
	d.TLS = trusting(newAuthority(t), serverName)
	if _, err := newLink(t, d).Session(soon(t)); ClassOf(err) != Connection {
		t.Errorf("untrusted: class %s of %v", ClassOf(err), err)
	}
	d = r.database(t, authority)
	d.Login, d.Token, d.Password = nil, false, "c4n4ry"
	if _, err := newLink(t, d).Session(soon(t)); ClassOf(err) != Auth || !strings.Contains(err.Error(), "only --mysqld.iam-auth allows") {
		t.Errorf("a password in clear: class %s of %v", ClassOf(err), err)
	}
	if n := r.shown(false); n != 0 {
		t.Errorf("%d secrets were shown", n)
	}
}

// TestIAMWithoutCredentials: who cannot sign is refused before anything is sent.
func TestIAMWithoutCredentials(t *testing.T) {
	awsIdentity(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	authority := newAuthority(t)
	r := startRDS(t, authority)
	if _, err := newLink(t, r.database(t, authority)).Session(soon(t)); ClassOf(err) != Auth || !strings.Contains(err.Error(), "find AWS credentials") {
		t.Errorf("class %s of %v", ClassOf(err), err)
	}
}
