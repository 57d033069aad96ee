package cloudwatch

import (
	"errors"
	"maps"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// diskstats is what a virtual machine with one disk of one partition and a
// mapped device printed; vdb is as kernels before 4.18 wrote it.
const diskstats = `   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
 254       0 vda 8013328 456570 252776938 14684033 35880594 3170485 1688835008 8544239 0 4900304 24805867 3037702 5313 2061994152 561214 6990845 1016379
 254       1 vda1 11 2 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27
 254      16 vdb 1 2 3 4 5 6 7 8 9 10 11
 253       0 dm-0 31 0 33 4294967295 35 0 37 8589934592 0 40 41
   8       0 sda 1 2 3 4
   8      16 sdb 1 2 3 x 5 6 7 8 9 10 11
   8      32 sdc -1 2 3 4 5 6 7 8 9 10 11
`

func TestParseDisk(t *testing.T) {
	for _, c := range []struct {
		major, minor uint32
		want         disk
		err          string
	}{
		{254, 0, disk{reads: 8013328, readTime: 14684033, writes: 35880594, writeTime: 8544239, queueTime: 24805867}, ""},
		{254, 1, disk{reads: 11, readTime: 14, writes: 15, writeTime: 18, queueTime: 21}, ""},
		{254, 16, disk{reads: 1, readTime: 4, writes: 5, writeTime: 8, queueTime: 11}, ""},
		{253, 0, disk{reads: 31, readTime: math.MaxUint32, writes: 35, writeTime: 0, queueTime: 41}, ""},
		{8, 0, disk{}, "sda: 4 counters, want 11"},
		{8, 16, disk{}, `sdb: counter 4: strconv.ParseUint: parsing "x"`},
		{8, 32, disk{}, "sdc: counter 1"},
		{0, 27, disk{}, "0:27: no such device"},
		{54, 0, disk{}, "54:0: no such device"},
	} {
		got, err := parseDisk([]byte(diskstats), c.major, c.minor)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%d:%d: %+v, %v; want %+v, %q", c.major, c.minor, got, err, c.want, c.err)
		}
	}
	for _, text := range []string{"", "\n", "254 0\n", "254 0 vda"} {
		if got, err := parseDisk([]byte(text), 254, 0); err == nil {
			t.Errorf("%q: %+v and no error", text, got)
		}
	}
}

func TestParseSize(t *testing.T) {
	const meminfo = "MemTotal:       49368188 kB\nMemFree:        31234567 kB\nMemAvailable:   46128732 kB\nHugePages_Total:       0\nBuffers: x kB\nCached: -1 kB\n"
	if got, err := parseSize([]byte(meminfo), "MemAvailable"); err != nil || got != 46128732*1024 {
		t.Errorf("MemAvailable = %v, %v", got, err)
	}
	if got, err := parseSize([]byte("Name:\tmysqld\nVmSwap:\t       0 kB\n"), "VmSwap"); err != nil || got != 0 {
		t.Errorf("VmSwap = %v, %v", got, err)
	}
	for name, want := range map[string]string{
		"Mem": "no line Mem", "HugePages_Total": `"0" is not in kB`, "Buffers": `parsing "x"`, "Cached": `parsing "-1"`, "": "no line",
	} {
		if got, err := parseSize([]byte(meminfo), name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v; want an error with %q", name, got, err, want)
		}
	}
}

// TestHostRates has one second with 100 reads of 2 ms, no write, and 0.5
// operations in the queue on average.
func TestHostRates(t *testing.T) {
	reading := func(change func(*disk)) host {
		d := disk{at: past, device: 1, reads: 1000, writes: 7, readTime: math.MaxUint32 - 99, writeTime: 5, queueTime: 10}
		change(&d)
		return host{levels: map[string]float64{"FreeableMemory": 1 << 30}, disk: &d}
	}
	before := reading(func(*disk) {})
	after := func(d *disk) {
		d.at, d.reads, d.readTime, d.queueTime = past.Add(time.Second), d.reads+100, d.readTime+200, d.queueTime+500
	}
	levels := map[string]float64{"FreeableMemory": 1 << 30}
	whole := map[string]float64{"FreeableMemory": 1 << 30, "ReadLatency": 0.002, "WriteLatency": 0, "DiskQueueDepth": 0.5}
	for name, c := range map[string]struct {
		before, now host
		want        map[string]float64
	}{
		"milliseconds begin again": {before, reading(after), whole},
		"another device":           {before, reading(func(d *disk) { after(d); d.device = 2 }), levels},
		"counters went back":       {before, reading(func(d *disk) { after(d); d.writes = 6 }), levels},
		"no disk now":              {before, host{levels: levels}, levels},
		"no disk before":           {host{levels: levels}, reading(after), levels},
		"nothing readable":         {before, host{}, map[string]float64{}},
	} {
		got := map[string]float64{}
		c.now.rates(c.before, got)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	database := rates(namespaceRDS, readingWith(past, before), readingWith(past.Add(time.Second), reading(after)))
	for metric := range maps.Keys(whole) {
		if _, ok := database[metric]; !ok {
			t.Errorf("the database has no %s: %v", metric, database)
		}
	}
}

func readingWith(at time.Time, h host) reading {
	return reading{at: at, usage: usage{cores: 1}, host: h}
}

// TestHostIsReadForDatabasesOnly has a database and a host of one process.
func TestHostIsReadForDatabasesOnly(t *testing.T) {
	one := Target{ID: "one", PIDs: []int{1}}
	s, err := New(Config{Period: time.Minute, Databases: []Target{one}, Hosts: []Target{one}})
	if err != nil {
		t.Fatal(err)
	}
	s.sampler.read = (&script{usage: map[int]usage{1: {}}}).read
	s.sampler.host = func(Target) host { return host{levels: map[string]float64{"SwapUsage": 4096}} }
	for b := range 2 {
		at := past.Add(time.Duration(b) * time.Minute)
		s.observe(at, at)
	}
	for namespace, want := range map[string]int{namespaceRDS: 1, namespaceEC2: 0} {
		if got := s.store.between(seriesKey{namespace, "SwapUsage", "one"}, past, past.Add(time.Hour)); len(got) != want || want > 0 && got[0].value != 4096 {
			t.Errorf("%s: SwapUsage %v, want %d datapoints", namespace, got, want)
		}
	}
}

func TestFolderThatCannotBeRead(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs /proc")
	}
	for _, folder := range []string{"", "/nowhere"} {
		h := readHost(Target{PIDs: []int{os.Getpid()}, Folder: folder})
		if h.disk != nil || len(h.levels) != 2 {
			t.Errorf("folder %q: %v and disk %v, want FreeableMemory and SwapUsage alone", folder, h.levels, h.disk)
		}
	}
	if err := CheckDisk("/nowhere"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("a folder that does not exist: %v", err)
	}
	if err := CheckDisk("/proc"); !errors.Is(err, errNoDevice) {
		t.Errorf("a folder on no device: %v", err)
	}
	if h := readHost(Target{PIDs: []int{-1}}); len(h.levels) != 1 {
		t.Errorf("without its process: %v, want FreeableMemory alone", h.levels)
	}
}

// BenchmarkReadHost shows what a database's host adds to each sample.
func BenchmarkReadHost(b *testing.B) {
	target := Target{PIDs: []int{os.Getpid()}, Folder: b.TempDir()}
	for b.Loop() {
		if h := readHost(target); h.disk == nil {
			b.Skip("no device below the temporary folder")
		}
	}
}
