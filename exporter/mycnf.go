package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// clientOptions is the [client] group of a MySQL option file.
type clientOptions struct {
	user, host, port, socket, sslCA string
	Password                        collector.Secret // exported, or fmt would print it as it is
}

// address is what the group says in the form of --mysqld.address, or nothing.
func (c clientOptions) address() string {
	switch {
	case c.host == "" && c.socket != "":
		return "unix:" + c.socket
	case c.host != "" || c.port != "":
		return net.JoinHostPort(cmp.Or(c.host, "127.0.0.1"), cmp.Or(c.port, "3306"))
	}
	return ""
}

// readMyCnf reads the part of the option-file syntax that [client] needs:
// groups, name=value, comments, quotes and escapes. Other groups and other
// options are for other programs. Directives that would pull in further files
// are an error rather than passed over.
func readMyCnf(path string) (c clientOptions, err error) {
	f, err := os.Open(path)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if c, err = parseMyCnf(f); err != nil {
		if e, ok := errors.AsType[*lineError](err); ok {
			return c, fmt.Errorf("%s:%d: %s", path, e.line, e.text)
		}
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// parseMyCnf reads a file's text. Its errors repeat nothing of it.
func parseMyCnf(text io.Reader) (c clientOptions, err error) {
	lines := bufio.NewScanner(text) // which bounds a line by 64 KiB
	group, n := "", 0
	for lines.Scan() {
		n++
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '!':
			return c, &lineError{n, "!include is not followed: put the [client] group into this file"}
		case line[0] == '[':
			name, ok := strings.CutSuffix(line[1:], "]")
			if !ok {
				return c, &lineError{n, "group without a closing ]"}
			}
			group = strings.ToLower(strings.TrimSpace(name))
		case group == "":
			return c, &lineError{n, "option outside of a group: begin with [client]"}
		case group == "client":
			name, value, _ := strings.Cut(line, "=")
			c.set(strings.TrimSpace(name), unquote(strings.TrimSpace(value)))
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return c, &lineError{n + 1, "longer than 64 KiB: is it an option file?"}
	}
	return c, lines.Err()
}

func (c *clientOptions) set(name, value string) {
	switch strings.ReplaceAll(strings.ToLower(name), "_", "-") {
	case "user":
		c.user = value
	case "password":
		c.Password = collector.Secret(value)
	case "host":
		c.host = value
	case "port":
		c.port = value
	case "socket":
		c.socket = value
	case "ssl-ca":
		c.sslCA = value
	}
}

// escapes are those of the MySQL manual's "Using Option Files".
var escapes = strings.NewReplacer(`\\`, `\`, `\b`, "\b", `\t`, "\t", `\n`, "\n", `\r`, "\r", `\s`, " ", `\"`, `"`, `\'`, `'`)

// unquote removes quotes or, outside of quotes, a comment behind the value.
func unquote(value string) string {
	if value != "" && (value[0] == '"' || value[0] == '\'') {
		if end := strings.LastIndexByte(value, value[0]); end > 0 {
			return escapes.Replace(value[1:end])
		}
	}
	if at := strings.Index(value, " #"); at >= 0 {
		value = strings.TrimSpace(value[:at])
	}
	return escapes.Replace(value)
}
