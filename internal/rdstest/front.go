package rdstest

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Front stands before a server and asks clients for TLS and a token.
type Front struct {
	listener net.Listener
	target   string
	account  string
	tls      *tls.Config
	good     func(user, token string) bool

	done sync.WaitGroup
	mu   sync.Mutex // guards what follows
	open map[net.Conn]struct{}
}

// Start leads clients that bring a good token to the server at target, as an
// account that needs no password there. The certificate is for name.
func Start(target, account string, authority *Authority, name string, good func(user, token string) bool) (*Front, error) {
	certificate, key, err := authority.Issue(name)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the front: %w", err)
	}
	f := &Front{
		listener: listener, target: target, account: account, good: good, open: map[net.Conn]struct{}{},
		tls: &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
	}
	f.done.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			f.done.Go(func() { f.serve(client) })
		}
	})
	return f, nil
}

// Addr is where clients connect.
func (f *Front) Addr() string { return f.listener.Addr().String() }

// Close ends the front and every connection through it.
func (f *Front) Close() error {
	err := f.listener.Close()
	f.mu.Lock()
	for conn := range f.open {
		_ = conn.Close() // it may have ended by itself
	}
	f.mu.Unlock()
	f.done.Wait()
	return err
}

// serve passes a client on to the server. Errors end the connection, which is
// all that a client can see of them.
func (f *Front) serve(client net.Conn) {
	defer func() { _ = client.Close() }() // it may have ended by itself
	var dialer net.Dialer
	server, err := dialer.DialContext(context.Background(), "tcp", f.target) // loopback: refused or there at once
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	f.mu.Lock()
	f.open[client], f.open[server] = struct{}{}, struct{}{}
	f.mu.Unlock()
	secure, err := f.login(client, server)
	if err != nil {
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(server, secure)
		_ = server.Close()
	}()
	_, _ = io.Copy(secure, server)
	_ = client.Close()
	<-ended
}

// Capabilities of the protocol and where they stand. Source: MySQL's "Protocol::HandshakeV10"
// and "Protocol::HandshakeResponse41".
const (
	capSSL         = 0x800
	capConnectDB   = 0x8
	capAttributes  = 0x100000
	capLengthCoded = 0x200000

	fixedResponse = 32 // capabilities, packet size, character set and filler
)

// login does the server's part towards the client and the client's towards the
// server, and returns the client's connection as it is from then on.
func (f *Front) login(client, server net.Conn) (net.Conn, error) {
	greeting, err := readPacket(server)
	if err != nil {
		return nil, err
	}
	lower := bytes.IndexByte(greeting, 0) + 1 + 4 + 8 + 1 // behind version, thread and the first part of the challenge
	if len(greeting) < lower+2 {
		return nil, errors.New("the server's greeting is short")
	}
	binary.LittleEndian.PutUint16(greeting[lower:], binary.LittleEndian.Uint16(greeting[lower:])|capSSL)
	if err := writePacket(client, 0, greeting); err != nil {
		return nil, err
	}
	request, err := readPacket(client)
	if err != nil {
		return nil, err
	}
	if len(request) != fixedResponse {
		return nil, refuse(client, 2, 3159, "Connections using insecure transport are prohibited")
	}
	secure := tls.Server(client, f.tls)
	response, err := readPacket(secure)
	if err != nil || len(response) <= fixedResponse {
		return nil, errors.Join(err, errors.New("no answer over TLS"))
	}
	user, _, _ := bytes.Cut(response[fixedResponse:], []byte{0})
	if err := writePacket(secure, 3, []byte("\xfemysql_clear_password\x00")); err != nil {
		return nil, err
	}
	token, err := readPacket(secure)
	if err != nil {
		return nil, err
	}
	if !f.good(string(user), string(bytes.TrimSuffix(token, []byte{0}))) {
		return nil, refuse(secure, 5, 1045, fmt.Sprintf("Access denied for user '%s'@'127.0.0.1' (using password: YES)", user))
	}
	verdict, err := f.enter(server, greeting, response)
	if err != nil {
		return nil, err
	}
	return secure, writePacket(secure, 5, verdict)
}

// enter logs in to the server without a password, with the capabilities that
// the client has chosen, and returns the server's verdict.
func (f *Front) enter(server net.Conn, greeting, response []byte) ([]byte, error) {
	capabilities := binary.LittleEndian.Uint32(response) &^ (capSSL | capConnectDB | capAttributes | capLengthCoded)
	login := binary.LittleEndian.AppendUint32(nil, capabilities)
	login = append(login, response[4:fixedResponse]...)
	login = append(login, f.account...)
	login = append(login, 0, 0) // the end of the name, no password
	greeting = bytes.TrimSuffix(greeting, []byte{0})
	login = append(login, greeting[bytes.LastIndexByte(greeting, 0)+1:]...) // the server's own plugin
	if err := writePacket(server, 1, append(login, 0)); err != nil {
		return nil, err
	}
	return readPacket(server)
}

func refuse(client net.Conn, sequence byte, code uint16, message string) error {
	packet := binary.LittleEndian.AppendUint16([]byte{0xff}, code)
	return errors.Join(errors.New(message), writePacket(client, sequence, append(packet, "#28000"+message...)))
}

func readPacket(from io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return nil, err
	}
	packet := make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
	_, err := io.ReadFull(from, packet)
	return packet, err
}

func writePacket(to io.Writer, sequence byte, packet []byte) error {
	n := len(packet)
	_, err := to.Write(append([]byte{byte(n), byte(n >> 8), byte(n >> 16), sequence}, packet...))
	return err
}
