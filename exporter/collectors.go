package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/tokenpersistence/toolkit/exporter/amazon"
	"github.com/tokenpersistence/toolkit/exporter/collector"
	"github.com/tokenpersistence/toolkit/exporter/logs"
)

// collectorNames are the values of --collector.NAME. To add a collector, write
// its file and add its name here and its construction below.
var collectorNames = []string{"mysql", "tableio", "tablesize", "tokens", "statements", "census", "schema", "cloudwatch", "endpoint", "carbonlog"}

// newSet builds the collectors that are enabled and have what they need.
func newSet(ctx context.Context, t *target, gate *collector.Gate, logger *slog.Logger) (*collector.Set, error) {
	others, err := newOtherCollectors(ctx, t)
	if err != nil {
		return nil, err
	}
	d, given, err := t.database()
	if err != nil {
		return nil, err
	}
	if !given && len(others) == 0 {
		return nil, usagef("nothing to collect: give --mysqld.address, --cloudwatch.rds-instance, --cloudwatch.ec2-instance, --collector.endpoint.access-log or --collector.carbonlog.log")
	}
	if !given {
		return collector.NewSet(nil, nil, nil, others, logger), nil
	}
	link, background, err := newLinks(d, gate)
	if err != nil {
		return nil, err
	}
	sql, slow := t.sqlCollectors(background)
	return collector.NewSet(link, background, sql, append(slow, others...), logger), nil
}

// newLinks returns the two connections to the database. They share a gate:
// refused credentials are refused for both.
func newLinks(d collector.Database, gate *collector.Gate) (*collector.Link, *collector.Background, error) {
	link, err := collector.NewLink(d, gate)
	if err != nil {
		return nil, nil, err
	}
	background, err := collector.NewLink(d, gate)
	if err != nil {
		return nil, nil, errors.Join(err, link.Close())
	}
	return link, collector.NewBackground(background), nil
}

// sqlCollectors returns the collectors of the scrape's connection, the one that
// may need most time last, and those of the background's alone.
func (t *target) sqlCollectors(background *collector.Background) (enabled []collector.SQLCollector, slow []collector.Collector) {
	tables := &collector.Tables{}
	tokens := collector.NewTokens(t.tokensLateness, background, tables)
	for _, c := range []collector.SQLCollector{
		collector.MySQL{}, collector.TableIO{Tables: tables}, collector.TableSize{Tables: tables},
		tokens,
	} {
		if *t.enabled[c.Name()] {
			enabled = append(enabled, c)
		}
	}
	census := t.census
	census.ClockOffset = tokens.ClockOffset // 0 as long as nobody runs it
	for _, c := range []collector.Collector{
		collector.NewStatements(t.statementsInterval, background),
		collector.NewCensus(census, background, tables), collector.NewSchema(t.schemaInterval, background, tables),
	} {
		if *t.enabled[c.Name()] {
			slow = append(slow, c)
		}
	}
	return enabled, slow
}

func newOtherCollectors(ctx context.Context, t *target) ([]collector.Collector, error) {
	var enabled []collector.Collector
	if c := t.cloudwatch; *t.enabled["cloudwatch"] && len(c.rds)+len(c.ec2) > 0 {
		cloudwatch, err := newCloudWatch(ctx, t)
		if err != nil {
			return nil, err
		}
		enabled = append(enabled, cloudwatch)
	}
	if *t.enabled["endpoint"] && len(t.accessLogs) > 0 {
		endpoint, err := logs.NewEndpoint(logs.EndpointConfig{AccessLogs: t.accessLogs, LogPattern: t.logPattern})
		if err != nil {
			return nil, &usageError{err}
		}
		enabled = append(enabled, endpoint)
	}
	if *t.enabled["carbonlog"] && len(t.carbonLogs) > 0 {
		carbonlog, err := logs.NewCarbonLog(logs.CarbonLogConfig{Logs: t.carbonLogs})
		if err != nil {
			return nil, &usageError{err}
		}
		enabled = append(enabled, carbonlog)
	}
	return enabled, nil
}

func newCloudWatch(ctx context.Context, t *target) (*amazon.CloudWatch, error) {
	client, err := amazon.NewCloudWatchClient(ctx, t.cloudwatch.region, t.cloudwatch.assumeRole)
	if err != nil {
		return nil, fmt.Errorf("cloudwatch: %w", err)
	}
	cloudwatch, err := amazon.NewCloudWatch(t.cloudWatch(), client)
	if err != nil {
		return nil, &usageError{err}
	}
	return cloudwatch, nil
}

// cloudWatch is what the target says of CloudWatch.
func (t *target) cloudWatch() amazon.CloudWatchConfig {
	c := t.cloudwatch
	cfg := amazon.CloudWatchConfig{RDSInstances: c.rds, Period: c.period, Delay: c.delay, IOPSLimit: c.iopsLimit, Timestamps: c.timestamps}
	for _, host := range c.ec2 {
		role, id, _ := strings.Cut(host, "=")
		cfg.EC2Instances = append(cfg.EC2Instances, amazon.EC2Instance{Role: role, ID: id})
	}
	return cfg
}
