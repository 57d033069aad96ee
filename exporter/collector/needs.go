package collector

import (
	"slices"
	"strings"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// Needs is nothing that a collector cannot do without: what an account without
// any right may read is enough. On MySQL a few counters are only in a table
// that wants PROCESS, which also shows everybody's statements.
func (MySQL) Needs([]string) []Need {
	return []Need{{
		Privilege: privilegeProcess, Schema: "*", Flavor: flavorMySQL,
		Optional: "mysql_innodb_deadlocks_total and mysql_innodb_history_list_length",
	}}
}

// Needs are the counters and, to tell why all of them may be zero, the switch of
// the instrument.
func (TableIO) Needs([]string) []Need {
	return []Need{
		{
			Privilege: privilegeSelect, Schema: performanceSchema, Table: "table_io_waits_summary_by_table",
			Columns: []string{
				"OBJECT_SCHEMA", "OBJECT_NAME", "COUNT_FETCH", "COUNT_INSERT", "COUNT_UPDATE", "COUNT_DELETE",
				"SUM_TIMER_FETCH", "SUM_TIMER_INSERT", "SUM_TIMER_UPDATE", "SUM_TIMER_DELETE",
			},
		},
		{
			Privilege: privilegeSelect, Schema: performanceSchema, Table: "setup_instruments", Columns: []string{"NAME", "ENABLED"},
			Optional: "the reason why performance_schema counts no table I/O",
		},
	}
}

// Needs make every token table visible, those that come later included, and
// their indexes on MariaDB too, and let nobody read a row.
func (TableSize) Needs([]string) []Need {
	return []Need{{Privilege: privilegeShowView}}
}

// tokenColumns are what Tokens reads of a row.
var tokenColumns = []string{"TOKEN_ID", "GRANT_TYPE", "TIME_CREATED"}

// Needs are three columns of the access-token table and of its partitions.
func (*Tokens) Needs(tables []string) []Need {
	var needs []Need
	for _, table := range accessTokenTables(tables) {
		needs = append(needs, Need{Privilege: privilegeSelect, Table: table, Columns: tokenColumns})
	}
	return needs
}

// accessTokenTables returns the access-token table and its partitions.
func accessTokenTables(tables []string) []string {
	return slices.DeleteFunc(slices.Clone(tables), func(name string) bool {
		upper := strings.ToUpper(name)
		_, partition := tokentable.Partition(upper)
		return upper != tokentable.AccessToken && !partition
	})
}

// Needs are columns of the statement summaries, without those that hold the text
// of statements, and of the switches that say whether the summaries are kept.
func (*Statements) Needs([]string) []Need { return statementNeeds() }

func statementNeeds() []Need {
	need := func(table string, columns ...string) Need {
		return Need{Privilege: privilegeSelect, Columns: columns, Schema: performanceSchema, Table: table}
	}
	withCPU := func(table string) Need {
		n := need(table, cpuTime.column())
		n.Flavor, n.Since, n.Optional = flavorMySQL, 80028, "the processor time of statements"
		return n
	}
	return []Need{
		need(consumersTable, "NAME", "ENABLED"),
		need(instrumentsTable, "NAME", "ENABLED", "TIMED"),
		need(digestTable, append(digestColumns(), measuredColumns(false)...)...), withCPU(digestTable),
		need(eventTable, append([]string{"EVENT_NAME"}, measuredColumns(false)...)...), withCPU(eventTable),
	}
}

var (
	_ Needer = MySQL{}
	_ Needer = TableIO{}
	_ Needer = TableSize{}
	_ Needer = (*Tokens)(nil)
	_ Needer = (*Statements)(nil)
)
