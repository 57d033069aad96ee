package keymanager

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// Combined is Tomcat's pattern "combined", the default of API Manager's
// http_access log; WithDuration is the same with %D, milliseconds in Tomcat 9.
const (
	Combined     = `%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"`
	WithDuration = Combined + ` %D`
)

// LogName is the name of the access log of a day, as Tomcat's valve makes it.
func LogName(day time.Time) string { return "http_access_" + day.Format("2006-01-02") + ".log" }

// accessLog writes one line per request, in the file of the day the request
// ended. Lines are written unbuffered and before the last byte of the response
// leaves, so that whoever has the response finds its line.
type accessLog struct {
	folder   string
	duration bool
	now      func() time.Time

	mu   sync.Mutex
	day  int // year day of file
	file *os.File
	line []byte
	err  error // the first write that went wrong; Close reports it
}

func openAccessLog(folder string, duration bool, now func() time.Time) (*accessLog, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("access log: %w", err)
	}
	l := &accessLog{folder: folder, duration: duration, now: now}
	return l, l.open(now())
}

func (l *accessLog) open(now time.Time) error {
	file, err := os.OpenFile(filepath.Join(l.folder, LogName(now)), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("access log: %w", err)
	}
	l.file, l.day = file, now.YearDay()
	return nil
}

// record logs every request that next serves.
func (l *accessLog) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := l.now()
		seen := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		l.write(r, seen, start)
	})
}

// recorder keeps what a line needs of the response.
type recorder struct {
	http.ResponseWriter
	status, bytes int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	n, err := r.ResponseWriter.Write(b)
	r.bytes += n
	return n, err
}

func (l *accessLog) write(r *http.Request, seen *recorder, start time.Time) {
	end := l.now()
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if end.YearDay() != l.day {
		l.keep(l.file.Close())
		if err := l.open(end); err != nil {
			l.keep(err)
			return
		}
	}
	b := append(l.line[:0], host...)
	b = append(b, " - - "...)
	b = end.AppendFormat(b, "[02/Jan/2006:15:04:05 -0700]")
	b = append(b, ` "`...)
	b = append(append(append(append(append(b, r.Method...), ' '), r.RequestURI...), ' '), r.Proto...)
	b = append(b, `" `...)
	b = strconv.AppendInt(b, int64(seen.status), 10)
	b = append(b, ' ')
	if seen.bytes == 0 {
		b = append(b, '-')
	} else {
		b = strconv.AppendInt(b, int64(seen.bytes), 10)
	}
	b = appendQuoted(append(b, ' '), r.Referer())
	b = appendQuoted(append(b, ' '), r.UserAgent())
	if l.duration {
		b = strconv.AppendInt(append(b, ' '), end.Sub(start).Milliseconds(), 10)
	}
	l.line = append(b, '\n')
	_, err = l.file.Write(l.line)
	l.keep(err)
}

// appendQuoted writes a header as Tomcat does: "-" when absent, with quotes,
// backslashes and control characters escaped.
func appendQuoted(b []byte, value string) []byte {
	if value == "" {
		value = "-"
	}
	b = append(b, '"')
	for _, c := range []byte(value) {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = fmt.Appendf(b, `\x%02x`, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

func (l *accessLog) keep(err error) {
	if l.err == nil {
		l.err = err
	}
}

// Close closes the file and returns the first error of any write.
func (l *accessLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := errors.Join(l.err, l.file.Close()); err != nil {
		return fmt.Errorf("access log: %w", err)
	}
	return nil
}
