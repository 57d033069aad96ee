package users

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// header names JMeter's default columns in their order.
const header = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage," +
	"bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect\n"

// sample is one request as JMeter records it.
type sample struct {
	start, end       time.Time
	latency, connect time.Duration
	label, thread    string
	code, message    string
	failure          string // empty: success
	status           int    // of the response; 0: there was none
	oauth            string // "error" of the response
	bytes, sent      int64
	url              string
}

// jtl writes a result file. Rows come in the order in which requests end.
type jtl struct {
	users []byte // grpThreads,allThreads

	mu   sync.Mutex
	file *os.File
	out  *bufio.Writer
	line []byte
	err  error
}

func createJTL(path string, users int) (*jtl, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("result file: %w", err)
	}
	j := &jtl{file: file, out: bufio.NewWriterSize(file, 1<<16), users: fmt.Appendf(nil, ",%d,%d,", users, users)}
	_, j.err = j.out.WriteString(header)
	return j, nil
}

func (j *jtl) write(s sample) {
	j.mu.Lock()
	defer j.mu.Unlock()
	// Both ends are cut to milliseconds first, so that timeStamp + elapsed is
	// the millisecond in which the request ended.
	start := s.start.UnixMilli()
	b := strconv.AppendInt(j.line[:0], start, 10)
	b = strconv.AppendInt(append(b, ','), s.end.UnixMilli()-start, 10)
	for _, text := range []string{s.label, s.code, s.message, s.thread} {
		b = appendField(append(b, ','), text)
	}
	b = append(b, ",text,"...)
	b = strconv.AppendBool(b, s.failure == "")
	b = appendField(append(b, ','), s.failure)
	b = strconv.AppendInt(append(b, ','), s.bytes, 10)
	b = strconv.AppendInt(append(b, ','), s.sent, 10)
	b = append(b, j.users...)
	b = appendField(b, s.url)
	b = strconv.AppendInt(append(b, ','), s.latency.Milliseconds(), 10)
	b = append(b, ",0,"...)
	b = strconv.AppendInt(b, s.connect.Milliseconds(), 10)
	j.line = append(b, '\n')
	if _, err := j.out.Write(j.line); j.err == nil {
		j.err = err
	}
}

// appendField quotes a field as RFC 4180 does where it has to.
func appendField(b []byte, field string) []byte {
	if !strings.ContainsAny(field, ",\"\r\n") {
		return append(b, field...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(field, `"`, `""`)...)
	return append(b, '"')
}

// Close writes what is buffered and returns the first error of any write.
func (j *jtl) Close() error {
	if err := errors.Join(j.err, j.out.Flush(), j.file.Close()); err != nil {
		return fmt.Errorf("result file %s: %w", j.file.Name(), err)
	}
	return nil
}
