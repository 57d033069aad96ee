package logs

import (
	"bytes"
	"time"
)

// Indexes of tokenEndpoints, httpMethods and statusClasses say what a request
// was; label values are never taken from a line.
var (
	tokenEndpoints = [...]string{"token", "revoke", "introspect", "authorize"}
	httpMethods    = [...]string{"POST", "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "other"}
	statusClasses  = [...]string{"1xx", "2xx", "3xx", "4xx", "5xx", "unknown"}
)

const (
	noEndpoint    = -1
	otherMethod   = len(httpMethods) - 1
	unknownStatus = len(statusClasses) - 1
)

// logRequest is what one line says.
type logRequest struct {
	endpoint int // index of tokenEndpoints, or noEndpoint
	method   int
	status   int
	seconds  float64 // what the request took; negative when the line does not say
	at       int64   // Unix time of the line; 0 when the line does not say
}

// logParser reads lines of one pattern. It allocates nothing per line and is for
// one goroutine: it remembers the last time stamp, because a busy log repeats it.
type logParser struct {
	pattern *logPattern
	stamp   [len(clfLayout)]byte
	unix    int64
}

const clfLayout = "02/Jan/2006:15:04:05 -0700"

// parse reads a line without its end. It reports false for a line that is not of
// the pattern. Queries, referers and user names are read over.
func (p *logParser) parse(line []byte) (logRequest, bool) {
	req := logRequest{endpoint: noEndpoint, method: otherMethod, status: unknownStatus, seconds: -1}
	if len(line) < len(p.pattern.prefix) || string(line[:len(p.pattern.prefix)]) != p.pattern.prefix {
		return req, false
	}
	line = line[len(p.pattern.prefix):]
	var stamp []byte
	for i := range p.pattern.steps {
		step := &p.pattern.steps[i]
		value, rest, ok := step.cut(line)
		if !ok {
			return req, false
		}
		line = rest
		switch step.field {
		case fieldRequest:
			ok = req.setRequest(value)
		case fieldMethod:
			req.method = methodOf(value)
		case fieldURL:
			req.endpoint = endpointOf(value)
		case fieldStatus:
			ok = req.setStatus(value)
		case fieldTime:
			stamp = value
		case fieldDuration:
			ok = req.setDuration(value, step.unit)
		}
		if !ok {
			return req, false
		}
	}
	if p.pattern.dated {
		var ok bool
		if req.at, ok = p.time(stamp); !ok {
			return req, false
		}
	}
	return req, true
}

// cut splits the field off the line. A quote that belongs to an escaped field
// comes with an odd number of backslashes before it.
func (s *logStep) cut(line []byte) (value, rest []byte, ok bool) {
	if len(s.until) == 0 {
		return line, nil, true
	}
	from, inside := 0, s.inside
	for {
		i := bytes.Index(line[from:], s.until)
		if i < 0 {
			return nil, nil, false
		}
		i += from
		if s.escaped && s.until[0] == '"' && backslashes(line[:i])%2 == 1 {
			from = i + 1
			continue
		}
		if inside > 0 {
			from = i + len(s.until)
			inside--
			continue
		}
		return line[:i], line[i+len(s.until):], true
	}
}

func backslashes(text []byte) int {
	n := 0
	for n < len(text) && text[len(text)-1-n] == '\\' {
		n++
	}
	return n
}

// setRequest reads the first line of a request; Tomcat writes - when a client
// sent none.
func (r *logRequest) setRequest(line []byte) bool {
	method, rest, ok := bytes.Cut(line, space)
	if !ok {
		return string(line) == "-"
	}
	url, _, ok := bytes.Cut(rest, space)
	if !ok {
		return false
	}
	r.method, r.endpoint = methodOf(method), endpointOf(url)
	return true
}

var space = []byte{' '}

func methodOf(text []byte) int {
	for i, m := range httpMethods {
		if string(text) == m {
			return i
		}
	}
	return otherMethod
}

// endpointOf tells by the end of the path, because a tenant (/t/<tenant>), an
// organisation or a proxy's context may stand before it.
func endpointOf(url []byte) int {
	if i := bytes.IndexByte(url, '?'); i >= 0 {
		url = url[:i]
	}
	if i := bytes.IndexByte(url, ';'); i >= 0 {
		url = url[:i]
	}
	url = bytes.TrimSuffix(url, slash)
	i := bytes.LastIndexByte(url, '/')
	if i < len(oauth2) || string(url[i-len(oauth2):i]) != oauth2 {
		return noEndpoint
	}
	for e, name := range tokenEndpoints {
		if string(url[i+1:]) == name {
			return e
		}
	}
	return noEndpoint
}

const oauth2 = "/oauth2"

var slash = []byte{'/'}

// setStatus reads a status code; API Manager writes - for requests whose
// response it never saw.
func (r *logRequest) setStatus(text []byte) bool {
	if string(text) == "-" {
		return true
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	if len(text) == 3 && text[0] >= '1' && text[0] <= '5' {
		r.status = int(text[0] - '1')
	}
	return len(text) > 0
}

// setDuration reads a decimal number of units, unit of which are a second.
func (r *logRequest) setDuration(text []byte, unit float64) bool {
	if string(text) == "-" {
		return true
	}
	value, scale, point := 0.0, 1.0, false
	for _, c := range text {
		switch {
		case c == '.' && !point:
			point = true
		case c >= '0' && c <= '9':
			value = 10*value + float64(c-'0')
			if point {
				scale *= 10
			}
		default:
			return false
		}
	}
	r.seconds = value / (scale * unit)
	return len(text) > 0 && len(text) < 20
}

// time reads a time stamp of the Common Log Format.
func (p *logParser) time(stamp []byte) (int64, bool) {
	if len(stamp) != len(clfLayout) {
		return 0, false
	}
	if string(stamp) == string(p.stamp[:]) {
		return p.unix, true
	}
	t, err := time.Parse(clfLayout, string(stamp))
	if err != nil {
		return 0, false
	}
	copy(p.stamp[:], stamp)
	p.unix = t.Unix()
	return p.unix, true
}
