package rig

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tokenpersistence/toolkit/internal/child"
	"github.com/tokenpersistence/toolkit/internal/preload"
	"github.com/tokenpersistence/toolkit/testbed/cloudwatch"
	"github.com/tokenpersistence/toolkit/testbed/credentials"
	"github.com/tokenpersistence/toolkit/testbed/keymanager"
	"github.com/tokenpersistence/toolkit/testbed/users"
)

// stand is the rig while it stands: the running parts and how they are reached.
type stand struct {
	options  Options
	out      io.Writer
	cpus     []int // all that we may use
	layout   Layout
	database *database
	urls     map[string]string // of the key managers, by mode
	users    *worker
	exporter *exporter
	pids     []int // every process of the rig, ourselves included

	window      *liveWindow // nil until exposed
	windowsAddr string      // of its endpoint
}

// setUp starts the parts in the order in which they need each other.
func setUp(ctx context.Context, o Options, p programs, out io.Writer, end *closers) (*stand, error) {
	cpus, err := child.CPUs()
	if err != nil {
		return nil, fmt.Errorf("the rig measures processes through Linux's /proc: run it on Linux, or in a Linux container (%w)", err)
	}
	s := &stand{options: o, out: out, cpus: cpus, layout: Split(cpus), urls: map[string]string{}}
	for _, part := range []struct{ to, from *[]int }{
		{&s.layout.Database, &o.CPUs.Database}, {&s.layout.KeyManagers, &o.CPUs.KeyManagers}, {&s.layout.Users, &o.CPUs.Users},
	} {
		if len(*part.from) > 0 {
			*part.to = *part.from
		}
	}
	if err := pinSelf(s.layout.Users); err != nil {
		return nil, err
	}
	if s.database, err = startDatabase(ctx, o, s.layout, end); err != nil {
		return nil, err
	}
	s.say("database      %s, %s", s.database.version, list(s.layout.Database))
	set := credentials.Make(o.Applications, o.Users)
	if err := keymanager.Provision(ctx, s.database.db, set); err != nil {
		return nil, err
	}
	if err := preload.Rows(ctx, s.database.db, o.Preload, func(n int) { s.say("preload       %d of %d rows", n, o.Preload) }); err != nil {
		return nil, err
	}
	managers, err := s.startKeyManagers(ctx, end)
	if err != nil {
		return nil, err
	}
	if err := s.startUsers(ctx, set, end); err != nil {
		return nil, err
	}
	s.say("users         %d over %d applications, %s", o.Users, o.Applications, list(s.layout.Users))
	if err := s.startExporter(ctx, p, managers, end); err != nil {
		return nil, err
	}
	s.say("exporter      %s", s.exporter.url())
	s.pids = append(managers, s.users.process.PID(), s.exporter.process.PID(), os.Getpid())
	if s.database.pid > 0 {
		s.pids = append(s.pids, s.database.pid)
	}
	return s, nil
}

// startKeyManagers starts one process per mode and returns their ids.
func (s *stand) startKeyManagers(ctx context.Context, end *closers) ([]int, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, mode := range []string{on, off} {
		w, err := startWorker("keymanager-"+mode, s.path("logs"), s.layout.KeyManagers, self, "keymanager")
		if err != nil {
			return nil, err
		}
		end.add(w.stop)
		config := keymanager.Config{
			DSN: s.database.config.FormatDSN(), Persistence: mode == on, Logs: s.path("logs", mode), LogDuration: true,
		}
		var ready Ready
		if err := giveUp(ctx, w, func() error { return w.ask(config, &ready) }); err != nil {
			return nil, err
		}
		s.urls[mode] = ready.URL
		pids = append(pids, w.process.PID())
		s.say("key manager   persistence %-3s at %s, %s", mode, ready.URL, list(s.layout.KeyManagers))
	}
	return pids, nil
}

// Ready is what a key manager process answers when it listens.
type Ready struct {
	URL string `json:"url"`
}

func (s *stand) startUsers(_ context.Context, set credentials.Set, end *closers) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if s.users, err = startWorker("users", s.path("logs"), s.layout.Users, self, "users"); err != nil {
		return err
	}
	end.add(s.users.stop)
	return s.users.send.Encode(users.Setup{Credentials: set, Users: s.options.Users, Seed: s.options.Seed})
}

// startExporter starts the CloudWatch endpoint and the exporter that reads it.
func (s *stand) startExporter(ctx context.Context, p programs, managers []int, end *closers) error {
	settings := cloudwatch.Config{Listen: s.options.CloudWatch, Period: time.Second, Hosts: []cloudwatch.Target{
		{ID: keyManagerID, PIDs: managers}, {ID: usersID, PIDs: []int{s.users.process.PID()}},
	}}
	if s.database.pid > 0 {
		settings.Databases = []cloudwatch.Target{{ID: databaseID, PIDs: []int{s.database.pid}, Folder: s.database.folder}}
	} else {
		s.say("note          the database is not on this machine: no figures of its CPU and I/O")
	}
	if s.database.folder != "" {
		if err := cloudwatch.CheckDisk(s.database.folder); err != nil {
			s.note("no figures of disk latency and queue: %v", err)
		}
	}
	cloud, err := cloudwatch.Start(settings)
	if err != nil {
		return err
	}
	end.add(cloud.Close)
	account, err := s.database.exporterAccount(ctx)
	if err != nil {
		return err
	}
	s.exporter, err = startExporter(ctx, exporterSettings{
		program: p.exporter, listen: cmp.Or(s.options.Listen, "127.0.0.1:0"), database: account,
		cloudwatch: cloud.URL(), withRDS: s.database.pid > 0,
		logs: []string{s.path("logs", on), s.path("logs", off)}, output: s.path("logs"),
	}, end)
	if err != nil {
		return err
	}
	_, err = s.exporter.succeeding(ctx, 15*time.Second)
	return err
}

// load gives the users a command and waits for its end.
func (s *stand) load(ctx context.Context, c users.Command) (users.Tally, error) {
	var r users.Result
	err := giveUp(ctx, s.users, func() error { return s.users.ask(c, &r) })
	if err == nil && r.Error != "" {
		err = errors.New(r.Error)
	}
	return r.Tally, err
}

// giveUp runs ask, and stops the worker when ctx ends first, which ends ask.
func giveUp(ctx context.Context, w *worker, ask func() error) error {
	stop := context.AfterFunc(ctx, func() {
		_ = w.process.Stop(stopGrace) // stop reports what matters
	})
	defer stop()
	if err := ask(); err != nil {
		return cmp.Or(ctx.Err(), err)
	}
	return nil
}

// path is a path in the output folder.
func (s *stand) path(parts ...string) string {
	return filepath.Join(append([]string{s.options.Out}, parts...)...)
}

func (s *stand) say(format string, args ...any) { fmt.Fprintf(s.out, "  "+format+"\n", args...) }

func (s *stand) note(format string, args ...any) { s.say("note          "+format, args...) }
