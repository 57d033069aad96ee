package logs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
)

const (
	startLine = "TID: [-1234] [] [2026-11-22 10:00:01,234]  INFO {org.wso2.is.key.manager.tokenpersistence.internal.TokenPersistenceServiceComponent} - Activating TokenPersistenceServiceComponent...\n"
	offLine   = "TID: [-1234] [] [2026-11-22 10:00:01,235]  INFO {org.wso2.is.key.manager.tokenpersistence.internal.TokenPersistenceServiceComponent} - Token persistence is not enabled. Registering related services..\n"
	otherLine = "TID: [-1234] [] [2026-11-22 10:00:02,000]  INFO {org.wso2.carbon.core.internal.StartupFinalizerServiceComponent} - WSO2 Carbon started in 31 sec\n"
	consumer  = "c0n5umerK3y"
)

// onStart is what a server with token persistence writes when it starts.
var onStart = startLine + strings.Repeat(otherLine, settleLines)

func newCarbonLog(t testing.TB, logs ...string) *CarbonLog {
	t.Helper()
	c, err := NewCarbonLog(CarbonLogConfig{Logs: logs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.tail.close)
	return c
}

// said returns the samples of a scrape without those about the files.
func carbonPage(t *testing.T, c *CarbonLog) string {
	t.Helper()
	text, err := collectortest.Exposition(t, c)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, consumer) {
		t.Errorf("a consumer key is in the metrics:\n%s", text)
	}
	return text
}

func TestCarbonLogLines(t *testing.T) {
	const prefix = "TID: [-1234] [api/am] [2026-11-22 10:00:02,000] [c0rr-1d]  WARN {org.wso2.carbon.identity.oauth2.dao.AccessTokenDAOImpl} - "
	forClient := "'CON_APP_KEY' constrain violation retry attempt for application with consumer key : " + consumer
	for _, c := range []struct {
		name, lines                          string
		retry, recovered, exhausted, pool, n int
	}{
		{"attempt", prefix + "Retry attempt to recover 'CON_APP_KEY' constraint violation : 1", 1, 0, 0, 0, 1},
		{"for a client", prefix + forClient, 1, 0, 0, 0, 1},
		{"both texts of one attempt", prefix + forClient + "\n" + prefix + "Retry attempt to recover 'CON_APP_KEY' constraint violation : 1", 1, 0, 0, 0, 2},
		{"recovered", prefix + "Successfully recovered 'CON_APP_KEY' constraint violation with the attempt : 2", 0, 1, 0, 0, 1},
		{"exhausted", prefix + "'CON_APP_KEY' constrain violation retry count exceeds above the maximum count - 5", 0, 0, 1, 0, 1},
		{"another layout", "10:00:02.1 [exec-7] W AccessTokenDAOImpl: Retry attempt to recover 'CON_APP_KEY' constraint violation : 5 (bean-42)\r", 1, 0, 0, 0, 1},
		{"no layout at all", "Retry attempt to recover 'CON_APP_KEY' constraint violation : 3", 1, 0, 0, 0, 1},
		{"a duplicate key is not yet an outcome", "java.sql.SQLIntegrityConstraintViolationException: Duplicate entry '" + consumer + "' for key 'CON_APP_KEY'", 0, 0, 0, 0, 1},
		{"a stack trace repeats a message", prefix + "x\n" +
			"Caused by: x.IdentityOAuth2Exception: 'CON_APP_KEY' constrain violation retry count exceeds above the maximum count - 5\n" +
			"\tSuppressed: java.lang.Exception: Successfully recovered 'CON_APP_KEY' constraint violation\n" +
			"\tat org.wso2.X.y(X.java:1) 'CON_APP_KEY' constrain violation retry count exceeds above the maximum count\n\t... 42 more", 0, 0, 0, 0, 5},
		{"pool", "Caused by: org.apache.tomcat.jdbc.pool.PoolExhaustedException: [exec-7] Timeout: Pool empty. Unable to fetch a connection in 60 seconds, none available[size:50; busy:50; idle:0; lastwait:60000].", 0, 0, 0, 1, 1},
		{"garbage", "\x00\xff\xfe'CON_APP_KEY'\x00 constrain\n\n\x1b[31m", 0, 0, 0, 0, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			log := newAccessLog(t, filepath.Join(t.TempDir(), "wso2carbon.log"))
			cl := newCarbonLog(t, log.path)
			carbonPage(t, cl)
			log.write(c.lines + "\n")
			want := fmt.Sprintf(`wso2_token_carbonlog_files 1
wso2_token_carbonlog_lines_skipped_total 0
wso2_token_carbonlog_lines_total %d
wso2_token_carbonlog_truncations_total 0
wso2_token_con_app_key_violations_total{outcome="exhausted"} %d
wso2_token_con_app_key_violations_total{outcome="recovered"} %d
wso2_token_con_app_key_violations_total{outcome="retry"} %d
wso2_token_pool_exhausted_lines_total %d
`, c.n, c.exhausted, c.recovered, c.retry, c.pool)
			if diff := cmp.Diff(want, carbonPage(t, cl)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCarbonLogLongLine(t *testing.T) {
	log := newAccessLog(t, filepath.Join(t.TempDir(), "wso2carbon.log"))
	c := newCarbonLog(t, log.path)
	carbonPage(t, c)
	log.write(strings.Repeat("x", 2*maxLine) + "Retry attempt to recover 'CON_APP_KEY' constraint violation : 1\n")
	text := carbonPage(t, c)
	if want := "wso2_token_carbonlog_lines_skipped_total 1\nwso2_token_carbonlog_lines_total 1\n"; !strings.Contains(text, want) || !strings.Contains(text, `{outcome="retry"} 0`) {
		t.Errorf("want\n%sin\n%s", want, text)
	}
}

// modeSaid is the mode as a scrape shows it: on and off nodes.
func modeSaid(t *testing.T, c *CarbonLog) string {
	t.Helper()
	return collectortest.Only(carbonPage(t, c), "wso2_token_persistence_log_mode")
}

func modes(on, off int) string {
	return fmt.Sprintf("wso2_token_persistence_log_mode{mode=\"off\"} %d\nwso2_token_persistence_log_mode{mode=\"on\"} %d\n", off, on)
}

func TestCarbonLogMode(t *testing.T) {
	for name, steps := range map[string][]struct{ lines, want string }{
		"off":                 {{startLine + offLine, modes(0, 1)}},
		"on":                  {{onStart, modes(1, 0)}},
		"no start":            {{strings.Repeat(otherLine, 100), ""}},
		"off without a start": {{offLine + strings.Repeat(otherLine, 100), ""}},
		"not settled yet":     {{startLine + otherLine, ""}, {otherLine, ""}, {strings.Repeat(otherLine, settleLines), modes(1, 0)}},
		"off comes later":     {{startLine, ""}, {otherLine + otherLine, ""}, {offLine, modes(0, 1)}},
		"an older version":    {{strings.Replace(startLine, "Component...", "Component ...", 1) + offLine, modes(0, 1)}},
		"switched":            {{startLine + offLine, modes(0, 1)}, {onStart, modes(1, 0)}, {startLine + offLine + onStart, modes(1, 0)}, {startLine, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			log := newAccessLog(t, filepath.Join(t.TempDir(), "wso2carbon.log"))
			c := newCarbonLog(t, log.path)
			if got := modeSaid(t, c); got != "" {
				t.Errorf("before any line %s", got)
			}
			for i, s := range steps {
				log.write(s.lines)
				if got := modeSaid(t, c); got != s.want {
					t.Errorf("after step %d:\n%swant\n%s", i, got, s.want)
				}
			}
		})
	}
}

func TestCarbonLogModesOfTwoNodes(t *testing.T) {
	dir := t.TempDir()
	a, b := newAccessLog(t, filepath.Join(dir, "a.log")), newAccessLog(t, filepath.Join(dir, "b.log"))
	c := newCarbonLog(t, a.path, b.path)
	carbonPage(t, c)
	a.write(startLine)
	b.write(startLine + offLine)
	carbonPage(t, c)
	a.write(strings.Repeat(otherLine, settleLines))
	if got, want := modeSaid(t, c), modes(1, 1); got != want {
		t.Errorf("%swant\n%s", got, want)
	}
}

// TestCarbonLogLooksBack says what is known of a server that started before us.
func TestCarbonLogLooksBack(t *testing.T) {
	quiet := strings.Repeat(otherLine, 20_000) // about 3 MB: several reads
	for name, c := range map[string]struct {
		old, now string // what wso2carbon-11-21-2026.log and wso2carbon.log hold
		live     string // what follows
		want     string
	}{
		"off":                       {"", quiet + startLine + offLine + quiet, "", modes(0, 1)},
		"on":                        {"", onStart + quiet, "", modes(1, 0)},
		"the last of several":       {"", onStart + quiet + startLine + offLine + quiet, "", modes(0, 1)},
		"in a rotated log":          {onStart + startLine + offLine + quiet, quiet, "", modes(0, 1)},
		"the newer file first":      {startLine + offLine, onStart, "", modes(1, 0)},
		"rotated within a start":    {quiet + startLine, offLine + quiet, "", modes(0, 1)},
		"under way when we begin":   {"", quiet + startLine, offLine, modes(0, 1)},
		"started again since":       {"", startLine + offLine, onStart, modes(1, 0)},
		"nothing":                   {quiet, quiet, "", ""},
		"a violation is no history": {"", "Retry attempt to recover 'CON_APP_KEY' constraint violation : 1\n", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			old := newAccessLog(t, filepath.Join(dir, "wso2carbon-11-21-2026.log"))
			old.write(c.old)
			yesterday := time.Now().Add(-time.Hour)
			if err := os.Chtimes(old.path, yesterday, yesterday); err != nil {
				t.Fatal(err)
			}
			log := newAccessLog(t, filepath.Join(dir, "wso2carbon.log"))
			log.write(c.now)
			cl := newCarbonLog(t, filepath.Join(dir, "wso2carbon*.log"))
			cl.lookBack(t.Context())
			log.write(c.live)
			text := carbonPage(t, cl)
			if got := collectortest.Only(text, "wso2_token_persistence_log_mode"); got != c.want {
				t.Errorf("%swant\n%s", got, c.want)
			}
			if !strings.Contains(text, `outcome="retry"} 0`) {
				t.Errorf("history was counted:\n%s", text)
			}
		})
	}
}

func TestCarbonLogLookBackIsBounded(t *testing.T) {
	log := newAccessLog(t, filepath.Join(t.TempDir(), "wso2carbon.log"))
	log.write(startLine + offLine)
	if err := log.file.Truncate(lookBackBytes + 1<<20); err != nil { // zeros, no line ends
		t.Fatal(err)
	}
	c := newCarbonLog(t, log.path)
	c.lookBack(t.Context())
	if got := modeSaid(t, c); got != "" {
		t.Errorf("a start further back than %d bytes was found: %s", lookBackBytes, got)
	}
}

func TestCarbonLogRun(t *testing.T) {
	log := newAccessLog(t, filepath.Join(t.TempDir(), "wso2carbon.log"))
	log.write(startLine + offLine)
	synctest.Test(t, func(t *testing.T) {
		c := newCarbonLog(t, log.path)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _ = c.Run(ctx) }()
		synctest.Wait()
		log.write(otherLine)
		time.Sleep(pollInterval + time.Millisecond)
		synctest.Wait()
		if c.counts.lines != 1 || c.modes[0].mode != modeOff {
			t.Errorf("%d lines and mode %v after a poll interval, want 1 and off", c.counts.lines, c.modes[0].mode)
		}
		cancel()
		synctest.Wait()
	})
}

func TestCarbonLogConfig(t *testing.T) {
	for _, logs := range [][]string{nil, {""}, {"a", "[x"}} {
		if _, err := NewCarbonLog(CarbonLogConfig{Logs: logs}); err == nil || !strings.Contains(err.Error(), "--collector.carbonlog.log") {
			t.Errorf("%q: error %v does not name the flag", logs, err)
		}
	}
}

func TestCarbonLogLint(t *testing.T) {
	log := newAccessLog(t, filepath.Join(t.TempDir(), "wso2carbon.log"))
	c := newCarbonLog(t, log.path)
	carbonPage(t, c)
	log.write(onStart)
	collectortest.Lint(t, c)
}

// FuzzCarbonLogLine feeds a line, whole and in two writes, to the collector: it
// never panics, each line counts in one outcome at most, and nothing of a line is shown.
func FuzzCarbonLogLine(f *testing.F) {
	f.Add("Retry attempt to recover 'CON_APP_KEY' constraint violation : 1", 3)
	f.Add("'CON_APP_KEY' constrain violation retry attempt for application with consumer key : "+consumer, 0)
	f.Add(startLine+offLine, 100)
	f.Add("\tat x\nCaused by: 'CON_APP_KEY' constrain\x00\xff", 7)
	f.Fuzz(func(t *testing.T, text string, cut int) {
		c := newCarbonLog(t, "log")
		file := &followed{}
		at := min(max(cut, 0), len(text))
		c.tail.split(file, []byte(text[:at]))
		c.tail.split(file, []byte(text[at:]+"\n"))
		n := c.counts
		if want := uint64(strings.Count(text, "\n") + 1); n.lines != want {
			t.Errorf("%d lines of %d", n.lines, want)
		}
		if sum := n.forClient + n.attempts + n.recovered + n.exhausted; sum > n.lines {
			t.Errorf("%d outcomes of %d lines", sum, n.lines)
		}
		if n.retries() > 0 && !strings.Contains(text, "CON_APP_KEY") || n.poolExhausted > 0 && !strings.Contains(text, "PoolExhausted") {
			t.Errorf("counts %+v of %q", n, text)
		}
		if m := c.modes[0]; m.mode != modeUnknown && !strings.Contains(text, string(textStart)) || m.pending < 0 || m.pending > settleLines {
			t.Errorf("mode %+v of %q", m, text)
		}
	})
}
