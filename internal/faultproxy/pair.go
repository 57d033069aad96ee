package faultproxy

import (
	"net"
	"sync"
	"time"
)

// pair is one connection through the proxy.
type pair struct {
	client net.Conn
	done   chan struct{} // closed when the connection has ended

	once   sync.Once
	mu     sync.Mutex
	server net.Conn // nil until connected
	left   int64    // bytes of the server until the cut; negative: never
	newest bool     // recorded
}

// end closes both sides.
func (pr *pair) end() {
	pr.once.Do(func() {
		close(pr.done)
		pr.mu.Lock()
		defer pr.mu.Unlock()
		_ = pr.client.Close() // both may be closed already
		if pr.server != nil {
			_ = pr.server.Close()
		}
	})
}

// connect gives the pair its server, unless it has ended.
func (pr *pair) connect(server net.Conn) bool {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	pr.server = server
	select {
	case <-pr.done:
		_ = server.Close()
		return false
	default:
		return true
	}
}

// begin registers a client's connection unless it is refused.
func (p *Proxy) begin(client net.Conn) (*pair, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pr := &pair{client: client, done: make(chan struct{}), left: p.cut, newest: p.record}
	if p.refusing || p.closed {
		return pr, false
	}
	p.accepted++
	if p.record {
		for other := range p.pairs {
			other.newest = false
		}
		p.stream = nil
	}
	p.pairs[pr] = struct{}{}
	return pr, true
}

// serve carries one connection until a side ends it.
func (p *Proxy) serve(client net.Conn) {
	pr, ok := p.begin(client)
	defer func() {
		pr.end()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.pairs, pr)
	}()
	if !ok || !p.pass(pr) {
		return
	}
	p.mu.Lock()
	target := p.target // of now: the connection may have been frozen since its begin
	p.mu.Unlock()
	server, err := new(net.Dialer).DialContext(p.life, "tcp", target)
	if err != nil || !pr.connect(server) {
		return
	}
	var copies sync.WaitGroup
	copies.Go(func() { p.copy(pr, client, server, true) })
	copies.Go(func() { p.copy(pr, server, client, false) })
	copies.Wait()
}

// pass waits while the proxy is frozen and reports whether the pair lives.
func (p *Proxy) pass(pr *pair) bool {
	passing, _ := p.settings()
	select {
	case <-passing:
		return true
	case <-pr.done:
		return false
	}
}

// copy carries bytes one way until the end of either side or the cut. An end is
// held back by a frozen proxy as bytes are.
func (p *Proxy) copy(pr *pair, to, from net.Conn, answer bool) {
	defer pr.end()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		for part := buffer[:n]; len(part) > 0; {
			step := part
			if _, rate := p.settings(); answer && rate > 0 {
				step = part[:min(len(part), max(1, rate*int(trickleStep/time.Millisecond)/1000))]
				if !sleep(pr, trickleStep) {
					return
				}
			}
			if !p.pass(pr) {
				return
			}
			last := false
			if answer {
				step, last = p.allow(pr, step)
			}
			if _, err := to.Write(step); err != nil || last {
				return
			}
			part = part[len(step):]
		}
		if err != nil {
			p.pass(pr)
			return
		}
	}
}

// allow returns what of an answer may pass before the cut, and whether the
// connection ends after it.
func (p *Proxy) allow(pr *pair, part []byte) ([]byte, bool) {
	last := false
	if pr.left >= 0 {
		if int64(len(part)) >= pr.left {
			part, last = part[:pr.left], true
		}
		pr.left -= int64(len(part))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if pr.newest {
		p.stream = append(p.stream, part...)
	}
	return part, last
}

// sleep waits and reports whether the pair lives.
func sleep(pr *pair, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-pr.done:
		return false
	}
}
