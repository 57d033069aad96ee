package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/tokenpersistence/toolkit/internal/child"
)

// program is a running exporter, ours or a rival.
type program struct {
	name    string
	up      func(map[string]*dto.MetricFamily) error // why a page is not that of a healthy exporter
	process *child.Process
	log     string // file
	url     string
	client  *http.Client
}

// command says how to start an exporter.
type command struct {
	name, path string
	args, env  []string
	log        string // file
	up         func(map[string]*dto.MetricFamily) error
}

// start starts an exporter on a free port and waits until its page is healthy.
func start(ctx context.Context, c command) (*program, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil { // the exporter takes the port over
		return nil, err
	}
	log, err := os.Create(c.log)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(c.path, append([]string{"--web.listen-address=" + address}, c.args...)...)
	cmd.Stdout, cmd.Stderr, cmd.Env = log, log, append(os.Environ(), c.env...)
	process, err := child.Start(cmd, nil)
	if err := errors.Join(err, log.Close()); err != nil {
		return nil, err
	}
	p := &program{name: c.name, up: c.up, log: c.log, process: process, url: "http://" + address + "/metrics", client: &http.Client{Transport: &http.Transport{DisableCompression: true}}}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		err := p.healthy(ctx)
		if err == nil {
			return p, nil
		}
		select {
		case <-process.Done():
		default:
			if time.Now().Before(deadline) && ctx.Err() == nil {
				continue
			}
		}
		return nil, errors.Join(fmt.Errorf("%s is not healthy: %w", c.name, err), p.stop())
	}
}

func (p *program) stop() error {
	p.client.CloseIdleConnections()
	return p.process.Stop(10 * time.Second)
}

// scrape asks for the page as Prometheus does and returns how long the whole
// answer took, and its size on the wire.
func (p *program) scrape(ctx context.Context, timeout time.Duration) (took time.Duration, status int, err error) {
	start := time.Now()
	res, err := p.get(ctx, timeout)
	if err != nil {
		return time.Since(start), 0, err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return time.Since(start), res.StatusCode, errors.Join(err, res.Body.Close())
}

func (p *program) get(ctx context.Context, timeout time.Duration) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprint(timeout.Seconds()))
	return p.client.Do(req)
}

// page reads the page with its text.
func (p *program) page(ctx context.Context) (families map[string]*dto.MetricFamily, text string, err error) {
	res, err := p.get(ctx, 10*time.Second)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	var body io.Reader = res.Body
	if res.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			return nil, "", err
		}
	}
	all, err := io.ReadAll(body)
	if err != nil {
		return nil, "", err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err = parser.TextToMetricFamilies(strings.NewReader(string(all)))
	return families, string(all), err
}

// healthy returns nil when the exporter reads all that it means to read.
func (p *program) healthy(ctx context.Context) error {
	families, _, err := p.page(ctx)
	if err != nil {
		return err
	}
	return p.judge(families)
}

// judge returns why a page is not that of a healthy exporter, with what its log
// says.
func (p *program) judge(families map[string]*dto.MetricFamily) error {
	err := p.up(families)
	if err == nil {
		return nil
	}
	text, _ := os.ReadFile(p.log) // the error at hand is the one to report
	return fmt.Errorf("%w\n%s", err, text[max(0, len(text)-2000):])
}

// ourUp wants every collector to succeed.
func ourUp(families map[string]*dto.MetricFamily) error {
	success := families["token_persistence_exporter_collector_success"].GetMetric()
	if len(success) == 0 {
		return errors.New("no collector")
	}
	for _, m := range success {
		if m.GetGauge().GetValue() != 1 {
			return fmt.Errorf("collector %s fails", m.GetLabel()[0].GetValue())
		}
	}
	return nil
}

// rivalUp wants mysql_up and every scraper of the rival's defaults that this
// flavour supports: one that fails costs nothing, so the rival only gains.
func rivalUp(families map[string]*dto.MetricFamily) error {
	for _, m := range families["mysql_up"].GetMetric() {
		if m.GetGauge().GetValue() == 1 {
			return nil
		}
	}
	return errors.New("mysql_up is not 1")
}

// rivalCommand tells a rival the account, in the way of its version.
func rivalCommand(ctx context.Context, path string, a account) (command, error) {
	help, err := exec.CommandContext(ctx, path, "--help").CombinedOutput()
	if err != nil {
		return command{}, fmt.Errorf("%s --help: %w", path, err)
	}
	version, err := exec.CommandContext(ctx, path, "--version").CombinedOutput()
	if err != nil {
		return command{}, fmt.Errorf("%s --version: %w", path, err)
	}
	name := "mysqld_exporter"
	if _, after, ok := strings.Cut(string(version), "version "); ok {
		name += " " + strings.Fields(after)[0]
	}
	c := command{name: name, path: path, up: rivalUp, log: filepath.Join(a.dir, strings.ReplaceAll(name, " ", "-")+".log")}
	if strings.Contains(string(help), "--mysqld.address") { // since 0.15
		c.args = []string{"--mysqld.address=" + a.address, "--mysqld.username=" + a.user}
		c.env = []string{"MYSQLD_EXPORTER_PASSWORD=" + a.password}
	} else {
		c.env = []string{fmt.Sprintf("DATA_SOURCE_NAME=%s:%s@(%s)/", a.user, a.password, a.address)}
	}
	return c, nil
}

// ourCommand tells our exporter the account.
func ourCommand(o options, a account, schema string) command {
	return command{
		name: "exporter", path: o.exporter, up: ourUp, log: filepath.Join(a.dir, "exporter-"+schema+".log"),
		// The census refuses tables of this size unless told otherwise; what it
		// costs has a benchmark of its own beside the collector.
		args: []string{"--mysqld.address=" + a.address, "--mysqld.username=" + a.user, "--mysqld.database=" + schema,
			"--collector.tokens.lateness=" + o.lateness.String(), "--no-collector.census"},
		env: []string{"MYSQLD_EXPORTER_PASSWORD=" + a.password, "AWS_EC2_METADATA_DISABLED=true"},
	}
}
