package collector

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
	"github.com/tokenpersistence/toolkit/internal/faultproxy"
)

// cuts returns the places of a server's answer to cut it at: the packet
// boundaries and the bytes beside them, and as many seeded ones as wanted.
func cuts(stream []byte, seeded int) []int64 {
	const header = 4 // length in three bytes, sequence number
	var offsets []int64
	for at := 0; at+header <= len(stream); {
		offsets = append(offsets, int64(max(0, at-1)), int64(at), int64(at+1))
		at += header + int(stream[at]) + int(stream[at+1])<<8 + int(stream[at+2])<<16
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range seeded {
		offsets = append(offsets, random.Int64N(int64(len(stream))))
	}
	slices.Sort(offsets)
	return slices.Compact(offsets)
}

// TestCutConnections cuts the scrape's connection at every packet boundary, one
// byte beside it, and 500 other places: every collector shows all it has or
// nothing, says which, and the scrape after it is whole.
func TestCutConnections(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	insertTokens(t, db, 10, "password", 0)
	proxy := faultproxy.Run(t, server.Addr)
	d := account(server, schema)
	d.Address = proxy.Addr()

	var set *Set
	var owners map[string]string // collectors by family
	scrape := func(after int64) map[string]int {
		t.Helper()
		proxy.CutAfter(after)
		counts, failed := map[string]int{}, []string{}
		for name, v := range collectortest.Values(t, set.Collect(soon(t), 20*time.Second)) {
			if collector, ok := strings.CutPrefix(name, success+"{"); ok && v == 0 {
				failed = append(failed, strings.TrimSuffix(collector, "}"))
			}
			if strings.HasPrefix(name, failures) && !strings.HasPrefix(name, failures+"{connection,") {
				t.Errorf("cut after %d bytes: counted as %s", after, name)
			}
			family, _, _ := strings.Cut(name, "{")
			if owner, ok := owners[family]; ok {
				counts[owner]++
			}
		}
		for _, name := range failed {
			if n, shown := counts[name]; shown {
				t.Errorf("cut after %d bytes: %s failed and shows %d series", after, name, n)
			}
			counts[name] = -1
		}
		return counts
	}
	renew := func() {
		t.Helper()
		if set != nil {
			if err := set.Close(); err != nil {
				t.Error(err)
			}
		}
		link, err := NewLink(d, &Gate{})
		if err != nil {
			t.Fatal(err)
		}
		background, err := NewLink(d, &Gate{})
		if err != nil {
			t.Fatal(err)
		}
		b := NewBackground(background)
		tables := &Tables{}
		collectors := []SQLCollector{MySQL{}, TableIO{tables}, TableSize{tables}, NewTokens(time.Minute, b, tables)}
		if owners == nil {
			owners = families(collectors)
		}
		set = NewSet(link, b, collectors, nil, slog.New(slog.DiscardHandler))
	}

	renew()
	proxy.Record(true)
	whole := scrape(-1)
	stream := proxy.Sent()
	proxy.Record(false)
	for name, n := range whole {
		if n <= 0 {
			t.Fatalf("%s shows nothing: %v", name, whole)
		}
	}
	tried, recovered := 0, 0
	for i, after := range cuts(stream, 500) {
		renew()
		cut := false
		for name, n := range scrape(after) {
			cut = cut || n < 0
			if n >= 0 && n != whole[name] {
				t.Errorf("cut after %d of %d bytes: %s claims success with %d of %d series", after, len(stream), name, n, whole[name])
			}
		}
		if i%10 > 0 {
			continue
		}
		// This scrape may have needed fewer bytes than the first one: then the cut
		// is still to come and meets the next.
		if tried++; !cut {
			continue
		}
		recovered++
		if diff := cmp.Diff(whole, scrape(-1)); diff != "" {
			t.Errorf("the scrape after a cut after %d bytes: %s", after, diff)
		}
	}
	if recovered < tried/2 {
		t.Errorf("only %d of %d cuts met their scrape", recovered, tried)
	}
	if err := set.Close(); err != nil {
		t.Error(err)
	}
}

// TestCutBackgroundPass cuts the pass that reads late rows at every packet
// boundary, one byte beside it, and 500 other places: no row is lost and none
// counted twice when the next pass goes on.
func TestCutBackgroundPass(t *testing.T) {
	server := changedServer(t)
	schema, db := tokenDatabase(t, server)
	proxy := faultproxy.Run(t, server.Addr)
	d := account(server, schema)
	d.Address = proxy.Addr()
	session := openSession(t, account(server, schema))
	exec(t, db, "SET GLOBAL innodb_flush_log_at_trx_commit = 0") // many small transactions and no crash
	defer exec(t, db, "SET GLOBAL innodb_flush_log_at_trx_commit = 1")

	const rows = 5
	const insert = "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, GRANT_TYPE, TIME_CREATED) VALUES "
	pass := func(after int64) []byte {
		t.Helper()
		link, err := NewLink(d, &Gate{})
		if err != nil {
			t.Fatal(err)
		}
		background := NewBackground(link)
		defer func() {
			if err := background.Close(); err != nil {
				t.Error(err)
			}
		}()
		tokens := NewTokens(10*time.Second, background, &Tables{})
		exec(t, db, "DELETE FROM IDN_OAUTH2_ACCESS_TOKEN")
		exec(t, db, insert+"(UUID(), 'password', NOW())")
		collectTokens(t, tokens, session) // the baseline
		// They come late, so that only a pass that reads back sees them.
		exec(t, db, insert+strings.TrimSuffix(strings.Repeat("(UUID(), 'password', NOW() - INTERVAL 5 SECOND),", rows), ","))
		tokens.lateness = 0 // it reads back to now
		proxy.CutAfter(after)
		_ = background.Do(soon(t), 10*time.Second, tokens.settlePass)
		proxy.CutAfter(-1)
		proxy.Cut() // the connection may have some bytes left
		if err := background.Do(soon(t), 10*time.Second, tokens.settlePass); err != nil {
			t.Errorf("after a cut after %d bytes: %v", after, err)
		}
		if n := collectTokens(t, tokens, session)[rowsOfPassword]; n != rows {
			t.Errorf("cut after %d bytes: %v rows, want %d", after, n, rows)
		}
		return proxy.Sent()
	}
	proxy.Record(true)
	stream := pass(-1)
	proxy.Record(false)
	for _, after := range cuts(stream, 500) {
		pass(after)
	}
}

// families returns the collectors' names by the families they declare.
func families(collectors []SQLCollector) map[string]string {
	owners := map[string]string{}
	for _, c := range collectors {
		for _, d := range c.Descs() {
			name, _, _ := strings.Cut(strings.TrimPrefix(d.String(), `Desc{fqName: "`), `"`)
			owners[name] = c.Name()
		}
	}
	return owners
}

// TestCutIsConnection: what a cut is counted as.
func TestCutIsConnection(t *testing.T) {
	server := sharedServer(t)
	proxy := faultproxy.Run(t, server.Addr)
	d := account(server, "mysql")
	d.Address = proxy.Addr()
	for _, after := range []int64{0, 1, 50, 100} {
		proxy.CutAfter(after)
		_, err := newLink(t, d).Session(soon(t))
		if err == nil {
			err = errors.New("no error")
		}
		if ClassOf(err) != Connection {
			t.Errorf("cut after %d bytes: class %s: %v", after, ClassOf(err), err)
		}
	}
}
