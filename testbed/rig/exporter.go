package rig

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-sql-driver/mysql"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/tokenpersistence/toolkit/internal/child"
	"github.com/tokenpersistence/toolkit/testbed/keymanager"
)

// lateness is how long after TIME_CREATED the exporter expects commits here,
// where all clocks are one and transactions take milliseconds.
const lateness = 2 * time.Second

// Instance ids under which the CloudWatch endpoint reports the rig.
const (
	databaseID   = "testbed-db"
	keyManagerID = "testbed-apim"
	usersID      = "testbed-users"
)

// exporterSettings is what the exporter is told about the rig.
type exporterSettings struct {
	program    string
	listen     string
	database   *mysql.Config
	cloudwatch string // URL of the endpoint
	withRDS    bool
	logs       []string // folders of access logs
	output     string   // folder of exporter.log
}

// exporter is the running exporter.
type exporter struct {
	process *child.Process
	addr    string
	client  *http.Client
}

// startExporter starts the real program and waits until it listens.
func startExporter(ctx context.Context, s exporterSettings, end *closers) (*exporter, error) {
	logFile, err := os.Create(filepath.Join(s.output, "exporter.log"))
	if err != nil {
		return nil, err
	}
	end.add(logFile.Close)
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(s.program, s.args()...)
	cmd.Stdout, cmd.Stderr = write, write
	cmd.Env = append(os.Environ(), s.environment()...)
	process, err := child.Start(cmd, nil)
	if err := errors.Join(err, write.Close()); err != nil {
		return nil, errors.Join(err, read.Close())
	}
	// The transport keeps one connection; the exporter sees one more client
	// beside Prometheus.
	e := &exporter{process: process, client: &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}}
	listening := make(chan string, 1)
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		watchLog(read, logFile, listening)
	}()
	end.add(func() error {
		e.client.CloseIdleConnections()
		err := process.Stop(stopGrace)
		<-copied
		return errors.Join(err, read.Close())
	})
	select {
	case e.addr = <-listening:
		return e, nil
	case <-process.Done():
		<-copied
		return nil, fmt.Errorf("the exporter ended at once (%w): see %s", process.Err(), logFile.Name())
	case <-time.After(20 * time.Second):
		return nil, fmt.Errorf("the exporter does not listen: see %s", logFile.Name())
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s exporterSettings) args() []string {
	args := []string{
		"--web.listen-address=" + s.listen, "--log.format=json",
		"--mysqld.address=" + s.address(), "--mysqld.username=" + s.database.User, "--mysqld.database=" + s.database.DBName,
		"--collector.tokens.lateness=" + lateness.String(), "--collector.statements.interval=1s",
		"--collector.endpoint.log-pattern=" + keymanager.WithDuration,
		"--cloudwatch.region=local", "--cloudwatch.period=1s", "--cloudwatch.delay=0s",
		"--cloudwatch.ec2-instance=apim=" + keyManagerID, "--cloudwatch.ec2-instance=jmeter=" + usersID,
	}
	if s.withRDS {
		args = append(args, "--cloudwatch.rds-instance="+databaseID)
	}
	for _, folder := range s.logs {
		args = append(args, "--collector.endpoint.access-log="+filepath.Join(folder, "http_access_*.log"))
	}
	return args
}

func (s exporterSettings) address() string {
	if s.database.Net == "unix" {
		return "unix:" + s.database.Addr
	}
	return s.database.Addr
}

// environment carries what must not stand on a command line. The AWS key is no
// secret: the endpoint is ours and checks no signature.
func (s exporterSettings) environment() []string {
	return []string{
		"MYSQLD_EXPORTER_PASSWORD=" + s.database.Passwd,
		"AWS_ENDPOINT_URL=" + s.cloudwatch, "AWS_ACCESS_KEY_ID=testbed", "AWS_SECRET_ACCESS_KEY=testbed",
		"AWS_REGION=local", "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull,
	}
}

// watchLog copies the exporter's log and reports the address it listens on.
func watchLog(from io.Reader, to io.Writer, listening chan<- string) {
	for lines := bufio.NewReader(from); ; {
		text, err := lines.ReadBytes('\n')
		_, _ = to.Write(text) // a log that cannot be written is missed by nobody but its reader
		if err != nil {
			return
		}
		var line struct{ Msg, Address string }
		if json.Unmarshal(text, &line) == nil && line.Msg == "Listening on" {
			select {
			case listening <- line.Address:
			default:
			}
		}
	}
}

// url is the address of the metrics.
func (e *exporter) url() string { return "http://" + e.addr + "/metrics" }

// families reads the metrics.
func (e *exporter) families(ctx context.Context) (map[string]*dto.MetricFamily, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url(), nil)
	if err != nil {
		return nil, err
	}
	res, err := e.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("read the exporter's metrics: %w", err)
	}
	defer res.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(res.Body)
	if err != nil {
		return nil, fmt.Errorf("read the exporter's metrics: %w", err)
	}
	return families, nil
}

// sum adds the values of the family's metrics that have all the labels.
func sum(family *dto.MetricFamily, with map[string]string) float64 {
	total := 0.0
	for _, m := range family.GetMetric() {
		matches := 0
		for _, l := range m.GetLabel() {
			if value, asked := with[l.GetName()]; asked && value == l.GetValue() {
				matches++
			}
		}
		if matches == len(with) {
			total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return total
}

// failing names the collectors that did not succeed in their last run: of those
// asked for, or of all the exporter reports when none is.
func failing(families map[string]*dto.MetricFamily, asked []string) []string {
	succeeded := map[string]bool{}
	for _, m := range families["token_persistence_exporter_collector_success"].GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == "collector" {
				succeeded[l.GetValue()] = m.GetGauge().GetValue() == 1
			}
		}
	}
	if len(asked) == 0 {
		asked = slices.Sorted(maps.Keys(succeeded))
	}
	return slices.DeleteFunc(slices.Clone(asked), func(name string) bool { return succeeded[name] })
}

// succeeding reads the metrics until the named collectors, or all, succeed.
func (e *exporter) succeeding(ctx context.Context, limit time.Duration, collectors ...string) (map[string]*dto.MetricFamily, error) {
	for deadline := time.Now().Add(limit); ; {
		families, err := e.families(ctx)
		bad := failing(families, collectors)
		if err == nil && len(bad) == 0 {
			return families, nil
		}
		if err == nil {
			err = fmt.Errorf("exporter collectors %v fail", bad)
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%w: see exporter.log in the output folder", err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
