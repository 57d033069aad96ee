package sourcetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Front stands before a server and answers in the way of another kind of store,
// with that store's limits and faults. A fault is put in before the first query.
type Front struct {
	Next http.Handler
	Kind string // prometheus, thanos, victoriametrics or mimir

	Longest time.Duration // a longer range is refused, as too many samples; 0: none is
	Busy    int64         // so many queries are answered with 429 and Retry-After: 1
	Down    bool          // a part of the store does not reply, and half of the series are there
	Gone    bool          // the same, and Thanos has noticed: only its list of stores tells

	Broken  atomic.Bool  // queries end with status 500
	Breaks  int64        // so many queries before it breaks; 0: it does not
	Queries atomic.Int64 // that were answered
	busy    atomic.Int64
}

// ServeHTTP answers a query or the question what this is.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.Kind == "victoriametrics" {
		w.Header().Set("X-Server-Hostname", "vmselect-0")
	}
	if strings.HasSuffix(r.URL.Path, "/status/buildinfo") {
		reply(w, http.StatusOK, map[string]any{"status": "success", "data": buildinfo[f.Kind]})
		return
	}
	if f.Kind == "thanos" && strings.HasSuffix(r.URL.Path, "/stores") {
		reply(w, http.StatusOK, map[string]any{"status": "success", "data": f.stores()})
		return
	}
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	switch {
	case f.Kind == "mimir" && r.Header.Get("X-Scope-OrgID") == "":
		http.Error(w, "no org id", http.StatusUnauthorized)
	case f.busy.Add(1) <= f.Busy:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many outstanding requests", http.StatusTooManyRequests)
	case f.Broken.Load():
		http.Error(w, "panic: runtime error", http.StatusInternalServerError)
	case f.Longest > 0 && rangeOf(r) > f.Longest:
		reply(w, http.StatusUnprocessableEntity, map[string]any{"status": "error", "errorType": "execution", "error": refusals[f.Kind]})
	default:
		f.answer(w, r)
	}
}

// buildinfo is what each kind says of itself; VictoriaMetrics poses as Prometheus.
var buildinfo = map[string]map[string]string{
	"prometheus":      {"version": "3.5.0", "revision": "abc", "branch": "HEAD"},
	"thanos":          {"version": "0.39.2", "revision": "abc", "branch": "HEAD"},
	"victoriametrics": {"version": "2.24.0"},
	"mimir":           {"application": "Grafana Mimir", "version": "2.17.0"},
}

// refusals are the words for too much.
var refusals = map[string]string{
	"prometheus":      "query processing would load too many samples into memory in query execution",
	"thanos":          "expanding series: rpc error: code = ResourceExhausted desc = exceeded samples limit: limit 100 violated (got 120)",
	"victoriametrics": "cannot select more than -search.maxSamplesPerQuery=1000000000 samples; possible solutions: reduce time range for the query",
	"mimir":           "the total query time range exceeds the limit (query length: 1m0s, limit: 17s) (err-mimir-max-total-query-length)",
}

// answer passes a query on as the store would have it, and changes its answer.
func (f *Front) answer(w http.ResponseWriter, r *http.Request) {
	strict, partial := f.completeness(r)
	if strict != "" {
		reply(w, http.StatusUnprocessableEntity, map[string]any{"status": "error", "errorType": "execution", "error": strict})
		return
	}
	if f.Kind == "victoriametrics" && r.Form.Get("nocache") != "1" {
		align(r)
	}
	recorded := httptest.NewRecorder()
	f.Next.ServeHTTP(recorded, r)
	var body map[string]any
	if err := json.Unmarshal(recorded.Body.Bytes(), &body); err != nil || recorded.Code != http.StatusOK {
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(recorded.Body.Bytes()) // a client that hung up is its own test's business
		return
	}
	if partial {
		halve(body)
		switch {
		case f.Gone:
		case f.Kind == "victoriametrics":
			body["isPartial"] = true
		default:
			body["warnings"] = []string{"receive series from Addr: 10.0.0.7:10901: rpc error: code = Unavailable desc = connection refused"}
		}
	}
	if f.Kind == "thanos" && r.Form.Get("max_source_resolution") != "0s" {
		thin(body)
	}
	if n := f.Queries.Add(1); f.Breaks > 0 && n >= f.Breaks {
		f.Broken.Store(true)
	}
	reply(w, http.StatusOK, body)
}

// completeness says what a store without one of its parts does with a query:
// refuse it, or answer in part.
func (f *Front) completeness(r *http.Request) (refusal string, partial bool) {
	if !f.Down && !f.Gone {
		return "", false
	}
	switch f.Kind {
	case "thanos":
		if strings.Contains(r.Form.Get("storeMatch[]"), "10.0.0.8") || strings.Contains(r.Form.Get("query"), `cluster="apim"`) {
			return "", false // the store that is down is not asked
		}
		if !f.Gone && r.Form.Get("partial_response") == "false" {
			return "expanding series: proxy Series(): Addr: 10.0.0.7:10901: rpc error: code = Unavailable desc = connection refused", false
		}
	case "victoriametrics":
		if r.Form.Get("deny_partial_response") == "1" {
			return "cannot fetch query results from vmstorage nodes: 10.0.0.7:8401: connection refused", false
		}
	}
	return "", true
}

// alignedPoints is how many points VictoriaMetrics wants before it moves them.
const alignedPoints = 50

// stores is a Query's list: one holds the cluster apim, the other may be gone.
func (f *Front) stores() map[string]any {
	entry := func(address, cluster string, gone bool) map[string]any {
		e := map[string]any{"name": address, "lastError": nil, "labelSets": []map[string]string{{"cluster": cluster}}}
		if gone {
			e["lastError"] = "rpc error: code = DeadlineExceeded desc = connection refused"
		}
		return e
	}
	return map[string]any{"sidecar": []any{entry("10.0.0.8:10901", "apim", false), entry("10.0.0.7:10901", "other", f.Gone)}}
}

// align moves a range query to multiples of its step, as VictoriaMetrics does for
// its cache.
func align(r *http.Request) {
	start, err1 := seconds(r, "start")
	end, err2 := seconds(r, "end")
	step, err3 := seconds(r, "step")
	if err1 != nil || err2 != nil || err3 != nil || step == 0 || (end-start)/step+1 < alignedPoints {
		return
	}
	text := func(ms int64) string { return strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64) }
	r.Form.Set("start", text(start-start%step))
	r.Form.Set("end", text(end-end%step+step))
}

var ranged = regexp.MustCompile(`\[(\d+)ms\]$`)

// rangeOf is how long a range a query is about.
func rangeOf(r *http.Request) time.Duration {
	if found := ranged.FindStringSubmatch(r.Form.Get("query")); found != nil {
		n, _ := strconv.ParseInt(found[1], 10, 64)
		return time.Duration(n) * time.Millisecond
	}
	start, err1 := seconds(r, "start")
	end, err2 := seconds(r, "end")
	if err1 != nil || err2 != nil {
		return 0
	}
	return time.Duration(end-start) * time.Millisecond
}

// results are the series of an answer.
func results(body map[string]any) []any {
	data, _ := body["data"].(map[string]any)
	all, _ := data["result"].([]any)
	return all
}

// halve drops every second series, beginning with the first.
func halve(body map[string]any) {
	left := []any{}
	for i, s := range results(body) {
		if i%2 == 1 {
			left = append(left, s)
		}
	}
	if data, ok := body["data"].(map[string]any); ok {
		data["result"] = left
	}
}

// thin leaves every fifth sample, as downsampled data.
func thin(body map[string]any) {
	for _, s := range results(body) {
		series, _ := s.(map[string]any)
		values, _ := series["values"].([]any)
		left := []any{}
		for i := 0; i < len(values); i += 5 {
			left = append(left, values[i])
		}
		series["values"] = left
	}
}

// NewFront reads the kind and the faults of a front from words: longest=17s,
// busy=2, breaks=5, down and gone.
func NewFront(next http.Handler, kind string, faults ...string) (*Front, error) {
	f := &Front{Next: next, Kind: kind}
	if buildinfo[kind] == nil {
		return nil, fmt.Errorf("no store of kind %q", kind)
	}
	for _, fault := range faults {
		name, value, _ := strings.Cut(fault, "=")
		var err error
		switch name {
		case "down":
			f.Down = true
		case "gone":
			f.Gone = true
		case "longest":
			f.Longest, err = time.ParseDuration(value)
		case "busy":
			f.Busy, err = strconv.ParseInt(value, 10, 64)
		case "breaks":
			f.Breaks, err = strconv.ParseInt(value, 10, 64)
		default:
			err = fmt.Errorf("no fault %q", name)
		}
		if err != nil {
			return nil, err
		}
	}
	return f, nil
}
