package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"

	"github.com/tokenpersistence/toolkit/internal/child"
	"github.com/tokenpersistence/toolkit/internal/mysqltest"
	"github.com/tokenpersistence/toolkit/internal/programtest"
	"github.com/tokenpersistence/toolkit/testbed/cloudwatch"
)

// soakLateness is the exporter's; the writer's late commits stay a second and a
// half below it, because TIME_CREATED holds whole seconds.
const soakLateness = 5 * time.Second

// soakWorld is everything a soak breaks and everything it knows to be true.
type soakWorld struct {
	*stage
	t        testing.TB
	seed     uint64
	begin    time.Time
	other    *mysqltest.Server // another server, for lies
	aws      *cloudwatch.Server
	exporter *child.Process
	r        *running
	client   *http.Client
	dir      string

	grants          []string
	goroutines, fds float64 // of the exporter at the start

	faults, scrapes, violations, datapoints atomic.Int64
	attempted                               atomic.Int64 // rows that may be in the table
	must                                    atomic.Int64 // rows committed in time
	requests                                atomic.Int64 // lines about token requests
	reserve                                 atomic.Int64 // least time between an answer and its deadline

	writing sync.RWMutex // held for reading by who writes rows, for writing by who must not have rows lost
	logging sync.Mutex   // held by who writes or moves the access log

	mu        sync.Mutex
	history   []string
	outages   int
	outSince  time.Time
	resets    time.Time // when counters of the server may have gone down last
	stopped   time.Time // when the exporter was last stopped or continued
	published map[string]map[int64][]float64
}

func newSoakWorld(t *testing.T, seed uint64) *soakWorld {
	t.Helper()
	w := &soakWorld{
		stage: newStage(t, mysqltest.Config{}), t: t, seed: seed, dir: t.TempDir(),
		client: &http.Client{Transport: &http.Transport{}}, published: map[string]map[int64][]float64{},
	}
	w.reserve.Store(int64(time.Hour))
	w.other, _ = database(t, mysqltest.Config{})
	w.db = ownPool(t, w.server)
	w.grants = grants(t, w.server, w.db, "apimdb")
	// The bound of the operating guide: two and one that is dying.
	execute(t, w.db, "ALTER USER exporter@'127.0.0.1' WITH MAX_USER_CONNECTIONS 3")
	var err error
	w.aws, err = cloudwatch.Start(cloudwatch.Config{Period: time.Second, Delay: time.Second})
	try(t, err)
	t.Cleanup(func() { try(t, w.aws.Close()) })
	writeFile(t, w.accessLog(), "")
	writeFile(t, w.carbonLog(), "")
	w.begin = time.Now()
	w.startExporter(t)
	t.Cleanup(w.client.CloseIdleConnections)
	eventually(t, "the SQL collectors succeed", func() error {
		if p := w.r.scrape(t); !p.success()["tokens"] || !p.success()["mysql"] {
			return fmt.Errorf("failing: %v\n%s", p.failing(), w.r.logs)
		}
		return nil
	})
	p := w.r.scrape(t)
	w.goroutines, _ = p.value("go_goroutines")
	w.fds, _ = p.value("process_open_fds")
	return w
}

// ownPool is the administrator's and the writer's pool. It sends statements as
// text: MariaDB's digests do not see prepared ones, and where too much cannot be
// attributed the exporter rightly withholds the tax.
func ownPool(t *testing.T, server *mysqltest.Server) *sql.DB {
	t.Helper()
	config := server.Config("apimdb")
	config.InterpolateParams = true
	connector, err := mysql.NewConnector(config)
	try(t, err)
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() }) // a connection that a fault broke cannot be closed well
	return db
}

func (w *soakWorld) accessLog() string { return filepath.Join(w.dir, "http_access_.log") }
func (w *soakWorld) carbonLog() string { return filepath.Join(w.dir, "wso2carbon.log") }

// startExporter runs the test's own binary, which is the exporter when it is
// called so, as a process of its own.
func (w *soakWorld) startExporter(t *testing.T) {
	program, err := exec.LookPath("exporter")
	try(t, err)
	command := exec.Command(program, append(w.flags(),
		"--web.listen-address=127.0.0.1:0", "--collector.tokens.lateness="+soakLateness.String(), "--collector.statements.interval=5s",
		"--collector.schema.interval=1m", "--collector.census.interval=1m",
		"--cloudwatch.region=eu-west-1", "--cloudwatch.rds-instance=db", "--cloudwatch.period=1s", "--cloudwatch.delay=1s",
		"--collector.endpoint.access-log="+w.accessLog(), "--collector.carbonlog.log="+w.carbonLog())...)
	command.Env = append(os.Environ(), passwordVariable+"="+canary, "AWS_ENDPOINT_URL="+w.aws.URL(), "AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
		"AWS_SECRET_ACCESS_KEY="+canary, "AWS_EC2_METADATA_DISABLED=true")
	w.r = &running{logs: &programtest.Output{}}
	command.Stdout, command.Stderr = w.r.logs, w.r.logs
	w.exporter, err = child.Start(command, nil)
	try(t, err)
	t.Cleanup(func() {
		try(t, w.exporter.Signal(syscall.SIGCONT))
		try(t, w.exporter.Stop(time.Minute))
		if err := w.exporter.Err(); err != nil {
			t.Errorf("the exporter ended with %v\n%s", err, w.r.logs)
		}
	})
	eventually(t, "the exporter listens", func() error {
		found := listening.FindStringSubmatch(w.r.logs.String())
		if found == nil {
			return errors.New(w.r.logs.String())
		}
		w.r.url = "http://" + found[1]
		return nil
	})
}

// writeTokens inserts rows, directly and not through the proxy, some of which
// are committed late. A row counts for sure when its commit was confirmed
// within the lateness of its creation; one whose end is unknown, or that a
// fault held up for longer, may or may not.
func (w *soakWorld) writeTokens(ctx context.Context) {
	random := rand.New(rand.NewPCG(w.seed, 200))
	var late sync.WaitGroup
	defer late.Wait()
	for pause(ctx, 5*time.Millisecond, 60*time.Millisecond, random) {
		delay := time.Duration(0)
		if random.IntN(4) == 0 {
			delay = time.Duration(random.Int64N(int64(soakLateness - 1500*time.Millisecond)))
		}
		rows := 1 + random.IntN(3)
		w.writing.RLock()
		if delay == 0 {
			w.writeTransaction(ctx, rows, delay)
			w.writing.RUnlock()
			continue
		}
		late.Go(func() {
			defer w.writing.RUnlock()
			w.writeTransaction(ctx, rows, delay)
		})
	}
}

func (w *soakWorld) writeTransaction(ctx context.Context, rows int, delay time.Duration) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return
	}
	begin := time.Now()
	w.attempted.Add(int64(rows))
	for range rows {
		if _, err := tx.ExecContext(ctx, "INSERT INTO IDN_OAUTH2_ACCESS_TOKEN (TOKEN_ID, GRANT_TYPE) VALUES (?, ?)",
			uuid.NewString(), []string{"password", "client_credentials", "strange"}[rows-1]); err != nil {
			_ = tx.Rollback() // the connection may be gone
			return
		}
	}
	time.Sleep(delay)
	if tx.Commit() == nil && time.Since(begin) < soakLateness-time.Second {
		w.must.Add(int64(rows))
	}
}

// writeLogs appends to the access log, and sometimes what is no request.
func (w *soakWorld) writeLogs(ctx context.Context) {
	random := rand.New(rand.NewPCG(w.seed, 201))
	for pause(ctx, 10*time.Millisecond, 50*time.Millisecond, random) {
		lines := 1 + random.IntN(5)
		text := strings.Repeat(`127.0.0.1 - - [12/Dec/2019:16:53:29 +0000] "POST /oauth2/token HTTP/1.1" 200 10 "-" "x"`+"\n", lines)
		if random.IntN(20) == 0 {
			text += "\x00\xff garbage " + canary + "\n"
		}
		w.logging.Lock()
		w.append(w.accessLog(), text)
		w.requests.Add(int64(lines))
		w.logging.Unlock()
		if random.IntN(20) == 0 {
			w.append(w.carbonLog(), "TID: [-1234] [] [2019-12-12 16:53:29,134]  INFO {x} - "+canary+"\n")
		}
	}
}

func (w *soakWorld) append(path, text string) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		w.violate("write a log: %v", err)
	}
}

// soakMetrics are published to CloudWatch, with the families that show them.
var soakMetrics = map[string]string{"ReadIOPS": "rds_read_iops", "WriteIOPS": "rds_write_iops", "DiskQueueDepth": "rds_disk_queue_depth"}

// publish puts a datapoint of each metric for every second, and now and then a
// late or revised one; each value is kept with its second.
func (w *soakWorld) publish(ctx context.Context) {
	random := rand.New(rand.NewPCG(w.seed, 202))
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		for metric := range soakMetrics {
			at := time.Now().Truncate(time.Second).Add(-time.Second)
			switch random.IntN(10) {
			case 0:
				continue // a gap
			case 1:
				at = at.Add(-time.Duration(random.IntN(5)) * time.Second)
			}
			value := float64(random.IntN(1 << 30))
			w.mu.Lock()
			if w.published[metric] == nil {
				w.published[metric] = map[int64][]float64{}
			}
			w.published[metric][at.Unix()] = append(w.published[metric][at.Unix()], value)
			w.mu.Unlock()
			w.aws.Put("AWS/RDS", metric, "db", at, value)
			w.datapoints.Add(1)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
