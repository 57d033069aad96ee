package logs

import "bytes"

// The texts of wso2carbon.log, whatever stands before and after them. Sources:
// AccessTokenDAOImpl of identity-inbound-auth-oauth ("constrain" is theirs) and
// TokenPersistenceServiceComponent of apim-km-wso2is, whose first line ends in
// "..." or " ..." depending on the version.
var (
	textConAppKey = []byte("'CON_APP_KEY' constrain")
	textForClient = []byte("'CON_APP_KEY' constrain violation retry attempt for application with consumer key")
	textAttempt   = []byte("Retry attempt to recover 'CON_APP_KEY' constraint violation")
	textRecovered = []byte("Successfully recovered 'CON_APP_KEY' constraint violation")
	textExhausted = []byte("'CON_APP_KEY' constrain violation retry count exceeds above the maximum count")
	textPool      = []byte("PoolExhaustedException: ")
	textStart     = []byte("Activating TokenPersistenceServiceComponent")
	textOff       = []byte("Token persistence is not enabled. Registering related services")
)

// carbonCounts is what the lines said so far.
type carbonCounts struct {
	forClient, attempts  uint64 // the two texts of a retry
	recovered, exhausted uint64
	poolExhausted        uint64
	lines, skipped       uint64
}

// retries counts attempts to recover. A version may write either of the two
// texts for an attempt, or both, so the larger count is the number of attempts.
func (n *carbonCounts) retries() uint64 { return max(n.forClient, n.attempts) }

// count takes one line into the counts; nil is one that was too long to keep.
func (c *CarbonLog) count(pattern int, line []byte) {
	n := &c.counts
	n.lines++
	if line == nil {
		n.skipped++
	}
	c.modes[pattern].read(line)
	if bytes.Contains(line, textConAppKey) && !ofStackTrace(line) {
		switch {
		case bytes.Contains(line, textForClient):
			n.forClient++
		case bytes.Contains(line, textAttempt):
			n.attempts++
		case bytes.Contains(line, textRecovered):
			n.recovered++
		case bytes.Contains(line, textExhausted):
			n.exhausted++
		}
	}
	if bytes.Contains(line, textPool) {
		n.poolExhausted++
	}
}

// ofStackTrace tells the lines that follow a log message: they may repeat it.
func ofStackTrace(line []byte) bool {
	text := bytes.TrimLeft(line, " \t")
	return bytes.HasPrefix(text, causedBy) || bytes.HasPrefix(text, suppressed) ||
		len(text) < len(line) && (bytes.HasPrefix(text, frame) || bytes.HasPrefix(text, dots))
}

var (
	causedBy   = []byte("Caused by: ")
	suppressed = []byte("Suppressed: ")
	frame      = []byte("at ")
	dots       = []byte("... ")
)

// persistenceMode is what a server's start said.
type persistenceMode int

const (
	modeUnknown persistenceMode = iota
	modeOn
	modeOff
)

// settleLines is how many lines after the one that begins a start the one that
// says "off" may come. It is written directly after it by the same thread;
// others may write between the two.
const settleLines = 20

// modeReader learns the mode from the lines of one server.
type modeReader struct {
	mode    persistenceMode
	pending int // lines until a start without the second line means on
}

// read takes the next line of the log.
func (m *modeReader) read(line []byte) {
	switch {
	case bytes.Contains(line, textStart):
		m.mode, m.pending = modeUnknown, settleLines
	case m.pending == 0: // a second line without the first tells of no start we saw
	case bytes.Contains(line, textOff):
		m.mode, m.pending = modeOff, 0
	default:
		if m.pending--; m.pending == 0 {
			m.mode = modeOn
		}
	}
}
