package collector

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// tablesAge is how long a list of tables is good for: tables come and go with
// migrations and user stores.
const tablesAge = time.Minute

// maxPartitions bounds how many partitions of one table are read and shown by
// name, so that neither the number of statements nor that of series can grow.
const maxPartitions = 32

// tableOther stands for the partitions beyond maxPartitions.
const tableOther = "other"

// Tables knows which token tables the schema holds. The collectors of a target
// share it, so that the list is read once.
type Tables struct {
	mu   sync.Mutex
	read time.Time
	list []string
}

// present returns the token tables that the account may see, partitions
// included, under the names the server uses, sorted. A list read a short while
// ago is good enough.
func (t *Tables) present(ctx context.Context, s *Session) ([]string, error) {
	list, _, err := t.listed(ctx, s)
	return list, err
}

// listed is present with the time just before which the list was read.
func (t *Tables) listed(ctx context.Context, s *Session) ([]string, time.Time, error) {
	t.mu.Lock()
	list, read := t.list, t.read
	t.mu.Unlock()
	if time.Since(read) < tablesAge {
		return list, read, nil
	}
	list, read = nil, time.Now()
	// SHOW TABLES reads names only; information_schema.TABLES would open every
	// table of the schema to find the partitions.
	err := s.each(ctx, func(rows *sql.Rows) error {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		if isTokenTable(strings.ToUpper(name)) {
			list = append(list, name)
		}
		return nil
	}, "SHOW TABLES FROM "+quoteName(s.Schema))
	if err != nil {
		return nil, read, fmt.Errorf("list the token tables: %w", explainSchema(s, err))
	}
	slices.Sort(list)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list, t.read = list, read
	return list, read, nil
}

// forget makes the next caller read the list again.
func (t *Tables) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.read = time.Time{}
}

func isTokenTable(upper string) bool {
	_, partition := tokentable.Partition(upper)
	_, scopes := tokentable.ScopePartition(upper)
	return partition || scopes || slices.Contains(tokentable.Watched(), upper)
}

// explainSchema adds to an error about the whole schema what can be done.
func explainSchema(s *Session, err error) error {
	switch {
	case isServerError(err, 1049):
		return fmt.Errorf("%w; --mysqld.database must name the database of WSO2's token tables", err)
	case isServerError(err, 1044):
		return withNeeds(s, err, TableSize{}.Needs(nil))
	}
	return err
}

// tableLabels holds the label of each table: its name in upper case, and for
// the partitions beyond maxPartitions the one they share.
type tableLabels map[string]string

func newTableLabels(list []string) tableLabels {
	labels := tableLabels{}
	var partitions, scopes int
	for _, name := range slices.Sorted(slices.Values(list)) {
		upper := strings.ToUpper(name)
		labels[name] = upper
		number := new(int)
		if _, ok := tokentable.Partition(upper); ok {
			number = &partitions
		} else if _, ok := tokentable.ScopePartition(upper); ok {
			number = &scopes
		}
		if *number++; *number > maxPartitions {
			labels[name] = tableOther
		}
	}
	return labels
}

// of returns the label of a table; the server may spell a name of the list
// otherwise.
func (l tableLabels) of(name string) string {
	if label, ok := l[name]; ok {
		return label
	}
	return strings.ToUpper(name)
}

// marks returns as many placeholders as there are names, with the names.
func marks(names []string) (string, []any) {
	args := make([]any, len(names))
	for i, name := range names {
		args[i] = name
	}
	return strings.TrimSuffix(strings.Repeat("?, ", len(names)), ", "), args
}
