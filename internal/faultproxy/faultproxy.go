// Package faultproxy is a TCP proxy that fails on command: it cuts, freezes,
// trickles, refuses, or leads to another server. It stands between a client
// under test and a real server, so that the server decides what a client sees
// and the proxy only when.
//
// A frozen proxy is a black hole: connections stay open on both sides, nothing
// passes, and neither side learns that the other has gone.
//
//	proxy, err := faultproxy.Start(server.Addr)
//	defer proxy.Close()
//	proxy.Freeze()
package faultproxy

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy is a running proxy. Its methods may be called from any goroutine.
type Proxy struct {
	listener net.Listener
	done     sync.WaitGroup
	life     context.Context // ends with the proxy
	end      context.CancelFunc

	mu       sync.Mutex
	target   string
	pairs    map[*pair]struct{}
	closed   bool
	accepted int
	refusing bool
	rate     int           // bytes per second of the server; 0: no limit
	cut      int64         // bytes of the server after which a new connection ends; negative: never
	passing  chan struct{} // closed while bytes may pass
	stream   []byte        // what the server sent on the newest connection
	record   bool
}

// Start listens on a free loopback port and leads to target, a host:port.
func Start(target string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the proxy: %w", err)
	}
	p := &Proxy{listener: listener, target: target, pairs: map[*pair]struct{}{}, cut: -1, passing: make(chan struct{})}
	p.life, p.end = context.WithCancel(context.Background())
	close(p.passing)
	p.done.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.done.Go(func() { p.serve(client) })
		}
	})
	return p, nil
}

// Run starts a proxy to target for as long as a test lasts.
func Run(tb testing.TB, target string) *Proxy {
	tb.Helper()
	proxy, err := Start(target)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			tb.Error(err)
		}
	})
	return proxy
}

// Addr is where clients connect.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close ends every connection and waits for what carries them.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.end()
	p.Cut()
	p.done.Wait()
	return err
}

// Lead sends connections made from now on to another server.
func (p *Proxy) Lead(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// Cut ends every connection now.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pr := range p.pairs {
		pr.end()
	}
}

// CutAfter ends connections made from now on after n bytes of the server; a
// negative n never does.
func (p *Proxy) CutAfter(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = n
}

// Refuse says whether connections made from now on end at once.
func (p *Proxy) Refuse(refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = refuse
}

// Trickle limits what servers send to bytes per second on each connection; 0
// ends the limit.
func (p *Proxy) Trickle(bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate = bytes
}

// Freeze lets nothing pass, on old and new connections, until Thaw.
func (p *Proxy) Freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.passing:
		p.passing = make(chan struct{})
	default: // frozen already
	}
}

// Thaw ends Freeze: what was held back passes.
func (p *Proxy) Thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.passing:
	default:
		close(p.passing)
	}
}

// Repair ends every fault but not the connections.
func (p *Proxy) Repair() {
	p.CutAfter(-1)
	p.Refuse(false)
	p.Trickle(0)
	p.Thaw()
}

// Accepted is how many connections clients have made.
func (p *Proxy) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// Record keeps what the server sends on the newest connection, for Sent.
func (p *Proxy) Record(record bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.record = record
}

// Sent returns what the server has sent on the newest connection.
func (p *Proxy) Sent() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]byte(nil), p.stream...)
}

// settings are what a connection asks for before each step.
func (p *Proxy) settings() (passing chan struct{}, rate int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passing, p.rate
}

// trickleStep is how often a limited connection lets bytes pass.
const trickleStep = 20 * time.Millisecond
