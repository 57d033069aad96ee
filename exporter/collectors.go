package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/tokenpersistence/toolkit/exporter/collector"
)

// collectorNames are the values of --collector.NAME. To add a collector, write
// its file and add its name here and its construction below.
var collectorNames = []string{"mysql", "tableio", "tablesize", "tokens", "cloudwatch", "endpoint"}

// newSet builds the collectors that are enabled and have what they need.
func newSet(ctx context.Context, o *options, logger *slog.Logger) (*collector.Set, error) {
	others, err := newOtherCollectors(ctx, o)
	if err != nil {
		return nil, err
	}
	link, sql, err := newSQLCollectors(o)
	if err != nil {
		return nil, err
	}
	if len(sql)+len(others) == 0 {
		return nil, usagef("nothing to collect: give --mysqld.address, --cloudwatch.rds-instance, --cloudwatch.ec2-instance or --collector.endpoint.access-log")
	}
	return collector.NewSet(link, sql, others, logger), nil
}

// newSQLCollectors returns the collectors of the database, the one that may
// need most time last. Both links share a gate: refused credentials are
// refused for both.
func newSQLCollectors(o *options) (*collector.Link, []collector.SQLCollector, error) {
	d, given, err := o.database()
	if err != nil || !given {
		return nil, nil, err
	}
	gate := &collector.Gate{}
	link, err := collector.NewLink(d, gate)
	if err != nil {
		return nil, nil, err
	}
	var enabled []collector.SQLCollector
	for _, c := range []collector.SQLCollector{collector.MySQL{}, collector.TableIO{}, collector.TableSize{}} {
		if *o.enabled[c.Name()] {
			enabled = append(enabled, c)
		}
	}
	if *o.enabled["tokens"] {
		background, err := collector.NewLink(d, gate)
		if err != nil {
			return nil, nil, errors.Join(err, link.Close())
		}
		enabled = append(enabled, collector.NewTokens(o.tokensLateness, background))
	}
	return link, enabled, nil
}

func newOtherCollectors(ctx context.Context, o *options) ([]collector.Collector, error) {
	var enabled []collector.Collector
	if c := o.cloudwatch; *o.enabled["cloudwatch"] && len(c.rds)+len(c.ec2) > 0 {
		cloudwatch, err := newCloudWatch(ctx, o)
		if err != nil {
			return nil, err
		}
		enabled = append(enabled, cloudwatch)
	}
	if *o.enabled["endpoint"] && len(o.accessLogs) > 0 {
		endpoint, err := collector.NewEndpoint(collector.EndpointConfig{AccessLogs: o.accessLogs, LogPattern: o.logPattern})
		if err != nil {
			return nil, &usageError{err}
		}
		enabled = append(enabled, endpoint)
	}
	return enabled, nil
}

func newCloudWatch(ctx context.Context, o *options) (*collector.CloudWatch, error) {
	c := o.cloudwatch
	cfg := collector.CloudWatchConfig{RDSInstances: c.rds, Period: c.period, Delay: c.delay}
	for _, host := range c.ec2 {
		role, id, _ := strings.Cut(host, "=")
		cfg.EC2Instances = append(cfg.EC2Instances, collector.EC2Instance{Role: role, ID: id})
	}
	client, err := collector.NewCloudWatchClient(ctx, c.region)
	if err != nil {
		return nil, fmt.Errorf("cloudwatch: %w", err)
	}
	cloudwatch, err := collector.NewCloudWatch(cfg, client)
	if err != nil {
		return nil, &usageError{err}
	}
	return cloudwatch, nil
}
