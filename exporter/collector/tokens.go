package collector

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	tokenRowsDesc = prometheus.NewDesc("wso2_token_rows_observed_total",
		"Rows of IDN_OAUTH2_ACCESS_TOKEN and its partitions seen since wso2_token_observed_since_timestamp_seconds, each TOKEN_ID once per table, by grant type. "+
			"Counts rows committed within the lateness and still present when read: tokens issued without a row, or whose row a refresh removed at once, are not in it. "+
			"For tokens issued see wso2_token_endpoint_requests_total, for inserts wso2_token_table_io_operations_total.",
		[]string{"grant_type"}, nil)
	tokenWatermarkDesc = prometheus.NewDesc("wso2_token_watermark_timestamp_seconds",
		"Creation time of the newest access-token row ever seen, in UTC after correction of the clock offset. Absent until a row was seen.", nil, nil)
	tokenFutureDesc = prometheus.NewDesc("wso2_token_future_rows",
		"Access-token rows created more than a minute in the future of the table's clock; of each table counted up to 10000.", nil, nil)
	tokenOffsetDesc = prometheus.NewDesc("wso2_token_clock_offset_seconds",
		"Seconds by which TIME_CREATED is ahead of UTC, in whole quarters of an hour; 0 until arriving rows tell otherwise.", nil, nil)
	tokenSinceDesc = prometheus.NewDesc("wso2_token_observed_since_timestamp_seconds",
		"Database time from which on wso2_token_rows_observed_total misses no row of the tables that it reads: our first look at them, or the last correction of a clock. "+
			"Rows from before, those written while the exporter was down among them, are not in it.", nil, nil)
	tokenTablesDesc = prometheus.NewDesc("wso2_token_access_token_tables",
		"Tables whose rows wso2_token_rows_observed_total counts: IDN_OAUTH2_ACCESS_TOKEN and those of its partitions that the account may see and that can be read.", nil, nil)
	tokenLeftOutDesc = prometheus.NewDesc("wso2_token_access_token_tables_left_out",
		"Tables named like a partition of IDN_OAUTH2_ACCESS_TOKEN whose rows were not read in this scrape, by reason "+
			"(guard: no index on TIME_CREATED; limit: more than 32 partitions; permission, schema, timeout, other). What was read of them before stays counted.", []string{"reason"}, nil)
)

// Tokens counts the rows that token requests leave in the access-token tables.
// Each scrape reads the fresh edge of the index on TIME_CREATED. Rows may be
// committed behind that edge, so a background pass reads every second once more
// when it is older than the lateness, and after that nobody reads it again: a
// row is read about twice, whatever the size of the table.
type Tokens struct {
	lateness   time.Duration
	background *Background
	tables     *Tables
	clock      clock
	monotonic  func() time.Time // our clock, of which only differences count

	mu     sync.Mutex
	listed time.Time                // when the list was read from which books were made
	books  map[string]*book         // by table name in upper case
	gone   [len(grantTypes)]float64 // counted in tables that have vanished since
	missed map[string]missed        // tables not to try again for a while
	state  settling                 // of the background passes as a whole
}

// NewTokens takes how long after its creation a row may be committed, clock
// differences included, the connection for background reading, and the list of
// tables.
func NewTokens(lateness time.Duration, background *Background, tables *Tables) *Tokens {
	return &Tokens{
		lateness: lateness, background: background, tables: tables, monotonic: time.Now,
		books: map[string]*book{}, missed: map[string]missed{}, state: settling{last: time.Now()},
	}
}

// Name is tokens.
func (t *Tokens) Name() string { return "tokens" }

// Descs lists the families.
func (t *Tokens) Descs() []*prometheus.Desc {
	return []*prometheus.Desc{
		tokenRowsDesc, tokenWatermarkDesc, tokenFutureDesc, tokenOffsetDesc, tokenSinceDesc, tokenTablesDesc, tokenLeftOutDesc,
	}
}

// ClockOffset returns the seconds by which TIME_CREATED is ahead of UTC, as far
// as rows that arrived have told.
func (t *Tokens) ClockOffset() int64 { return t.clock.known() }

// Collect reads the fresh edge of every access-token table. A partition that
// cannot be read is left out, with an error of class partial beside the metrics.
func (t *Tokens) Collect(ctx context.Context, s *Session) ([]prometheus.Metric, error) {
	// Checked first: without the background pass nothing is ever forgotten, so
	// the edge must not go on to be remembered.
	if err := t.overdue(nil); err != nil {
		return nil, err
	}
	visits, left, err := t.open(ctx, s)
	if err != nil {
		return nil, err
	}
	var read []*visit
	for _, v := range visits {
		err := t.readEdge(ctx, s, v)
		if err != nil && t.fatal(ctx, v.book, err) {
			return nil, err
		}
		if err != nil {
			left.add(v.name, err)
			continue
		}
		read = append(read, v)
	}
	return t.metrics(read, left), left.err()
}

// readEdge counts what has come at the newest end of a table.
func (t *Tokens) readEdge(ctx context.Context, s *Session, v *visit) error {
	if err := t.overdue(v.book); err != nil {
		return err
	}
	p := v.ledger.read()
	if p.size > guardRows {
		return &Failure{Guard, fmt.Errorf("%d rows of %s are younger than %v, more than %d: wait until they are older, or lower --collector.tokens.lateness",
			p.size, v.name, t.lateness, guardRows)}
	}
	if v.seen.newest < p.edge.second {
		return nil // nothing has come, and an idle table costs no more
	}
	reached, err := t.readRows(ctx, s, v, t.readChunk, p.edge, v.seen.second(p.offset)+futureSlack+1,
		func(rows []tokenRow, _ cursor) { v.ledger.add(p.epoch, rows) })
	v.ledger.advance(p.epoch, reached)
	return err
}

func seconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }

func (t *Tokens) metrics(read []*visit, left leftOut) []prometheus.Metric {
	var since, future float64
	var newest int64
	for _, v := range read {
		p := v.ledger.read()
		since = max(since, p.since)
		future += float64(v.seen.future)
		newest = max(newest, p.newest)
	}
	offset := float64(t.clock.read().offset)
	metrics := []prometheus.Metric{
		prometheus.MustNewConstMetric(tokenFutureDesc, prometheus.GaugeValue, future),
		prometheus.MustNewConstMetric(tokenOffsetDesc, prometheus.GaugeValue, offset),
		prometheus.MustNewConstMetric(tokenSinceDesc, prometheus.GaugeValue, since),
		prometheus.MustNewConstMetric(tokenTablesDesc, prometheus.GaugeValue, float64(len(read))),
	}
	if newest > 0 {
		metrics = append(metrics, prometheus.MustNewConstMetric(tokenWatermarkDesc, prometheus.GaugeValue, float64(newest)-offset))
	}
	for i, n := range left.tables {
		metrics = append(metrics, prometheus.MustNewConstMetric(tokenLeftOutDesc, prometheus.GaugeValue, float64(n), leftReasons[i]))
	}
	for i, n := range t.observed() {
		metrics = append(metrics, prometheus.MustNewConstMetric(tokenRowsDesc, prometheus.CounterValue, n, grantTypes[i]))
	}
	return metrics
}

var (
	_ SQLCollector = (*Tokens)(nil)
	_ Runner       = (*Tokens)(nil)
)
