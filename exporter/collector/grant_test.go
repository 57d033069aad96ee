package collector

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/tokenpersistence/toolkit/exporter/collector/collectortest"
)

func TestGrantTypesAreCleanLabels(t *testing.T) {
	seen := map[string]bool{}
	for i, grant := range grantTypes {
		if seen[grant] || !utf8.ValidString(grant) || strings.ContainsAny(grant, "\x00\n\\\"") {
			t.Errorf("grant type %q", grant)
		}
		if seen[grant] = true; grantIndex([]byte(grant)) != i {
			t.Errorf("%q is not its own label", grant)
		}
	}
	if grantTypes[len(grantTypes)-1] != grantOther {
		t.Error("what is unknown must be the last")
	}
	for _, raw := range []string{
		"", "Password", "PASSWORD", "password ", "password\x00", "pass\nword", "\xff\xfe", "пароль", "other", strings.Repeat("x", 1<<20),
		"password" + strings.Repeat("\x00", 1<<20), "urn:ietf:params:oauth:grant-type:saml2-bearer2",
	} {
		if got := grantTypes[grantIndex([]byte(raw))]; got != grantOther {
			t.Errorf("%.20q counts as %s", raw, got)
		}
	}
	if grantIndex(nil) != len(grantTypes)-1 {
		t.Error("NULL is not other")
	}
}

// grantPage counts rows of the grant types and returns the page that shows them.
func grantPage(raws [][]byte) (string, error) {
	t := NewTokens(time.Second, nil, nil)
	b := &book{ledger: newLedger()}
	t.books["T"] = b
	b.ledger.begin(0, baseline{horizon: endOfTime})
	rows := make([]tokenRow, 0, len(raws))
	for i, raw := range raws {
		rows = append(rows, tokenRow{second: 1, key: b.ledger.key(fmt.Append(nil, i)), grant: grantIndex(raw)})
	}
	b.ledger.add(1, rows)
	return collectortest.Page(t.Descs(), t.metrics([]*visit{{book: b}}, leftOut{}))
}

// checkGrantPage parses the page and compares its sum and its size.
func checkGrantPage(t *testing.T, raws [][]byte) {
	t.Helper()
	page, err := grantPage(raws)
	if err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(page))
	if err != nil {
		t.Fatalf("the page does not parse: %v\n%s", err, page)
	}
	series := families["wso2_token_rows_observed_total"].GetMetric()
	if len(series) != len(grantTypes) {
		t.Errorf("%d series for %d grant types", len(series), len(raws))
	}
	if got := sumCounters(series); got != float64(len(raws)) {
		t.Errorf("the series add up to %v, want %d", got, len(raws))
	}
}

func sumCounters(series []*dto.Metric) (sum float64) {
	for _, m := range series {
		sum += m.GetCounter().GetValue()
	}
	return sum
}

// TestManyGrantTypes: 10^5 distinct values, some of them hostile, are a bounded
// number of series whose sum is the number of rows.
func TestManyGrantTypes(t *testing.T) {
	raws := [][]byte{nil, []byte("password"), []byte("pass\nword\x00"), {0xff}, bytes.Repeat([]byte("m"), 1<<20)}
	for i := range 100_000 {
		raws = append(raws, fmt.Appendf(nil, "urn:custom:%d", i), fmt.Appendf(nil, "URN:custom:%d\xc3\x28", i))
	}
	checkGrantPage(t, raws)
	page, err := grantPage(raws)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page, `wso2_token_rows_observed_total{grant_type="password"} 1`+"\n") ||
		!strings.Contains(page, fmt.Sprintf(`wso2_token_rows_observed_total{grant_type="other"} %d`, len(raws)-1)) {
		t.Error(page)
	}
}

// FuzzGrantLabel feeds the label whatever a database may hold.
func FuzzGrantLabel(f *testing.F) {
	for _, seed := range []string{"password", "Password", "other", "", "\x00", "a\nb", "\xff", `"}`, strings.Repeat("x", 300)} {
		f.Add([]byte(seed), []byte("refresh_token"))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, raw := range [][]byte{a, b} {
			i := grantIndex(raw)
			if i < 0 || i >= len(grantTypes) || (grantTypes[i] != string(raw) && grantTypes[i] != grantOther) {
				t.Errorf("%q became %d", raw, i)
			}
		}
		checkGrantPage(t, [][]byte{a, b, nil})
	})
}
