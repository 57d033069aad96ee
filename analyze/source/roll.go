package source

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/api"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// storeMatch is Thanos' parameter for the stores that a query goes to.
const storeMatch = "storeMatch[]"

// roll asks a Thanos Query, after each answer of it, for its list of stores. The
// Query leaves a store that it could not reach for some seconds out of its
// answers and says nothing of that in them, whatever it was told about partial
// responses; after five minutes the store is not even on the list.
type roll struct {
	client  api.Client
	matches [][]*labels.Matcher // storeMatch[], which is about addresses alone

	mu   sync.Mutex
	seen map[string]thanosStore // every store that was on the list, by its address
}

// thanosStore is an entry of the list.
type thanosStore struct {
	Name      string
	LastError *string
	LabelSets []map[string]string
}

// newRoll reads the selectors of the stores that are asked.
func newRoll(client api.Client, params url.Values) (*roll, error) {
	r := &roll{client: client, seen: map[string]thanosStore{}}
	for _, text := range params[storeMatch] {
		m, err := parser.NewParser(parser.Options{}).ParseMetricSelector(text)
		if err != nil {
			return nil, &SpecError{fmt.Sprintf("--prometheus.param %s=%s is not a selector such as {__address__=\"10.0.0.7:10901\"}: %v", storeMatch, text, err)}
		}
		r.matches = append(r.matches, m)
	}
	return r, nil
}

// lost names the first store that should have been part of the answer to a query
// and was not, "" when there is none. A server that has no list, such as a proxy
// that lets queries through alone, is taken at its word. A nil roll knows no
// stores.
func (r *roll) lost(ctx context.Context, query string) string {
	if r == nil {
		return ""
	}
	now, ok := r.list(ctx)
	if !ok {
		return ""
	}
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		return fmt.Sprintf("which stores the query goes to cannot be told: %v", err)
	}
	selectors := parser.ExtractSelectors(expr)
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, s := range now {
		if s.LabelSets == nil { // it has forgotten them, or has never known any
			s.LabelSets = r.seen[name].LabelSets
		}
		r.seen[name] = s
	}
	for _, name := range slices.Sorted(maps.Keys(r.seen)) {
		s := r.seen[name]
		switch _, listed := now[name]; {
		case !fits(r.matches, map[string]string{"__address__": name}) || !fits(selectors, s.LabelSets...):
		case !listed:
			return fmt.Sprintf("the store %s%s is not on the server's list any more", name, s.labels())
		case s.LastError != nil:
			return fmt.Sprintf("the server does not reach its store %s%s, and leaves it out: %s", name, s.labels(), *s.LastError)
		}
	}
	return ""
}

// list is what /api/v1/stores answers: stores by their kind.
func (r *roll) list(ctx context.Context) (map[string]thanosStore, bool) {
	ctx, cancel := context.WithTimeout(ctx, detectTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.client.URL("/api/v1/stores", nil).String(), nil)
	if err != nil {
		return nil, false
	}
	resp, body, err := r.client.Do(ctx, req) //nolint:bodyclose // the client reads and closes it
	var said struct{ Data map[string][]thanosStore }
	if err != nil || resp.StatusCode/100 != 2 || json.Unmarshal(body, &said) != nil {
		return nil, false
	}
	out := map[string]thanosStore{}
	for _, kind := range said.Data {
		for _, s := range kind {
			out[s.Name] = s
		}
	}
	return out, true
}

// fits says as Thanos does whether one of several selectors may be about one of
// several label sets: a label that a set does not have contradicts nothing, and
// where there are no sets, or no selectors, nothing does.
func fits(selectors [][]*labels.Matcher, sets ...map[string]string) bool {
	if len(selectors) == 0 || len(sets) == 0 {
		return true
	}
	for _, set := range sets {
		for _, s := range selectors {
			if !slices.ContainsFunc(s, func(m *labels.Matcher) bool {
				value, ok := set[m.Name]
				return ok && !m.Matches(value)
			}) {
				return true
			}
		}
	}
	return false
}

// labels are the label sets in words.
func (s thanosStore) labels() string {
	var out strings.Builder
	for _, set := range s.LabelSets {
		fmt.Fprintf(&out, " {%s}", labelText(set))
	}
	return out.String()
}
