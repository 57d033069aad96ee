package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tokenpersistence/toolkit/testbed/keymanager"
)

// counts is one reading of what has happened so far.
type counts struct {
	rows
	requests int64            // 2xx answers of /oauth2/token that the exporter saw in the access logs
	observed map[string]int64 // rows the exporter counted, by grant
}

// counts reads the database and the exporter. A collector of the counted
// figures that fails, say because the machine was busy, gets a few more tries.
func (s *stand) counts(ctx context.Context) (counts, error) {
	c := counts{observed: map[string]int64{}}
	var err error
	if c.rows, err = s.database.count(ctx); err != nil {
		return c, err
	}
	families, err := s.exporter.succeeding(ctx, settleLimit, "tokens", "endpoint")
	if err != nil {
		return c, err
	}
	c.requests = int64(sum(families["wso2_token_endpoint_requests_total"], map[string]string{"endpoint": "token", "code": "2xx"}))
	for _, grant := range s.options.Grants {
		c.observed[grant] = int64(sum(families["wso2_token_rows_observed_total"], map[string]string{"grant_type": grant}))
	}
	return c, nil
}

// baseline reads the counts of an idle rig. The exporter lets a scrape share the
// run of one that is under way, and that run may have begun before the rig was
// idle; a second scrape cannot meet it any more.
func (s *stand) baseline(ctx context.Context) (counts, error) {
	if _, err := s.counts(ctx); err != nil {
		return counts{}, err
	}
	return s.counts(ctx)
}

// settleLimit is how long the counts of an idle rig may take to agree. The log
// line of a request is written before its answer, and its commit comes before
// that; only a scrape that began earlier may be behind.
const settleLimit = 3 * time.Second

// settle reads the counts after a window until they agree, or until they have
// had the time they can need.
func (s *stand) settle(ctx context.Context, w *window, before counts) error {
	for deadline := time.Now().Add(settleLimit); ; {
		after, err := s.counts(ctx)
		if err != nil {
			return err
		}
		w.Requests = after.requests - before.requests
		w.Rows = after.Tokens - before.Tokens
		if w.Grant == keymanager.RefreshToken {
			// A refresh with persistence on replaces its row: the old one is an
			// audit copy now.
			w.Rows += after.Audit - before.Audit
		}
		if w.agree() || time.Now().After(deadline) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (w *window) agree() bool {
	return w.Received == w.JTLRows && int64(w.Received) == w.Requests && w.Rows == w.wantRows()
}

func (w *window) wantRows() int64 {
	if w.Mode == off {
		return 0
	}
	return int64(w.Received)
}

// tokensObserved says whether the exporter's row counter is exact for a grant:
// a refresh with cleanup deletes rows before they can be read.
func tokensObserved(grant string) bool { return grant != keymanager.RefreshToken }

// observed waits until the exporter has counted every row of a grant, or until
// the lateness and the pass that follows it are over.
func (s *stand) observed(ctx context.Context, grant string, before counts, want int64) (int64, error) {
	for deadline := time.Now().Add(3*lateness + settleLimit); ; {
		now, err := s.counts(ctx)
		if err != nil {
			return 0, err
		}
		n := now.observed[grant] - before.observed[grant]
		if n == want || time.Now().After(deadline) {
			return n, nil
		}
		select {
		case <-ctx.Done():
			return n, ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// total is one row of the table of counts: all windows of a grant and mode,
// warm-up included, from idle to idle.
type total struct {
	Grant    string  `json:"grant"`
	Mode     string  `json:"persistence"`
	Received int64   `json:"tokens_received"`
	JTL      int64   `json:"jtl_successes"`
	Requests int64   `json:"access_log_requests"`
	Rows     int64   `json:"rows"`
	Observed *int64  `json:"rows_the_exporter_counted,omitempty"` // nil where it cannot be exact
	Slowest  float64 `json:"slowest_answer_seconds"`
	Agree    bool    `json:"agree"`
}

// totals adds up the windows. observed holds the exporter's count of rows of
// the grants where it is exact.
func totals(windows []window, observed map[string]int64) []total {
	var out []total
	index := map[[2]string]int{}
	for _, w := range windows {
		key := [2]string{w.Grant, w.Mode}
		i, known := index[key]
		if !known {
			i = len(out)
			index[key] = i
			out = append(out, total{Grant: w.Grant, Mode: w.Mode, Agree: true})
		}
		t := &out[i]
		t.Received += int64(w.Received)
		t.JTL += int64(w.JTLRows)
		t.Requests += w.Requests
		t.Rows += w.Rows
		t.Agree = t.Agree && w.agree()
		t.Slowest = max(t.Slowest, w.Slowest)
	}
	for i := range out {
		t := &out[i]
		if n, counted := observed[t.Grant]; counted && t.Mode == on {
			t.Observed = &n
			t.Agree = t.Agree && n == t.Rows
		}
	}
	return out
}

// tooLate says why the exporter may have counted fewer rows than there are, "" when
// it counted all. A row that is committed later than the lateness after its
// TIME_CREATED is left out by design, and an answer comes after its commit.
func (t total) tooLate() string {
	if t.Observed == nil || *t.Observed >= t.Rows || t.Slowest <= lateness.Seconds() {
		return ""
	}
	return fmt.Sprintf(" (the slowest answer took %.1f s, and the exporter counts rows committed within %s of their TIME_CREATED, which may be what is missing: repeat on a machine with less to do)", t.Slowest, lateness)
}

// errCounts says that counts which must agree do not.
var errCounts = errors.New("the counts do not agree")

// printTotals writes the table and returns an error that names the rows that
// disagree.
func printTotals(out io.Writer, all []total) error {
	fmt.Fprintln(out, "Counts from idle to idle, warm-ups included (rows of refresh: with audit copies)")
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "grant\tmode\treceived\tJTL\taccess log\trows\texporter\t\t")
	var wrong []string
	for _, t := range all {
		observed, verdict := "-", "agree"
		if t.Observed != nil {
			observed = fmt.Sprint(*t.Observed)
		}
		if !t.Agree {
			verdict = "DIFFER"
			wrong = append(wrong, t.Grant+" "+t.Mode+t.tooLate())
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t\n", t.Grant, t.Mode, t.Received, t.JTL, t.Requests, t.Rows, observed, verdict)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%w: %s; the windows are in rig.json", errCounts, strings.Join(wrong, ", "))
	}
	return nil
}
