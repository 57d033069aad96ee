package source

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
)

// autoFlavor stands for the flavour that the server itself shows.
const autoFlavor = "auto"

// flavor is what one kind of server behind the Prometheus HTTP API has to be
// told with every query, so that it answers with raw and complete data or with
// an error. A server ignores parameters that it does not know.
type flavor struct {
	params url.Values
	strict url.Values // besides, unless incomplete answers are allowed
	loose  url.Values // besides, where they are
}

// flavors are all of them by name. Mimir stands for Cortex and its services, too:
// neither has parameters that we need, and the tenant is a header.
var flavors = map[string]flavor{
	"prometheus": {},
	"mimir":      {},
	"thanos": {
		// Its own defaults, which a flag of the server may have changed: downsampled
		// data has neither increments nor times of scrapes.
		params: url.Values{"dedup": {"true"}, "max_source_resolution": {"0s"}},
		strict: url.Values{"partial_response": {"false"}},
		loose:  url.Values{"partial_response": {"true"}},
	},
	"victoriametrics": {
		// Without nocache the times of a range query are moved to multiples of its
		// step, and the last 30 s before now are left out.
		params: url.Values{"nocache": {"1"}},
		strict: url.Values{"deny_partial_response": {"1"}},
	},
}

// Flavors lists the names that a source may give as its flavour.
func Flavors() []string { return append([]string{autoFlavor}, slices.Sorted(maps.Keys(flavors))...) }

// queryParams are sent with every query: those of the flavour, and in their place
// or besides those of the experiment.
func (s Spec) queryParams(name string) url.Values {
	f := flavors[name]
	out := url.Values{}
	maps.Copy(out, f.params)
	if s.AllowPartial {
		maps.Copy(out, f.loose)
	} else {
		maps.Copy(out, f.strict)
	}
	maps.Copy(out, s.Params)
	return out
}

// detectTimeout bounds the question that no answer depends on.
const detectTimeout = 5 * time.Second

// detect asks a server what it is. One that does not say is taken for a
// Prometheus; the first query will tell what is wrong with it.
func detect(ctx context.Context, client api.Client) string {
	const unknown = "prometheus"
	ctx, cancel := context.WithTimeout(ctx, detectTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, client.URL("/api/v1/status/buildinfo", nil).String(), nil)
	if err != nil {
		return unknown
	}
	resp, body, err := client.Do(ctx, req) //nolint:bodyclose // the client reads and closes it
	if err != nil {
		return unknown
	}
	var info struct {
		Data struct{ Application, Version string }
	}
	if resp.Header.Get("X-Server-Hostname") != "" {
		return "victoriametrics" // its buildinfo is made to look like that of a Prometheus
	}
	if resp.StatusCode/100 != 2 || json.Unmarshal(body, &info) != nil {
		return unknown
	}
	application := strings.ToLower(info.Data.Application)
	switch {
	case strings.Contains(application, "mimir"), strings.Contains(application, "cortex"):
		return "mimir"
	case strings.HasPrefix(strings.TrimPrefix(info.Data.Version, "v"), "0."):
		return "thanos" // Prometheus has buildinfo since 2.14
	}
	return unknown
}
