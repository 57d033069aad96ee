package collector

import (
	"encoding/json"
	"errors"
)

// access is what matters of a plan.
type access struct {
	how     string // range, or what the server calls it otherwise
	index   string
	columns []string // of the index, as far as the range uses them
	rows    float64
	sorted  bool // after all of the range was read
}

// parseExplain finds the one table access in what EXPLAIN FORMAT=JSON says on
// MariaDB, on MySQL, and on MySQL with explain_json_format_version 2, the
// default since 9.5. Whatever it does not know is an error.
func parseExplain(answer []byte) (access, error) {
	var top struct {
		Block *explainBlock `json:"query_block"`
		Plan  *explainStep  `json:"query_plan"`
	}
	if err := json.Unmarshal(answer, &top); err != nil {
		return access{}, err
	}
	switch {
	case top.Block != nil:
		return top.Block.access(false)
	case top.Plan != nil:
		return top.Plan.access(false)
	}
	return access{}, errUnknownPlan
}

var errUnknownPlan = errors.New("the server explains it in a form that this version does not know")

// explainBlock is a node of the first form: a table or what is done with one.
type explainBlock struct {
	Table *struct {
		Access   string   `json:"access_type"`
		Key      string   `json:"key"`
		Columns  []string `json:"used_key_parts"`
		Rows     *float64 `json:"rows"`                   // MariaDB
		Examined *float64 `json:"rows_examined_per_scan"` // MySQL
	} `json:"table"`
	Nested   []explainBlock `json:"nested_loop"`
	Sorted   *explainBlock  `json:"read_sorted_file"`
	Filesort *explainBlock  `json:"filesort"`
	Ordering *explainBlock  `json:"ordering_operation"`
	Sort     bool           `json:"using_filesort"` // of Ordering
}

func (b *explainBlock) access(sorted bool) (access, error) {
	sorted = sorted || b.Sort
	switch {
	case b.Table != nil:
		rows := b.Table.Rows
		if rows == nil {
			rows = b.Table.Examined
		}
		if rows == nil {
			return access{}, errUnknownPlan
		}
		return access{b.Table.Access, b.Table.Key, b.Table.Columns, *rows, sorted}, nil
	case len(b.Nested) == 1:
		return b.Nested[0].access(sorted)
	case b.Ordering != nil:
		return b.Ordering.access(sorted)
	case b.Sorted != nil:
		return b.Sorted.access(true)
	case b.Filesort != nil:
		return b.Filesort.access(true)
	}
	return access{}, errUnknownPlan
}

// explainStep is a node of the second form.
type explainStep struct {
	Access  string        `json:"access_type"`
	Index   string        `json:"index_name"`
	How     string        `json:"index_access_type"`
	Columns []string      `json:"key_columns"`
	Rows    *float64      `json:"estimated_rows"`
	Inputs  []explainStep `json:"inputs"`
}

func (e *explainStep) access(sorted bool) (access, error) {
	switch {
	case len(e.Inputs) == 1:
		return e.Inputs[0].access(sorted || e.Access == "sort")
	case len(e.Inputs) > 1 || e.Rows == nil:
		return access{}, errUnknownPlan
	case e.Access == "index" && e.How == "index_range_scan":
		return access{"range", e.Index, e.Columns, *e.Rows, sorted}, nil
	}
	return access{how: e.Access + " " + e.How, rows: *e.Rows, sorted: sorted}, nil
}
