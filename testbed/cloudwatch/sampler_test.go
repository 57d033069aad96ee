package cloudwatch

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awscloudwatch "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

func TestRatesAreInCloudWatchUnits(t *testing.T) {
	before := reading{at: past, usage: usage{cpu: time.Second, cores: 2}}
	now := reading{at: past.Add(2 * time.Second), usage: usage{
		cpu: 2 * time.Second, cores: 2, readCalls: 10, writeCalls: 20, readBytes: 4096, writeBytes: 8192,
	}}
	want := map[string]float64{"CPUUtilization": 25, "ReadIOPS": 5, "WriteIOPS": 10, "ReadThroughput": 2048, "WriteThroughput": 4096}
	got := rates(namespaceRDS, before, now)
	for metric, value := range want {
		if got[metric] != value {
			t.Errorf("%s = %v, want %v", metric, got[metric], value)
		}
	}
	if host := rates(namespaceEC2, before, now); len(host) != 1 || host["CPUUtilization"] != 25 {
		t.Errorf("a host has %v, want its CPUUtilization alone", host)
	}
}

// script drives the sampler with made-up processes.
type script struct {
	usage map[int]usage
}

func (f *script) read(pid int) (usage, error) {
	u, ok := f.usage[pid]
	if !ok {
		return usage{}, errors.New("no such process")
	}
	return u, nil
}

func TestDatapointNeedsTwoTimelyReadingsOfTheSameProcesses(t *testing.T) {
	key := seriesKey{namespaceRDS, "WriteIOPS", "db"}
	minute := func(i int) time.Time { return past.Add(time.Duration(i) * time.Minute) }
	for name, c := range map[string]struct {
		change func(s *Server, f *script, boundary int) time.Duration // returns the lateness
		want   []int                                                  // minutes with a datapoint, of 0…4
		late   int
	}{
		"steady": {func(*Server, *script, int) time.Duration { return 0 }, []int{0, 1, 2, 3, 4}, 0},
		"late once": {func(_ *Server, _ *script, b int) time.Duration {
			if b == 2 {
				return 16 * time.Second
			}
			return 14 * time.Second
		}, []int{0, 3, 4}, 1},
		"process dies": {func(_ *Server, f *script, b int) time.Duration {
			if b == 2 {
				clear(f.usage)
			}
			return 0
		}, []int{0}, 0},
		"PID reused": {func(_ *Server, f *script, b int) time.Duration {
			if b == 2 {
				f.usage[1] = usage{start: 99}
			}
			return 0
		}, []int{0, 2, 3, 4}, 0},
		"process replaced": {func(s *Server, f *script, b int) time.Duration {
			if b == 3 {
				f.usage[2] = usage{start: 9}
				s.SetDatabase(Target{ID: "db", PIDs: []int{2}})
			}
			return 0
		}, []int{0, 1, 3, 4}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(Config{Period: time.Minute, Databases: []Target{{ID: "db", PIDs: []int{1}}}})
			if err != nil {
				t.Fatal(err)
			}
			f := &script{usage: map[int]usage{1: {start: 5}}}
			s.sampler.read, s.sampler.host = f.read, func(Target) host { return host{} }
			for b := range 6 {
				late := c.change(s, f, b)
				s.observe(minute(b), minute(b).Add(late))
			}
			var got []int
			for _, p := range s.store.between(key, past, past.Add(time.Hour)) {
				got = append(got, int(p.at.Sub(past)/time.Minute))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("datapoints in minutes %v, want %v", got, c.want)
			}
			if late := s.Stats().LateSamples; late != c.late {
				t.Errorf("%d late samples, want %d", late, c.late)
			}
		})
	}
}

func TestParseStart(t *testing.T) {
	const stat = "42 (my) daemon (x)) S 1 42 42 0 -1 4194304 61 0 1 0 49 7 0 0 20 0 1 0 146739 2654208 375\n"
	if got, err := parseStart([]byte(stat)); err != nil || got != 146739 {
		t.Errorf("start %d, %v; want 146739", got, err)
	}
	for _, bad := range []string{"", "42 (x", "42 (x) S 1 2 3"} {
		if _, err := parseStart([]byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestParseIO(t *testing.T) {
	var u usage
	const text = "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 6\ncancelled_write_bytes: 7\n"
	if err := parseIO([]byte(text), &u); err != nil {
		t.Fatal(err)
	}
	if want := (usage{readCalls: 3, writeCalls: 4, readBytes: 5, writeBytes: 6}); u != want {
		t.Errorf("got %+v, want %+v", u, want)
	}
	for _, bad := range []string{"", "syscr: x\n", "syscr: 1\nsyscw: 2\n"} {
		if err := parseIO([]byte(bad), new(usage)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

// TestRealProcess runs a process that writes a known number of times and keeps
// one core busy, and asks for it through the SDK as the exporter does.
func TestRealProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `while :; do echo x; done`)
	sink, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sink.Close() }()
	cmd.Stdout = sink
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	pid, folder := cmd.Process.Pid, t.TempDir()
	s, err := Start(Config{
		Period:    time.Second,
		Databases: []Target{{ID: "db", PIDs: []int{pid}, Cores: 1, Folder: folder}},
		Hosts:     []Target{{ID: "host", PIDs: []int{pid}, Cores: 4}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	client := newClient(t, s.URL())
	queries := []types.MetricDataQuery{
		metricQuery("cpu", namespaceRDS, "CPUUtilization", "db", "Average", 1),
		metricQuery("writes", namespaceRDS, "WriteIOPS", "db", "Average", 1),
		metricQuery("host", namespaceEC2, "CPUUtilization", "host", "Average", 1),
		metricQuery("memory", namespaceRDS, "FreeableMemory", "db", "Average", 1),
		metricQuery("swap", namespaceRDS, "SwapUsage", "db", "Average", 1),
		metricQuery("storage", namespaceRDS, "FreeStorageSpace", "db", "Average", 1),
	}
	if err := CheckDisk(folder); err != nil {
		t.Logf("no figures of the disk: %v", err)
	} else {
		queries = append(queries,
			metricQuery("readLatency", namespaceRDS, "ReadLatency", "db", "Average", 1),
			metricQuery("writeLatency", namespaceRDS, "WriteLatency", "db", "Average", 1),
			metricQuery("queue", namespaceRDS, "DiskQueueDepth", "db", "Average", 1))
	}
	var got map[string]float64
	for got == nil {
		out, err := client.GetMetricData(t.Context(), &awscloudwatch.GetMetricDataInput{
			MetricDataQueries: queries,
			StartTime:         aws.Time(time.Now().Add(-10 * time.Second)), EndTime: aws.Time(time.Now()),
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.MetricDataResults[0].Values) > 0 {
			got = make(map[string]float64)
			for _, r := range out.MetricDataResults {
				if len(r.Timestamps) == 0 {
					t.Fatalf("no datapoint of %s", *r.Id)
				}
				if !r.Timestamps[0].Equal(floor(r.Timestamps[0], time.Second)) {
					t.Errorf("%s is stamped %v, off the period's boundary", *r.Id, r.Timestamps[0])
				}
				got[*r.Id] = r.Values[0]
			}
		}
		select {
		case <-t.Context().Done():
			t.Fatal("no datapoint before the test's deadline")
		case <-time.After(50 * time.Millisecond):
		}
	}
	if got["cpu"] <= 0 || got["cpu"] > 105 {
		t.Errorf("a process with one busy thread used %.1f %% of one core", got["cpu"])
	}
	if ratio := got["cpu"] / got["host"]; math.Abs(ratio-4) > 0.2 {
		t.Errorf("the same process uses %.2f times as much of one core as of four, want 4", ratio)
	}
	if got["memory"] < 1<<20 || got["storage"] <= 0 || got["swap"] < 0 {
		t.Errorf("%.0f B of memory and %.0f B of storage are free, %.0f B are swapped", got["memory"], got["storage"], got["swap"])
	}
	for _, metric := range []string{"readLatency", "writeLatency", "queue"} {
		if v := got[metric]; v < 0 || v > 1000 {
			t.Errorf("%s = %v", metric, v)
		}
	}
	if got["writes"] < 100 {
		t.Errorf("%.0f writes a second from a loop that writes all the time", got["writes"])
	}
}

// BenchmarkReadProcess shows what a sample costs, so that the measurement stays
// far below the percent it is to resolve.
func BenchmarkReadProcess(b *testing.B) {
	pid := os.Getpid()
	for b.Loop() {
		if _, err := readProcess(pid); err != nil {
			b.Fatal(err)
		}
	}
}
