package source

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
)

// canned answers every request with one body.
type canned string

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(c)))}, nil
}

// FuzzPrometheusJSON hands any answer of a server to our fetch: it gives samples
// of the range in rising order, or an error that names the query.
func FuzzPrometheusJSON(f *testing.F) {
	for _, s := range []string{
		`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"a"},"values":[[1782900000,"1"],[1782900005,"2"]]}]}}`,
		`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1782900005,"NaN"],[1782900000,"+Inf"]],"histograms":[]}]},"warnings":["w"]}`,
		`{"status":"success","data":{"resultType":"vector","result":[]}}`, `{"status":"success","data":{}}`, tooManySamples,
		`{"status":"success","data":{"resultType":"matrix","result":[null]}}`, `null`, `[`, "",
	} {
		f.Add(s)
	}
	from := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	to := from.Add(time.Minute)
	f.Fuzz(func(t *testing.T, body string) {
		client, err := api.NewClient(api.Config{Address: "http://fuzz", Client: &http.Client{Transport: canned(body)}})
		if err != nil {
			t.Fatal(err)
		}
		o := newOnline(client, nil)
		for _, ask := range []func() ([]rawSeries, []string, error){
			func() ([]rawSeries, []string, error) { return o.fetch(t.Context(), "up", from, to) },
			func() ([]rawSeries, []string, error) {
				return o.evaluate(t.Context(), "up", from, to, 15*time.Second)
			},
		} {
			found, _, err := ask()
			if err != nil {
				if !strings.Contains(err.Error(), "up") {
					t.Errorf("the error does not name the query: %v", err)
				}
				continue
			}
			for _, s := range found {
				if len(s.samples) == 0 || !rising(s.samples) || s.samples[0].t < from.UnixMilli() || s.samples[len(s.samples)-1].t > to.UnixMilli() {
					t.Errorf("samples %v", s.samples)
				}
			}
		}
	})
}
