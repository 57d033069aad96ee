package logs

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// parsed is a logRequest as a reader would say it.
type parsed struct {
	Endpoint, Method, Code string
	Seconds                float64
	At                     int64
}

func said(r logRequest) parsed {
	p := parsed{Method: httpMethods[r.method], Code: statusClasses[r.status], Seconds: r.seconds, At: r.at}
	if r.endpoint != noEndpoint {
		p.Endpoint = tokenEndpoints[r.endpoint]
	}
	return p
}

func newParser(t testing.TB, pattern string) *logParser {
	t.Helper()
	p, err := compileLogPattern(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return &logParser{pattern: p}
}

func TestParseLine(t *testing.T) {
	const (
		stamp = "[12/Dec/2019:16:53:29 +0530]"
		unix  = 1576149809
	)
	for _, c := range []struct {
		name, pattern, line string
		want                parsed
	}{
		{"token", "combined", `10.0.0.1 - - ` + stamp + ` "POST /oauth2/token HTTP/1.1" 200 1532 "-" "Apache-HttpClient/4.5"`, parsed{"token", "POST", "2xx", -1, unix}},
		{"no status, no bytes", "combined", `127.0.0.1 - - ` + stamp + ` "POST /oauth2/token HTTP/1.1" - - "-" "Synapse-PT-HttpComponents-NIO"`, parsed{"token", "POST", "unknown", -1, unix}},
		{"common", "common", `10.0.0.1 - alice ` + stamp + ` "POST /oauth2/revoke HTTP/1.1" 401 -`, parsed{"revoke", "POST", "4xx", -1, unix}},
		{"user with a space", "common", `10.0.0.1 - al ice ` + stamp + ` "POST /oauth2/introspect HTTP/1.1" 500 -`, parsed{"introspect", "POST", "5xx", -1, unix}},
		{"tenant and query", "combined", `10.0.0.1 - - ` + stamp + ` "GET /t/acme.com/oauth2/authorize?client_id=x&state=/oauth2/token HTTP/2.0" 302 - "-" "-"`, parsed{"authorize", "GET", "3xx", -1, unix}},
		{"path parameter and slash", "common", `h - - ` + stamp + ` "POST /oauth2/token/;jsessionid=1 HTTP/1.1" 200 1`, parsed{"token", "POST", "2xx", -1, unix}},
		{"neighbours are not ours", "common", `h - - ` + stamp + ` "POST /oauth2/tokens HTTP/1.1" 200 1`, parsed{"", "POST", "2xx", -1, unix}},
		{"other context", "common", `h - - ` + stamp + ` "POST /xoauth2/token HTTP/1.1" 200 1`, parsed{"", "POST", "2xx", -1, unix}},
		{"bare name", "common", `h - - ` + stamp + ` "POST token HTTP/1.1" 200 1`, parsed{"", "POST", "2xx", -1, unix}},
		{"odd method", "common", `h - - ` + stamp + ` "BREW /oauth2/token HTTP/1.1" 405 1`, parsed{"token", "other", "4xx", -1, unix}},
		{"no request line", "common", `h - - ` + stamp + ` "-" 400 -`, parsed{"", "other", "4xx", -1, unix}},
		{"odd status", "common", `h - - ` + stamp + ` "POST /oauth2/token HTTP/1.1" 999 -`, parsed{"token", "POST", "unknown", -1, unix}},
		{"milliseconds", `%h %l %u %t "%r" %s %b %D`, `h - - ` + stamp + ` "POST /oauth2/token HTTP/1.1" 200 12 104`, parsed{"token", "POST", "2xx", 0.104, unix}},
		{"seconds with decimals", `%h %t "%r" %s %T`, `h ` + stamp + ` "POST /oauth2/token HTTP/1.1" 200 1.250`, parsed{"token", "POST", "2xx", 1.25, unix}},
		{"whole seconds", `%h %t "%r" %s %T`, `h ` + stamp + ` "POST /oauth2/token HTTP/1.1" 200 3`, parsed{"token", "POST", "2xx", 3, unix}},
		{"microseconds", `%t %m %U %s %{us}T`, stamp + ` POST /oauth2/token 200 2500`, parsed{"token", "POST", "2xx", 0.0025, unix}},
		{"no duration", `%t %m %U %s %D`, stamp + ` POST /oauth2/token 200 -`, parsed{"token", "POST", "2xx", -1, unix}},
		{"no time stamp", `%{yyyy-MM-dd HH:mm}t %m %U %s`, `2019-12-12 16:53 POST /oauth2/token 200`, parsed{"token", "POST", "2xx", -1, 0}},
		{"quotes and backslashes in a header", `"%{User-Agent}i" "%r" %s %D`, `"a\" \"POST /oauth2/revoke HTTP/1.1\" 500 1\\" "POST /oauth2/token HTTP/1.1" 200 7`, parsed{"token", "POST", "2xx", 0.007, 0}},
		{"forged line in a header stays a header", "combined", `h - - ` + stamp + ` "GET /x HTTP/1.1" 200 1 "-" "\n10.0.0.1 - - ` + stamp + ` \"POST /oauth2/token HTTP/1.1\" 200 1"`, parsed{"", "GET", "2xx", -1, unix}},
		{"text around", `<%t> [%m] {%U} (%s)`, `<` + stamp + `> [POST] {/oauth2/token} (201)`, parsed{"token", "POST", "2xx", -1, unix}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := newParser(t, c.pattern).parse([]byte(c.line))
			if !ok {
				t.Fatalf("not parsed: %s", c.line)
			}
			if diff := cmp.Diff(c.want, said(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnparsedLines(t *testing.T) {
	for _, line := range []string{
		"", "garbage", "\x00\x01\xff", "h - -",
		`h - - [12/Dec/2019:16:53:29 +0530] "POST /oauth2/token HTTP/1.1"`,
		`h - - [12/Dec/2019:16:53:29 +0530] "POST /oauth2/token HTTP/1.1" 20`,
		`h - - [12/Dec/2019:16:53:29 +0530] "POST /oauth2/token HTTP/1.1" 2x0 1`,
		`h - - [12/Dec/2019:16:53:29 +0530] "POST /oauth2/token HTTP/1.1"  1`,
		`h - - [12/Dec/2019:16:53:29 +0530] "POST" 200 1`,
		`h - - [42/Dec/2019:16:53:29 +0530] "POST /oauth2/token HTTP/1.1" 200 1`,
		`h - - 12/Dec/2019:16:53:29 +0530 "POST /oauth2/token HTTP/1.1" 200 1`,
	} {
		if r, ok := newParser(t, "common").parse([]byte(line)); ok {
			t.Errorf("%q was parsed as %+v", line, said(r))
		}
	}
}

func TestLogPatternErrors(t *testing.T) {
	for pattern, says := range map[string]string{
		"":                     "no %s",
		"%h %l %u %t":          "no %s",
		`"%r" %b`:              "no %s",
		"%s %b":                "neither %r",
		"%m %s":                "neither %r",
		`"%r" %s %`:            "ends in %",
		`"%r" %>s`:             `"%>" is no field`,
		`"%r" %s %Z`:           `"%Z" is no field`,
		`"%r" %s %{x`:          "does not end",
		`"%r" %s %{x}`:         "does not end",
		`"%r" %s %{x}q`:        `"%{x}q" is no field`,
		`"%r" %s %{days}T`:     "want the unit",
		`"%r" %s%b`:            "nothing separates %s",
		`"%r" %s %s`:           "twice",
		"combinded":            "no %s",
		`%h "%r" %s %{X-Y}i%D`: "nothing separates %{X-Y}i",
	} {
		_, err := NewEndpoint(EndpointConfig{AccessLogs: []string{"x"}, LogPattern: pattern})
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "--collector.endpoint.log-pattern="+pattern) {
			t.Errorf("%q: error %v does not say %q", pattern, err, says)
		}
	}
}

// logLine is the form in which API Manager writes a token request.
func logLine(i int) string {
	return fmt.Sprintf(`10.1.%d.%d - - [01/Jul/2026:10:%02d:%02d +0000] "POST /oauth2/token HTTP/1.1" %d 1532 "-" "Apache-HttpClient/4.5.13 (Java/17.0.9)" %d`,
		i>>8&255, i&255, i/60000%60, i/1000%60, []int{200, 200, 200, 401, 500}[i%5], 5+i%300)
}

// FuzzParseLine checks that no line makes the parser panic, and that a line whose
// fields are drawn here comes back with them.
func FuzzParseLine(f *testing.F) {
	f.Add([]byte(logLine(1)), uint8(0), uint8(1), uint8(2), uint16(104), "agent \"x\" \\")
	f.Add([]byte(`h - - [12/Dec/2019:16:53:29 +0530] "`), uint8(3), uint8(9), uint8(5), uint16(0), "")
	patterns := []string{"common", "combined", `"%{User-Agent}i" %t %m %U %s %D`, `%t "%r" %s %T`}
	f.Fuzz(func(t *testing.T, line []byte, endpoint, method, status uint8, ms uint16, agent string) {
		for _, pattern := range patterns {
			newParser(t, pattern).parse(line)
		}
		e, m, s := int(endpoint)%len(tokenEndpoints), int(method)%(len(httpMethods)-1), int(status)%unknownStatus
		want := parsed{tokenEndpoints[e], httpMethods[m], statusClasses[s], float64(ms) / 1e3, 1576149809}
		text := fmt.Sprintf(`"%s" [12/Dec/2019:16:53:29 +0530] %s /t/x/oauth2/%s %d07 %d`,
			escapeAsTomcat(agent), want.Method, want.Endpoint, s+1, ms)
		got, ok := newParser(t, patterns[2]).parse([]byte(text))
		if !ok {
			t.Fatalf("not parsed: %s", text)
		}
		if diff := cmp.Diff(want, said(got)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	})
}

// escapeAsTomcat writes a header as AccessLogValve does.
func escapeAsTomcat(header string) string {
	var b strings.Builder
	for _, c := range []byte(header) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func TestParserDoesNotAllocate(t *testing.T) {
	p := newParser(t, namedPatterns["combined"]+" %D")
	line := []byte(logLine(7))
	if n := testing.AllocsPerRun(1000, func() { p.parse(line) }); n != 0 {
		t.Errorf("%v allocations per line", n)
	}
}

// regexpParser is the usual way to read an access log: one expression with a
// group per field. It is the benchmark's baseline.
var regexpParser = regexp.MustCompile(`^\S+ \S+ \S+ \[([^\]]+)\] "(\S+) (\S+) [^"]*" (\d{3}|-) \S+ "[^"]*" "[^"]*" (\d+)$`)

func parseByRegexp(line string) (parsed, bool) {
	m := regexpParser.FindStringSubmatch(line)
	if m == nil {
		return parsed{}, false
	}
	p := parsed{Method: m[2], Code: m[4][:1] + "xx"}
	path, _, _ := strings.Cut(m[3], "?")
	if _, name, ok := strings.Cut(path, "/oauth2/"); ok {
		p.Endpoint = name
	}
	ms, err := strconv.Atoi(m[5])
	at, err2 := time.Parse(clfLayout, m[1])
	p.Seconds, p.At = float64(ms)/1e3, at.Unix()
	return p, err == nil && err2 == nil
}

// BenchmarkParseLine prints lines per second and how many times faster the
// parser is than the regular expression over the same lines.
func BenchmarkParseLine(b *testing.B) {
	p := newParser(b, namedPatterns["combined"]+" %D")
	lines := make([][]byte, 4096)
	for i := range lines {
		lines[i] = []byte(logLine(i))
	}
	for _, line := range lines {
		want, ok := parseByRegexp(string(line))
		got, ok2 := p.parse(line)
		if !ok || !ok2 || said(got) != want {
			b.Fatalf("%s: the parser says %+v, the expression %+v", line, said(got), want)
		}
	}
	began := time.Now()
	for _, line := range lines {
		parseByRegexp(string(line))
	}
	baseline := time.Since(began) / time.Duration(len(lines))
	i := 0
	for b.Loop() {
		p.parse(lines[i%len(lines)])
		i++
	}
	perLine := float64(b.Elapsed()) / float64(b.N)
	b.ReportMetric(1e9/perLine, "lines/s")
	b.ReportMetric(float64(baseline)/perLine, "x-regexp")
}
