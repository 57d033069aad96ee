package faultproxy_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tokenpersistence/toolkit/internal/faultproxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a server that greets with its name and returns every line.
func echo(t *testing.T, name string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.WriteString(conn, name+"\n")
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return listener.Addr().String()
}

func start(t *testing.T, target string) *faultproxy.Proxy {
	t.Helper()
	p, err := faultproxy.Start(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

type client struct {
	t *testing.T
	net.Conn
	lines *bufio.Reader
}

func dial(t *testing.T, p *faultproxy.Proxy) *client {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // some have closed it
	return &client{t, conn, bufio.NewReader(conn)}
}

func (c *client) say(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) hears(want string) {
	c.t.Helper()
	if got, err := c.lines.ReadString('\n'); err != nil || got != want+"\n" {
		c.t.Fatalf("heard %q, %v, want %q", got, err, want)
	}
}

func TestFaults(t *testing.T) {
	p := start(t, echo(t, "one"))
	p.Record(true)
	first := dial(t, p)
	first.hears("one")
	first.say("hello")
	first.hears("hello")
	if sent := string(p.Sent()); sent != "one\nhello\n" {
		t.Errorf("sent %q", sent)
	}

	p.Freeze()
	first.say("frozen")
	if err := first.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := first.lines.ReadString('\n'); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a frozen proxy passes: %v", err)
	}
	if err := first.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	p.Thaw()
	first.hears("frozen")

	p.Lead(echo(t, "two"))
	second := dial(t, p)
	second.hears("two")
	p.Trickle(1000)
	begin := time.Now()
	second.say(strings.Repeat("x", 200))
	second.hears(strings.Repeat("x", 200))
	if took := time.Since(begin); took < 100*time.Millisecond {
		t.Errorf("200 bytes at 1000 bytes/s took %v", took)
	}
	p.Repair()

	p.Cut()
	if _, err := first.lines.ReadString('\n'); err == nil {
		t.Error("a cut connection lives")
	}
	p.CutAfter(2)
	rest, _ := io.ReadAll(dial(t, p)) // a reset is as good as an end
	if string(rest) != "tw" {
		t.Errorf("%q before the cut", rest)
	}
	p.Repair()
	p.Refuse(true)
	if rest, _ := io.ReadAll(dial(t, p)); len(rest) > 0 {
		t.Errorf("refused, but %q", rest)
	}
	if n := p.Accepted(); n != 3 {
		t.Errorf("%d connections accepted", n)
	}
}
