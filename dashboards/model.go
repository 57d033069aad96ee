package main

import (
	"fmt"
	"strconv"
	"strings"
)

// object is a JSON object; its keys are written in order, so that the same rows
// give the same bytes.
type object = map[string]any

// schemaVersion is Grafana 10.4's: what it and all later ones read.
const (
	schemaVersion = 39
	pluginVersion = "10.4.0"
)

// prometheus refers to the data source that the user has chosen.
var prometheus = object{"type": "prometheus", "uid": "${datasource}"}

// tag is on all of our dashboards and links them.
const tag = "token-persistence"

// model returns the dashboard in Grafana's classic form.
func (b board) model() (object, error) {
	panels, err := b.place()
	if err != nil {
		return nil, err
	}
	return object{
		"uid": b.uid(), "title": "Token Persistence / " + b.title, "description": b.question,
		"tags": []string{tag}, "schemaVersion": schemaVersion, "version": 1, "editable": true,
		"graphTooltip": 1, "refresh": "30s", "timezone": "browser",
		"time": object{"from": "now-3h", "to": "now"},
		"links": []object{{
			"type": "dashboards", "tags": []string{tag}, "title": "Token Persistence", "icon": "external link",
			"asDropdown": false, "keepTime": true, "includeVars": true, "targetBlank": false, "tooltip": "", "url": "",
		}},
		"annotations": object{"list": annotations()},
		"templating":  object{"list": b.templating()},
		"panels":      panels,
	}, nil
}

// place gives every panel its id and its place on the grid.
func (b board) place() ([]object, error) {
	var out []object
	y, id := 0, 0
	for _, l := range b.lines {
		if l.section != "" {
			id++
			out = append(out, object{
				"type": "row", "id": id, "title": l.section, "collapsed": false, "panels": []object{},
				"gridPos": object{"x": 0, "y": y, "w": 24, "h": 1},
			})
			y++
		}
		x, last, column := 0, 0, 0 // right edge, left edge of the last panel, and how far down its column goes
		bottom := 0
		for _, p := range l.panels {
			height := p.height
			if height == 0 {
				height = l.height
			}
			if !p.under {
				last, column = x, 0
				x += p.width
			}
			id++
			made, err := p.model(id)
			if err != nil {
				return nil, fmt.Errorf("panel %q: %w", p.title, err)
			}
			made["gridPos"] = object{"x": last, "y": y + column, "w": p.width, "h": height}
			out = append(out, made)
			column += height
			bottom = max(bottom, column)
		}
		if x > 24 {
			return nil, fmt.Errorf("the line that begins with %q is %d wide: want 24", l.panels[0].title, x)
		}
		y += bottom
	}
	return out, nil
}

// model returns one panel without its place.
func (p panel) model(id int) (object, error) {
	out := object{
		"id": id, "type": string(p.kind), "title": p.title, "description": p.about.String(),
		"pluginVersion": pluginVersion, "options": p.options(),
	}
	if p.kind == text {
		out["description"] = ""
		return out, nil
	}
	defaults, err := p.defaults()
	if err != nil {
		return nil, err
	}
	overrides, err := p.overrides()
	if err != nil {
		return nil, err
	}
	out["datasource"] = prometheus
	out["fieldConfig"] = object{"defaults": defaults, "overrides": overrides}
	out["targets"] = p.targets()
	if p.kind != graph {
		// Grafana's rate interval is at least the time shown over this number: a
		// tile over a week would else show the mean of an hour.
		out["maxDataPoints"] = 10_000
	}
	if p.kind == table {
		out["transformations"] = p.transformations()
	}
	return out, nil
}

// targets asks graphs over time and everything else for now: a tile must not
// show what was true an hour ago.
func (p panel) targets() []object {
	var out []object
	for i, q := range p.queries {
		t := object{
			"refId": refID(i), "datasource": prometheus, "editorMode": "code", "expr": q.expr,
			"legendFormat": q.legend, "range": p.kind == graph, "instant": p.kind != graph,
		}
		if p.kind == table {
			t["format"] = "table"
		}
		out = append(out, t)
	}
	return out
}

func refID(i int) string { return string(rune('A' + i)) }

// defaults is how all series of the panel look.
func (p panel) defaults() (object, error) {
	fine := colourGood
	if p.kind == graph {
		fine = "transparent"
	}
	if p.plain || p.kind != graph && len(p.limits) == 0 {
		fine = "text"
	}
	limits, err := steps(fine, p.limits)
	if err != nil {
		return nil, err
	}
	out := object{
		"unit": p.unit, "noValue": string(p.need), "mappings": mappings(p.words),
		"thresholds": object{"mode": "absolute", "steps": limits},
		"color":      object{"mode": "thresholds"},
	}
	if p.digits != nil {
		out["decimals"] = *p.digits
	}
	if p.kind == graph || p.kind == bars {
		out["min"] = 0
	}
	if p.share {
		out["max"] = 1
	}
	if p.kind == table {
		out["custom"] = object{"minWidth": 60}
	}
	if p.hues != "" {
		out["color"] = object{"mode": p.hues}
	}
	if p.kind == graph {
		if p.hues == "" {
			out["color"] = object{"mode": "palette-classic"}
		}
		out["custom"] = p.lines(limits)
	}
	return out, nil
}

// lines is how a graph draws. Stacks have no outline: that of a series of zeros
// would lie on top in the wrong colour.
func (p panel) lines(limits []object) object {
	stacking, fill, width, style := "none", 8, 2, "off"
	if p.stacked {
		stacking, fill, width = "normal", 75, 0
	}
	if len(p.limits) > 0 {
		style = "dashed"
	}
	return object{
		"axisSoftMax": p.softMax(limits), "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": width, "fillOpacity": fill, "gradientMode": "none",
		"showPoints": "never", "pointSize": 5, "spanNulls": false, "insertNulls": false, "barAlignment": 0,
		"stacking": object{"mode": stacking, "group": "A"}, "thresholdsStyle": object{"mode": style},
		"axisPlacement": "auto", "axisLabel": p.axis, "axisColorMode": "text", "axisBorderShow": false, "axisCenteredZero": false,
		"scaleDistribution": object{"type": "linear"}, "hideFrom": object{"legend": false, "tooltip": false, "viz": false},
	}
}

// softMax is how far an axis goes at least: past the first limit, so that one
// sees how far it is, and never through noise around zero.
func (p panel) softMax(limits []object) float64 {
	if p.share {
		return 1
	}
	if len(limits) > 1 && !p.far {
		return limits[1]["value"].(float64) * 1.15
	}
	if p.unit == unitShare {
		return 0.01
	}
	if p.unit == unitSeconds {
		return 1e-3
	}
	return 1
}

// limitSeries is how the legends of limits that are series begin.
const limitSeries = "limit"

func (p panel) overrides() ([]object, error) {
	out := []object{}
	for _, c := range p.colours {
		matcher, mode := "byName", "fixed"
		if strings.HasPrefix(c.series, "/") {
			matcher = "byRegexp"
		}
		if c.shades {
			mode = "shades"
		}
		properties := []object{property("color", object{"mode": mode, "fixedColor": c.colour})}
		if c.colour == colourPossible && p.stacked {
			properties = append(properties, property("custom.fillOpacity", 40))
		}
		out = append(out, override(matcher, c.series, properties...))
	}
	for _, a := range p.apart {
		limits, err := steps(colourGood, a.limits)
		if err != nil {
			return nil, err
		}
		out = append(out, override("byName", a.series, property("unit", a.unit), property("decimals", 0),
			property("thresholds", object{"mode": "absolute", "steps": limits})))
	}
	for _, q := range p.queries {
		if p.kind == graph && strings.HasPrefix(q.legend, limitSeries) {
			out = append(out, override("byRegexp", "/^"+limitSeries+".*/",
				property("color", object{"mode": "fixed", "fixedColor": colourCritical}),
				property("custom.fillOpacity", 0), property("custom.lineWidth", 2),
				property("custom.lineStyle", object{"fill": "dash", "dash": []int{8, 6}}),
				property("custom.stacking", object{"mode": "none", "group": "limit"})))
			break
		}
	}
	for _, c := range p.columns {
		var properties []object
		if len(p.queries) > 1 {
			properties = append(properties, property("noValue", "–")) // one cell is empty, not the panel
		}
		if c.unit != "" {
			properties = append(properties, property("unit", c.unit))
		}
		if c.digits != nil {
			properties = append(properties, property("decimals", *c.digits))
		}
		if c.width > 0 {
			properties = append(properties, property("custom.width", c.width))
		}
		if len(c.words) > 0 {
			properties = append(properties, property("mappings", mappings(c.words)),
				property("custom.cellOptions", object{"type": "color-text"}))
		}
		if len(properties) > 0 {
			out = append(out, override("byName", c.heading, properties...))
		}
	}
	return out, nil
}

func override(matcher, options string, properties ...object) object {
	return object{"matcher": object{"id": matcher, "options": options}, "properties": properties}
}

func property(id string, value any) object { return object{"id": id, "value": value} }

func mappings(words []word) []object {
	out := []object{}
	for i, w := range words {
		result := object{"color": w.colour, "index": i}
		if w.text != "" {
			result["text"] = w.text
		}
		if w.orMore {
			out = append(out, object{"type": "range", "options": object{"from": w.value, "to": nil, "result": result}})
			continue
		}
		key := strconv.FormatFloat(w.value, 'f', -1, 64)
		out = append(out, object{"type": "value", "options": object{key: result}})
	}
	return out
}

// options is what is particular to the panel's kind.
func (p panel) options() object {
	last := object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
	switch p.kind {
	case stat:
		mode, colourMode := "value", "value"
		if p.named {
			mode = "value_and_name"
		}
		if p.plain {
			colourMode = "none"
		}
		return object{
			"reduceOptions": last, "orientation": "auto", "textMode": mode, "colorMode": colourMode, "graphMode": "none",
			"justifyMode": "center", "wideLayout": true, "showPercentChange": false,
		}
	case bars:
		orientation := "horizontal"
		if p.upright {
			orientation = "vertical"
		}
		return object{
			"reduceOptions": last, "orientation": orientation, "displayMode": "basic", "valueMode": "color",
			"namePlacement": p.names(), "showUnfilled": true, "minVizHeight": 16, "minVizWidth": 8, "maxVizHeight": 300, "sizing": "auto",
		}
	case table:
		return object{"cellHeight": "sm", "showHeader": true, "footer": object{"show": false, "reducer": []string{"sum"}, "countRows": false, "fields": ""}}
	case text:
		return object{"mode": "markdown", "content": p.content, "code": object{"language": "plaintext", "showLineNumbers": false, "showMiniMap": false}}
	default:
		calcs, mode := p.sums, "table"
		if len(calcs) == 0 {
			calcs, mode = []string{}, "list"
		}
		return object{
			"legend":  object{"displayMode": mode, "placement": "bottom", "showLegend": true, "calcs": calcs},
			"tooltip": object{"mode": "multi", "sort": "desc"},
		}
	}
}

// names stand above lying bars where they are long.
func (p panel) names() string {
	if p.above {
		return "top"
	}
	return "auto"
}

// transformations puts the answers of a table's queries side by side and the
// columns into order.
func (p panel) transformations() []object {
	exclude, index, rename := object{"Time": true}, object{}, object{}
	for i, c := range p.columns {
		index[c.field] = i
		rename[c.field] = c.heading
	}
	for i := range p.queries { // a value that no column shows only said which labels there are
		field := "Value #" + refID(i)
		if _, shown := index[field]; len(p.queries) > 1 && !shown {
			exclude[field] = true
		}
	}
	organize := object{"id": "organize", "options": object{"excludeByName": exclude, "indexByName": index, "renameByName": rename}}
	if len(p.queries) == 1 {
		return []object{organize}
	}
	return []object{{"id": "merge", "options": object{}}, organize}
}
