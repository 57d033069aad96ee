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
	t.mu.Lock()
	list, fresh := t.list, time.Since(t.read) < tablesAge
	t.mu.Unlock()
	if fresh {
		return list, nil
	}
	watched := tokentable.Watched()
	list = nil
	// SHOW TABLES reads names only; information_schema.TABLES would open every
	// table of the schema to find the partitions.
	err := s.each(ctx, func(rows *sql.Rows) error {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		upper := strings.ToUpper(name)
		_, partition := tokentable.Partition(upper)
		if partition || slices.Contains(watched, upper) {
			list = append(list, name)
		}
		return nil
	}, "SHOW TABLES FROM "+quoteName(s.Schema))
	if err != nil {
		return nil, fmt.Errorf("list the token tables: %w", err)
	}
	slices.Sort(list)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list, t.read = list, time.Now()
	return list, nil
}
