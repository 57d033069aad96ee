package main

import (
	"fmt"
	"time"

	"github.com/tokenpersistence/toolkit/internal/testwindow"
)

// frame.go: what all dashboards have around their panels.

// templating returns the variables: the common ones, then the dashboard's own.
func (b board) templating() []object {
	out := []object{{
		"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "regex": "",
		"refresh": 1, "hide": 0, "includeAll": false, "multi": false, "options": []object{}, "current": object{}, "skipUrlSync": false,
	}}
	for _, v := range append(commonVariables(), b.variables...) {
		out = append(out, v.model())
	}
	return out
}

// allValue is what All means. Every selector takes it with =~.
const allValue = ".+"

// commonVariables are chosen from left to right. The first is asked of what
// every exporter says, so that it is never empty.
func commonVariables() []variable {
	return []variable{
		{name: "job", label: "Job", all: true, query: `label_values(token_persistence_exporter_build_info, job)`},
		{name: "instance", label: "Database exporter", all: true,
			query: `label_values(token_persistence_exporter_database_statements_total{job=~"$job"}, instance)`},
		{name: "db_instance", label: "RDS instance", all: true, query: `label_values(rds_cpu_utilization_ratio{job=~"$job"}, db_instance)`},
	}
}

func (v variable) model() object {
	out := object{
		"name": v.name, "label": v.label, "type": "query", "datasource": prometheus,
		"definition": v.query, "query": object{"query": v.query, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
		"regex": v.regex, "refresh": 2, "sort": 1, "hide": 0, "skipUrlSync": false, "options": []object{},
		"multi": v.all, "includeAll": v.all, "allowCustomValue": v.free, "current": object{},
	}
	if v.all {
		out["allValue"] = allValue
		out["current"] = object{"selected": true, "text": []string{"All"}, "value": []string{"$__all"}}
	} else {
		out["sort"] = 0 // the query's own order: the best guess first
	}
	return out
}

// annotation marks times on every graph.
type annotation struct {
	name, expr, title, colour string
}

// annotationStep is between the times that an annotation is asked for. A change
// of mode shows for as long, once.
const annotationStep = time.Minute

// marks are the annotations. A change of mode is one from what was last known:
// no traffic is no change.
func marks() []annotation {
	return []annotation{
		{"Persistence switched on", modeRule + ` == 1 and on (job) last_over_time(` + modeRule + `[6h] offset 1m) == 0`, "Token persistence switched on", colourOn},
		{"Persistence switched off", modeRule + ` == 0 and on (job) last_over_time(` + modeRule + `[6h] offset 1m) == 1`, "Token persistence switched off", colourOff},
		{"Test windows, persistence on", testwindow.End + `{persistence="on"} >= time()`, "{{window}}", colourOn},
		{"Test windows, persistence off", testwindow.End + `{persistence="off"} >= time()`, "{{window}}", colourOff},
	}
}

func annotations() []object {
	out := []object{{
		"builtIn": 1, "name": "Annotations & Alerts", "type": "dashboard", "enable": true, "hide": true,
		"datasource": object{"type": "grafana", "uid": "-- Grafana --"}, "iconColor": "rgba(0, 211, 255, 1)",
	}}
	for _, a := range marks() {
		out = append(out, object{
			"name": a.name, "datasource": prometheus, "enable": true, "hide": false, "iconColor": a.colour,
			"expr": a.expr, "step": fmt.Sprintf("%.0fs", annotationStep.Seconds()), "titleFormat": a.title, "textFormat": "", "tagKeys": "", "useValueForTime": false,
		})
	}
	return out
}
