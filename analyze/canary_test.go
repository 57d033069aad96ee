package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/source/sourcetest"
)

// secretPlaces are all places in which analyze takes a secret for Prometheus, as
// the settings of the HTTP client. SECRET stands for it, FILE for the path of a
// file that holds it. Some make a client that cannot work: errors are where secrets slip
// out.
var secretPlaces = map[string]string{
	"url":                  "", // the user and the password in the address
	"header flag":          "", // a --prometheus.header other than the tenant's
	"header flag, equals":  "", // the same as one argument
	"refused header":       "", // Authorization, which that flag refuses
	"password":             "{basic_auth: {username: u, password: SECRET}}",
	"password file":        "{basic_auth: {username: u, password_file: FILE}}",
	"credentials":          "{authorization: {credentials: SECRET}}",
	"credentials file":     "{authorization: {type: Token, credentials_file: FILE}}",
	"headers":              "{http_headers: {X-Key: {secrets: [SECRET]}}}",
	"headers file":         "{http_headers: {X-Key: {files: [FILE]}}}",
	"client secret":        "{oauth2: {client_id: u, client_secret: SECRET, token_url: 'URL/token'}}",
	"client secret file":   "{oauth2: {client_id: u, client_secret_file: FILE, token_url: 'URL/token'}}",
	"key":                  "{tls_config: {cert: SECRET, key: SECRET}}",
	"key file":             "{tls_config: {cert_file: FILE, key_file: FILE}}",
	"authority file":       "{tls_config: {ca_file: FILE}}",
	"proxy":                "{proxy_url: 'http://u:SECRET@127.0.0.1:1'}",
	"proxy header":         "{proxy_url: 'http://127.0.0.1:1', proxy_connect_header: {Proxy-Authorization: [SECRET]}}",
	"password, wrong key":  "{basic_auth: {username: u, passwort: SECRET}}",
	"password, wrong kind": "{basic_auth: {username: u, password: [SECRET]}}",
	"credentials twice":    "{authorization: {credentials: SECRET, credentials_file: FILE}}",
}

// answers are what servers do with a request. Two repeat all that they were sent,
// in answers that analyze has no reason to quote; what a server says as its error is
// quoted, as docs/threat-model.md says.
var answers = map[string]http.HandlerFunc{
	"refused": func(w http.ResponseWriter, r *http.Request) { echo(w, r, http.StatusUnauthorized) },
	"no API":  func(w http.ResponseWriter, r *http.Request) { echo(w, r, http.StatusOK) },
	"an error": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"status":"error","errorType":"bad_data","error":"no"}`)
	},
	"elsewhere": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://u:"+secretIn("location")+"@elsewhere.example/")
		w.WriteHeader(http.StatusTemporaryRedirect)
	},
	"cut off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
}

func echo(w http.ResponseWriter, r *http.Request, status int) {
	body, _ := io.ReadAll(r.Body)
	w.WriteHeader(status)
	fmt.Fprint(w, r.Header, string(body))
}

const secretMark = "c4n4ry"

// secretIn is the secret of a place.
func secretIn(place string) string { return secretMark + strings.ReplaceAll(place, " ", "") }

// shown says whether a text holds a secret, as it is or as basic authentication
// sends it.
func shown(text, place string) bool {
	return strings.Contains(text, secretMark) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte("u:"+secretIn(place))))
}

// TestCanaries gives analyze a secret in every place where it takes one and looks
// for it in everything that it prints and writes, whatever the server does.
func TestCanaries(t *testing.T) {
	series, err := sourcetest.Parse(canarySeries)
	if err != nil {
		t.Fatal(err)
	}
	good, err := sourcetest.NewServer(t.TempDir(), series)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := good.Close(); err != nil {
			t.Error(err)
		}
	})
	handlers := map[string]http.Handler{"as it should": good}
	for name, answer := range answers {
		handlers[name] = answer
	}
	var arrived sync.Map
	for name, handler := range handlers {
		server := httptest.NewServer(token(&arrived, handler))
		t.Cleanup(server.Close)
		for place := range secretPlaces {
			for _, args := range canaryCommands(t, server.URL, place) {
				if text := everything(t, args); shown(text, place) {
					t.Errorf("secret in %s, server answers %s: %s shows it:\n%s", place, name, args[0], text)
				}
			}
		}
	}
	for _, place := range []string{"url", "header flag", "header flag, equals", "password", "password file", "credentials", "credentials file", "headers", "headers file", "issued"} {
		if _, ok := arrived.Load(place); !ok {
			t.Errorf("the secret in %s never reached a server, so nothing was proved", place)
		}
	}
}

// token answers for the server of OAuth 2, leaves the rest to the handler, and
// notes whose secret came with a request.
func token(arrived *sync.Map, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers := fmt.Sprint(r.Header)
		for _, place := range append(slices.Collect(maps.Keys(secretPlaces)), "issued") {
			basic := base64.StdEncoding.EncodeToString([]byte("u:" + secretIn(place)))
			if strings.Contains(headers, secretIn(place)+"]") || strings.Contains(headers, basic+"]") {
				arrived.Store(place, true)
			}
		}
		if r.URL.Path == "/token" {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer"}`, secretIn("issued"))
			return
		}
		h.ServeHTTP(w, r)
	})
}

// canaryCommands are the commands that read from Prometheus, told the secret.
func canaryCommands(t *testing.T, server, place string) [][]string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cache := []string{"--prometheus.cache", filepath.Join(dir, "cache")}
	settings := strings.NewReplacer("SECRET", secretIn(place), "FILE", write("secret", secretIn(place)), "URL", server).Replace(secretPlaces[place])
	address := server
	flags := append([]string{"--start", "2026-07-01T10:00:00Z", "--end", "2026-07-01T10:08:00Z"}, cache...)
	client := ""
	switch place {
	case "url":
		address = strings.Replace(server, "//", "//u:"+secretIn(place)+"@", 1)
	case "header flag", "header flag, equals", "refused header":
		header := map[string][]string{
			"header flag":         {"--prometheus.header", "X-Key=" + secretIn(place)},
			"header flag, equals": {"--prometheus.header=X-Key=" + secretIn(place)},
			"refused header":      {"--prometheus.header", "Authorization=Bearer " + secretIn(place)},
		}[place]
		cache, flags = append(cache, header...), append(flags, header...)
	default:
		client = ", http: " + settings
		flags = append(flags, "--prometheus.http-config", write("http.yaml", settings))
	}
	flags = append(flags, "--prometheus.url", address)
	experiment := write("experiment.yaml", "warmup: 10s\nenvironment: {apim: {vcpus: 4}, database: {vcpus: 8}}\nsource: {prometheus: {url: '"+address+"'"+client+"}}\nwindows:\n"+
		"  - {grant: password, persistence: on, start: 2026-07-01T10:00:00Z, end: 2026-07-01T10:02:00Z}\n"+
		"  - {grant: password, persistence: off, start: 2026-07-01T10:05:00Z, end: 2026-07-01T10:07:00Z}\n")
	return [][]string{
		append([]string{"compare", experiment, "--format", "text,markdown,html,json,csv,junit", "--output", filepath.Join(dir, "report")}, cache...),
		append([]string{"windows", "--format", "experiment"}, flags...),
		append([]string{"estimate", "--apim-vcpus", "4", "--database-vcpus", "8", "--format", "json"}, flags...),
	}
}

// everything is what a command prints and what it writes below --output and
// --prometheus.cache.
func everything(t *testing.T, args []string) string {
	t.Helper()
	var out strings.Builder
	run(t.Context(), args, &out, &out)
	for _, flag := range []string{"--output", "--prometheus.cache"} {
		at := slices.Index(args, flag)
		if at < 0 {
			continue
		}
		files := os.DirFS(args[at+1])
		err := fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // it came to nothing
			}
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := fs.ReadFile(files, path)
			if packed, bad := gzip.NewReader(bytes.NewReader(text)); err == nil && bad == nil {
				text, err = io.ReadAll(packed)
			}
			fmt.Fprintf(&out, "%s\n%q\n", path, text)
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	return out.String()
}

const canarySeries = `start 2026-07-01T10:00:00Z step 5s
token_persistence_exporter_collector_success{collector="endpoint",instance="e",job="token-persistence"} 1x120
wso2_token_endpoint_requests_total{code="2xx",endpoint="token",instance="e",job="token-persistence",method="POST"} 0+2000x23 46000x36 46000+1600x60
`
