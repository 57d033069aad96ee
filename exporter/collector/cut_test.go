package collector

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// cutter is a TCP proxy that ends the server's side of a connection after a
// number of bytes.
type cutter struct {
	listener net.Listener
	target   string
	after    atomic.Int64 // bytes of the server; negative: never
	sent     atomic.Int64 // bytes the server sent on the last connection
	conns    sync.WaitGroup
}

func newCutter(t *testing.T, target string) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: listener, target: target}
	c.conns.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			c.conns.Go(func() { c.pass(conn) })
		}
	})
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		c.conns.Wait()
	})
	return c
}

// pass copies both ways until one side ends or the cut.
func (c *cutter) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", c.target)
	if err != nil {
		return
	}
	c.sent.Store(0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	from := io.Reader(server)
	if after := c.after.Load(); after >= 0 {
		from = io.LimitReader(server, after)
	}
	_, _ = io.Copy(counted{client, &c.sent}, from)
	_ = client.Close()
	_ = server.Close()
	<-done
}

type counted struct {
	io.Writer
	n *atomic.Int64
}

// Write counts what it passes on.
func (c counted) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// TestCutConnections cuts the scrape's connection at 100 places: every
// collector shows all it has or nothing, and says which.
func TestCutConnections(t *testing.T) {
	server := sharedServer(t)
	schema, db := tokenDatabase(t, server)
	insertTokens(t, db, 40, "password", 0)
	proxy := newCutter(t, server.Addr)
	d := account(server, schema)
	d.Address = proxy.listener.Addr().String()

	scrape := func(after int64) map[string]int {
		t.Helper()
		proxy.after.Store(after)
		link, err := NewLink(d, &Gate{})
		if err != nil {
			t.Fatal(err)
		}
		background := newBackground(t, d)
		tables := &Tables{}
		collectors := []SQLCollector{MySQL{}, TableIO{tables}, TableSize{tables}, NewTokens(time.Minute, background, tables)}
		set := NewSet(link, background, collectors, nil, slog.New(slog.DiscardHandler))
		counts, failed := map[string]int{}, []string{}
		for name, v := range values(t, set.Collect(soon(t), 20*time.Second)) {
			if collector, ok := strings.CutPrefix(name, success+"{"); ok && v == 0 {
				failed = append(failed, strings.TrimSuffix(collector, "}"))
			}
			family, _, _ := strings.Cut(name, "{")
			if i := slices.IndexFunc(collectors, func(c SQLCollector) bool { return declares(c, family) }); i >= 0 {
				counts[collectors[i].Name()]++
			}
		}
		if err := set.Close(); err != nil {
			t.Error(err)
		}
		for _, name := range failed {
			if n, shown := counts[name]; shown {
				t.Errorf("cut after %d bytes: %s failed and shows %d series", after, name, n)
			}
			counts[name] = -1
		}
		return counts
	}

	whole := scrape(-1)
	total := proxy.sent.Load()
	for name, n := range whole {
		if n <= 0 {
			t.Fatalf("%s shows nothing: %v", name, whole)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	offsets := []int64{0, 1, 3, 4, 5, total - 1}
	for range 100 {
		offsets = append(offsets, random.Int64N(total))
	}
	for _, after := range offsets {
		for name, n := range scrape(after) {
			if n >= 0 && n != whole[name] {
				t.Errorf("cut after %d of %d bytes: %s claims success with %d of %d series", after, total, name, n, whole[name])
			}
		}
	}
}

func declares(c SQLCollector, family string) bool {
	return slices.ContainsFunc(c.Descs(), func(d *prometheus.Desc) bool {
		return strings.HasPrefix(d.String(), fmt.Sprintf("Desc{fqName: %q,", family))
	})
}

// TestCutIsConnection: what a cut is counted as.
func TestCutIsConnection(t *testing.T) {
	server := sharedServer(t)
	proxy := newCutter(t, server.Addr)
	d := account(server, "mysql")
	d.Address = proxy.listener.Addr().String()
	for _, after := range []int64{0, 1, 50, 100} {
		proxy.after.Store(after)
		_, err := newLink(t, d).Session(soon(t))
		if err == nil {
			err = errors.New("no error")
		}
		if ClassOf(err) != Connection {
			t.Errorf("cut after %d bytes: class %s: %v", after, ClassOf(err), err)
		}
	}
}
