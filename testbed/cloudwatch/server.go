package cloudwatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Config says what to measure and when to publish it.
type Config struct {
	Listen    string        // host:port; empty means a free port on loopback
	Period    time.Duration // 1, 5, 10, 20 or 30 s, or a multiple of 60 s
	Delay     time.Duration // from the end of a period until its datapoint is visible
	Keep      int           // datapoints kept per metric; 0 means one hour of seconds, 3,600
	Databases []Target      // AWS/RDS: see Target
	Hosts     []Target      // AWS/EC2: CPUUtilization
}

// Target is a group of processes that appears as one instance.
//
// A database has CPUUtilization, ReadIOPS, WriteIOPS, ReadThroughput,
// WriteThroughput and SwapUsage of its processes, and FreeableMemory of the
// machine. With a Folder it has FreeStorageSpace of the file system, and of the
// disk below it ReadLatency, WriteLatency and DiskQueueDepth. Memory, storage and
// disk are the machine's, whoever else uses them included: an RDS instance has
// them to itself. The kernel counts the disk's time in milliseconds, so the
// latency of a handful of operations is coarse. Sizes are those at the period's
// end.
type Target struct {
	ID     string  // the DBInstanceIdentifier or InstanceId
	PIDs   []int   // none: the instance has no datapoints
	Cores  float64 // cores that are 100 %; 0 means those the processes' affinity allows
	Folder string  // where a database keeps its data; of another mount namespace /proc/PID/cwd; "": not on this machine
}

type placedTarget struct {
	namespace string
	Target
}

// Server is the running endpoint. It is an http.Handler too, for tests that
// bring their own listener.
type Server struct {
	cfg   Config
	store store

	mu      sync.Mutex // guards what follows
	targets []placedTarget
	sampler sampler
	faults  []Fault
	stats   Stats

	listener net.Listener
	http     http.Server
	stop     context.CancelFunc
	done     sync.WaitGroup
}

// Stats counts what the endpoint did since it started.
type Stats struct {
	Requests    int // HTTP requests that asked for GetMetricData, refused ones included
	Faults      int // of those, answered with an injected fault
	LateSamples int // period boundaries missed by more than a quarter period: no datapoints there
}

// New returns an endpoint that is not listening and measures nothing yet: Put
// fills it. Start is what a rig wants.
func New(cfg Config) (*Server, error) {
	if !validPeriod(cfg.Period) {
		return nil, fmt.Errorf("cloudwatch period %s: want 1s, 5s, 10s, 20s, 30s or a multiple of 1m", cfg.Period)
	}
	if cfg.Keep <= 0 {
		cfg.Keep = 3600
	}
	s := &Server{
		cfg:     cfg,
		store:   store{keep: cfg.Keep, series: make(map[seriesKey][]datapoint)},
		sampler: sampler{period: cfg.Period, read: readProcess, host: readHost, last: make(map[seriesKey]reading)},
	}
	for _, t := range cfg.Databases {
		s.targets = append(s.targets, placedTarget{namespaceRDS, t})
	}
	for _, t := range cfg.Hosts {
		s.targets = append(s.targets, placedTarget{namespaceEC2, t})
	}
	return s, nil
}

// Start listens and samples the targets until Close.
func Start(cfg Config) (*Server, error) {
	if err := supported(); err != nil {
		return nil, err
	}
	s, err := New(cfg)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	var network net.ListenConfig
	if s.listener, err = network.Listen(ctx, "tcp", cmp.Or(cfg.Listen, "127.0.0.1:0")); err != nil {
		stop()
		return nil, fmt.Errorf("listen for CloudWatch requests: %w", err)
	}
	s.stop = stop
	s.http = http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	s.done.Go(func() { s.run(ctx) })
	s.done.Go(func() {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.stop() // nobody can ask any more, so measuring ends too
		}
	})
	return s, nil
}

// URL is the endpoint's address, for AWS_ENDPOINT_URL.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Close stops sampling and serving, requests in flight included, and waits for
// both to end.
func (s *Server) Close() error {
	s.stop()
	err := s.http.Close()
	s.done.Wait()
	if err != nil {
		return fmt.Errorf("close the CloudWatch endpoint: %w", err)
	}
	return nil
}

// SetDatabase replaces the processes behind an RDS instance, adding the instance
// if it is new: a restarted database has another PID. The period of the change
// and the one under way have no datapoint.
func (s *Server) SetDatabase(t Target) { s.set(placedTarget{namespaceRDS, t}) }

// SetHost replaces the processes behind an EC2 instance, as SetDatabase does.
func (s *Server) SetHost(t Target) { s.set(placedTarget{namespaceEC2, t}) }

func (s *Server) set(t placedTarget) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sampler.last, seriesKey{namespace: t.namespace, instance: t.ID})
	for i, old := range s.targets {
		if old.namespace == t.namespace && old.ID == t.ID {
			s.targets[i] = t
			return
		}
	}
	s.targets = append(s.targets, t)
}

// Put stores a datapoint that was not measured here, for tests that need a
// known value: namespace AWS/RDS or AWS/EC2, the instance, and the start of the
// period the value covers.
func (s *Server) Put(namespace, metric, instance string, at time.Time, value float64) {
	s.store.put(map[seriesKey]datapoint{
		{namespace, metric, instance}: {floor(at, s.cfg.Period), value},
	})
}

// Stats returns the counts so far.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// validPeriod says whether CloudWatch would take the period.
func validPeriod(p time.Duration) bool {
	switch p {
	case time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second:
		return true
	}
	return p > 0 && p%time.Minute == 0
}
