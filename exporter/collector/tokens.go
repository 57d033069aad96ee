package collector

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	tokenRowsDesc = prometheus.NewDesc("wso2_token_rows_observed_total",
		"Rows of IDN_OAUTH2_ACCESS_TOKEN seen since wso2_token_observed_since_timestamp_seconds, each TOKEN_ID once, by grant type. "+
			"Counts rows committed within the lateness and still present when read: tokens issued without a row, or whose row a refresh removed at once, are not in it. "+
			"For tokens issued see wso2_token_endpoint_requests_total, for inserts wso2_token_table_io_operations_total.",
		[]string{"grant_type"}, nil)
	tokenWatermarkDesc = prometheus.NewDesc("wso2_token_watermark_timestamp_seconds",
		"Creation time of the newest row of IDN_OAUTH2_ACCESS_TOKEN ever seen, in UTC after correction of the clock offset. Absent until a row was seen.", nil, nil)
	tokenFutureDesc = prometheus.NewDesc("wso2_token_future_rows",
		"Rows of IDN_OAUTH2_ACCESS_TOKEN created more than a minute in the future of the table's clock; stops at 10000.", nil, nil)
	tokenOffsetDesc = prometheus.NewDesc("wso2_token_clock_offset_seconds",
		"Seconds by which TIME_CREATED is ahead of UTC, in whole quarters of an hour; 0 until arriving rows tell otherwise.", nil, nil)
	tokenSinceDesc = prometheus.NewDesc("wso2_token_observed_since_timestamp_seconds",
		"Database time from which on wso2_token_rows_observed_total misses no row: our first look at the table, or the last correction of the clock offset.", nil, nil)
)

// Tokens counts the rows that token requests leave in the access-token table.
// Each scrape reads the fresh edge of the index on TIME_CREATED. Rows may be
// committed behind that edge, so a background pass reads every second once more
// when it is older than the lateness, and after that nobody reads it again: a
// row is read about twice, whatever the size of the table.
type Tokens struct {
	lateness   time.Duration
	background *Background
	ledger     *ledger
	clock      clock

	mu      sync.Mutex
	settled time.Time // when the last background pass succeeded
	failure error     // why the passes since have failed

	resume      cursor // of the background pass only: where a pass that failed goes on
	resumeEpoch int
}

// NewTokens takes how long after its creation a row may be committed, clock
// differences included, and the connection for background reading.
func NewTokens(lateness time.Duration, background *Background) *Tokens {
	return &Tokens{lateness: lateness, background: background, ledger: newLedger(), settled: time.Now()}
}

// Name is tokens.
func (t *Tokens) Name() string { return "tokens" }

// Descs lists the families.
func (t *Tokens) Descs() []*prometheus.Desc {
	return []*prometheus.Desc{tokenRowsDesc, tokenWatermarkDesc, tokenFutureDesc, tokenOffsetDesc, tokenSinceDesc}
}

// Collect reads the fresh edge.
func (t *Tokens) Collect(ctx context.Context, s *Session) ([]prometheus.Metric, error) {
	// Checked first: without the background pass nothing is ever forgotten, so
	// the edge must not go on to be remembered.
	if err := t.overdue(); err != nil {
		return nil, err
	}
	seen, p, err := t.open(ctx, s)
	if err != nil {
		return nil, err
	}
	reached, err := t.readRows(ctx, s, p.edge, seen.second(p.offset)+futureSlack+1, t.count(p.epoch))
	t.ledger.advance(p.epoch, reached)
	if err != nil {
		return nil, err
	}
	return t.metrics(seen), nil
}

// count returns a function that counts rows as long as the epoch lasts.
func (t *Tokens) count(epoch int) func([]tokenRow) {
	return func(rows []tokenRow) { t.ledger.add(epoch, rows) }
}

// open looks at the table and makes the rows that are there the baseline if
// there is none yet, or if the table's clock turned out to be another.
func (t *Tokens) open(ctx context.Context, s *Session) (sighting, page, error) {
	p := t.ledger.read()
	seen, err := t.look(ctx, s, p.offset)
	if err != nil {
		return seen, p, err
	}
	offset := t.clock.observe(seen)
	if p.epoch == 0 || p.offset != offset {
		if err := t.baseline(ctx, s, p.epoch, seen, offset); err != nil {
			return seen, p, err
		}
	}
	t.ledger.sight(seen.latest(t.ledger.read().offset))
	return seen, t.ledger.read(), nil
}

// baseline remembers the rows that are there and may be read again: those of
// the lateness window and the first of the future, which the clock will reach.
func (t *Tokens) baseline(ctx context.Context, s *Session, epoch int, seen sighting, offset int64) error {
	now := seen.second(offset)
	first := now - seconds(t.lateness)
	var rows []tokenRow
	take := func(chunk []tokenRow) { rows = append(rows, chunk...) }
	if _, err := t.readRows(ctx, s, cursor{second: first}, now+futureSlack+1, take); err != nil {
		return err
	}
	if _, _, err := t.readChunk(ctx, s, cursor{second: now + futureSlack + 1}, endOfTime, take); err != nil {
		return err
	}
	t.ledger.begin(epoch, baseline{since: seen.now, offset: offset, settled: first, rows: rows})
	return nil
}

func seconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }

func (t *Tokens) metrics(seen sighting) []prometheus.Metric {
	p := t.ledger.read()
	offset := float64(p.offset)
	metrics := []prometheus.Metric{
		prometheus.MustNewConstMetric(tokenFutureDesc, prometheus.GaugeValue, float64(seen.future)),
		prometheus.MustNewConstMetric(tokenOffsetDesc, prometheus.GaugeValue, offset),
		prometheus.MustNewConstMetric(tokenSinceDesc, prometheus.GaugeValue, p.since),
	}
	if p.newest > 0 {
		metrics = append(metrics, prometheus.MustNewConstMetric(tokenWatermarkDesc, prometheus.GaugeValue, float64(p.newest)-offset))
	}
	for i, grant := range grantTypes {
		metrics = append(metrics, prometheus.MustNewConstMetric(tokenRowsDesc, prometheus.CounterValue, p.observed[i], grant))
	}
	return metrics
}

var (
	_ SQLCollector = (*Tokens)(nil)
	_ Runner       = (*Tokens)(nil)
)
