package source

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// bytesRead rise by 100 a second in every interval of 15 s.
const bytesRead = `mysql_global_status_innodb_data_read{instance="db"} 0+1500x9` + "\n"

// TestRate adds what two counters say per second: over a lost scrape, and without
// the interval in which one of them went back.
func TestRate(t *testing.T) {
	db := held(t, bytesRead+`mysql_global_status_innodb_data_written{instance="db"} 0 3000 6000 _ 12000 0 3000 6000 9000`+"\n")
	d := readWith(t, Spec{Profile: "mysqld_exporter"}, db)
	s := d.Runs[0].Series[DatabaseBytes]
	if diff := cmp.Diff([]float64{300, 300, 300, 300, 300, 300, 300}, valuesOf(d, DatabaseBytes), closely); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var times []string
	for _, p := range s.Points {
		times = append(times, p.Time.Format("04:05"))
	}
	if got := strings.Join(times, " "); got != "00:00 00:15 00:30 00:45 01:15 01:30 01:45" || s.Step != 15*time.Second || s.Resets != 1 {
		t.Errorf("points at %s, step %s, %d resets", got, s.Step, s.Resets)
	}
}

// TestRateOfHalf has no sum of one half, and tells nobody: not every server counts
// its bytes. Two servers have no sum either, and that is said.
func TestRateOfHalf(t *testing.T) {
	d := readWith(t, Spec{Profile: "mysqld_exporter"}, held(t, bytesRead))
	if _, found := d.Runs[0].Series[DatabaseBytes]; found || saysOf(d, DatabaseBytes) != "" || saysOf(d, TokenRows) != "" {
		t.Errorf("%+v, problems %+v", d.Runs[0].Series, d.Problems)
	}
	d = readWith(t, Spec{Profile: "mysqld_exporter", Select: map[string]map[string]string{TokenRows: {"schema": "apimdb"}}}, held(t, bytesRead))
	if got := saysOf(d, TokenRows); !strings.Contains(got, "no samples of mysql_info_schema_table_rows{schema=\"apimdb\",table=") {
		t.Errorf("a series that was named is absent: %q", got)
	}
	two := bytesRead + strings.ReplaceAll(bytesRead, `"db"`, `"other"`)
	d = readWith(t, Spec{Profile: "mysqld_exporter"}, held(t, two+strings.ReplaceAll(two, "_read", "_written")))
	if _, found := d.Runs[0].Series[DatabaseBytes]; found || !strings.Contains(saysOf(d, DatabaseBytes), "2 series match") {
		t.Errorf("%+v, problem %q", d.Runs[0].Series, saysOf(d, DatabaseBytes))
	}
}

// TestRateOfAQuery reads a counter of the experiment's own, and the rows of a
// table as they stand.
func TestRateOfAQuery(t *testing.T) {
	db := held(t, "disk_bytes_total{disk=\"a\"} 0+30x9\n"+`mysql_info_schema_table_rows{schema="apimdb",table="IDN_OAUTH2_ACCESS_TOKEN"} 1000+10x9`+"\n")
	d := readWith(t, Spec{Profile: "mysqld_exporter", Queries: map[string]string{DatabaseBytes: `disk_bytes_total{disk="a"}`}}, db)
	if diff := cmp.Diff([]float64{2, 2, 2, 2, 2, 2, 2, 2}, valuesOf(d, DatabaseBytes), closely); diff != "" {
		t.Errorf("bytes (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]float64{1010, 1020, 1030, 1040, 1050, 1060, 1070, 1080}, valuesOf(d, TokenRows), closely); diff != "" {
		t.Errorf("rows (-want +got)\n%s", diff)
	}
}
