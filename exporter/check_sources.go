package main

import (
	"encoding/json"
	"fmt"

	"github.com/tokenpersistence/toolkit/exporter/logs"
)

// logs adds what the ends of the logs show to the results of their collectors.
func (r *report) logs(t *target) {
	for i := range r.results {
		res := &r.results[i]
		if res.state != stateOK {
			continue
		}
		switch res.collector {
		case "endpoint":
			c, err := logs.NewEndpoint(logs.EndpointConfig{AccessLogs: t.accessLogs, LogPattern: t.logPattern})
			if err == nil {
				res.read(c.Inspect(t.accessLogs), "--collector.endpoint.log-pattern must be the pattern of the AccessLogValve in API Manager's catalina-server.xml")
			}
		case "carbonlog":
			res.read(logs.Inspect(t.carbonLogs), "")
		}
	}
}

// read judges a log collector by the last lines of its files.
func (res *result) read(files []logs.File, hint string) {
	for _, f := range files {
		text := fmt.Sprintf("%s: %d of the last %d lines are of the pattern", f.Path, f.Parsed, f.Lines)
		switch {
		case f.Err != nil:
			res.state, text = stateFail, fmt.Sprintf("%s: %v", f.Path, f.Err)
		case f.Lines == 0:
			text = f.Path + ": no complete line yet"
		case f.Parsed == 0:
			res.state = stateFail
			text += ": " + hint
		case hint == "":
			text = f.Path + " can be read"
		}
		if res.reason != "" {
			res.reason += "; "
		}
		res.reason += text
	}
}

// A request for metrics costs 0.01 USD per 1,000 metrics in most regions
// (Amazon CloudWatch pricing, GetMetricData).
const metricPrice = 0.01 / 1000

// cloud adds what CloudWatch costs and what it wants.
func (r *report) cloud(t *target) {
	for i := range r.results {
		res := &r.results[i]
		if res.collector != "cloudwatch" || res.state == stateOff {
			continue
		}
		n := t.cloudWatch().Metrics()
		month := float64(n) * 30 * 24 * 3600 / t.cloudwatch.period.Seconds() * metricPrice
		if res.state == stateOK {
			res.reason = fmt.Sprintf("%d metrics every %v: about %.2f USD a month at 0.01 USD per 1,000 metrics", n, t.cloudwatch.period, month)
		}
		r.wantsPolicy = r.wantsPolicy || res.state == stateFail
	}
	if r.wantsPolicy || r.everything {
		r.policies = policies(t)
	}
}

// document is an IAM policy with what it is for.
type document struct {
	title      string
	statements []statement
}

// statement is one of an IAM policy.
type statement struct {
	Effect    string
	Principal map[string]string `json:",omitempty"`
	Action    string
	Resource  string `json:",omitempty"`
}

// policies returns the least that the exporter needs of AWS. What stands in
// capitals is for the administrator to fill in.
func policies(t *target) []document {
	ours := document{title: "IAM policy of the exporter"}
	var others []document
	if len(t.cloudwatch.rds)+len(t.cloudwatch.ec2) > 0 && *t.enabled["cloudwatch"] {
		read := statement{Effect: "Allow", Action: "cloudwatch:GetMetricData", Resource: "*"}
		role := t.cloudwatch.assumeRole
		if role == "" {
			ours.statements = append(ours.statements, read)
		} else {
			ours.statements = append(ours.statements, statement{Effect: "Allow", Action: "sts:AssumeRole", Resource: role})
			others = append(others,
				document{"IAM policy of the role of --cloudwatch.assume-role", []statement{read}},
				document{"Trust policy of that role", []statement{{Effect: "Allow",
					Principal: map[string]string{"AWS": "arn:aws:iam::ACCOUNT:role/EXPORTER"}, Action: "sts:AssumeRole"}}})
		}
	}
	if t.mysqld.iamAuth {
		ours.statements = append(ours.statements, statement{Effect: "Allow", Action: "rds-db:connect",
			Resource: "arn:aws:rds-db:REGION:ACCOUNT:dbuser:RESOURCE-ID/" + t.mysqld.username})
	}
	if len(ours.statements) == 0 {
		return nil
	}
	return append([]document{ours}, others...)
}

// String returns the policy as JSON.
func (d document) String() string {
	text, err := json.MarshalIndent(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", d.statements}, "", "  ")
	if err != nil {
		return err.Error() // strings always encode
	}
	return string(text)
}
