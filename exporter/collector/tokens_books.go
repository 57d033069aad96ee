package collector

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/internal/tokentable"
)

// book is what is known of one access-token table. A partition's book begins
// when the table comes and ends when it goes; the main table's is always open.
type book struct {
	name   string    // in upper case
	table  string    // as the server spells it; under Tokens.mu
	born   time.Time // when the table was seen not to be there yet, by our clock; zero if it was there first
	ledger *ledger
	state  settling // of this table; under Tokens.mu

	resume      cursor // of the background pass only: where a pass that failed goes on
	resumeEpoch int
}

func (b *book) main() bool { return b.name == tokentable.AccessToken }

// visit is one reading of one table.
type visit struct {
	*book
	table, index string
	seen         sighting
}

// missed is a table that could not be read, and when to try again.
type missed struct {
	err   error
	until time.Time
}

// leftReasons are the values of the reason label: classes, and limit for
// partitions beyond maxPartitions.
var leftReasons = [...]string{string(Guard), reasonLimit, string(Permission), string(Schema), string(Timeout), string(Other)}

const reasonLimit = "limit"

// leftOut collects the tables that are not read in a pass.
type leftOut struct {
	tables [len(leftReasons)]int
	errs   []error
}

var errLimit = errors.New("more partitions than the exporter reads")

func (l *leftOut) add(table string, err error) {
	reason := string(ClassOf(err))
	if errors.Is(err, errLimit) {
		reason = reasonLimit
	}
	i := slices.Index(leftReasons[:], reason)
	if i < 0 {
		i = len(leftReasons) - 1
	}
	l.tables[i]++
	l.errs = append(l.errs, fmt.Errorf("%s: %w", table, err))
}

// err is of class partial if a table was left out. It tells of a few.
func (l *leftOut) err() error {
	if len(l.errs) == 0 {
		return nil
	}
	few := errors.Join(l.errs[:min(3, len(l.errs))]...)
	return &Failure{Partial, fmt.Errorf("%d access-token tables are left out: %w; if one is no partition of WSO2, rename it", len(l.errs), few)}
}

// fatal reports whether an error of one table ends the reading of all.
func (t *Tokens) fatal(ctx context.Context, b *book, err error) bool {
	class := ClassOf(err)
	return b.main() || ctx.Err() != nil || class == Connection || class == Auth
}

// accessTables picks the access-token tables of a list: by name in upper case
// what the server calls them, the main table always among them. Names of it
// that are the same but for case, and partitions beyond the bound, are left out.
func accessTables(list []string) (tables map[string]string, left leftOut) {
	tables = map[string]string{tokentable.AccessToken: tokentable.AccessToken}
	partitions := 0
	seen := map[string]bool{}
	for _, name := range list { // sorted: upper case comes first
		upper := strings.ToUpper(name)
		_, partition := tokentable.Partition(upper)
		switch {
		case upper != tokentable.AccessToken && !partition:
		case seen[upper]:
			left.add(name, &Failure{Schema, errors.New("another table has the same name in another case")})
		case partition && partitions == maxPartitions:
			left.add(name, errLimit)
		default:
			if partition {
				partitions++
			}
			seen[upper] = true
			tables[upper] = name
		}
	}
	return tables, left
}

// openBooks returns the tables to read now, the main one first. It opens the books
// of new ones and closes those of tables that have vanished.
func (t *Tokens) openBooks(ctx context.Context, s *Session) ([]*visit, leftOut, error) {
	list, read, err := t.tables.listed(ctx, s)
	if err != nil {
		return nil, leftOut{}, err
	}
	tables, left := accessTables(list)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !read.Before(t.listed) { // else another pass knows better
		t.keepBooks(tables)
		t.listed = read
	}
	var visits []*visit
	for _, name := range slices.Sorted(maps.Keys(t.books)) {
		if m := t.missed[name]; m.err != nil && time.Now().Before(m.until) {
			left.add(name, m.err)
			continue
		}
		visits = append(visits, &visit{book: t.books[name], table: t.books[name].table})
	}
	return visits, left, nil
}

// keepBooks makes the books those of the tables that are there. What a vanished
// table had counted stays counted.
func (t *Tokens) keepBooks(tables map[string]string) {
	for name, table := range tables {
		if t.books[name] == nil {
			t.books[name] = &book{name: name, born: t.listed, ledger: newLedger(), state: settling{last: time.Now()}}
		}
		t.books[name].table = table
	}
	for name, b := range t.books {
		if tables[name] != "" {
			continue
		}
		for i, n := range b.ledger.close() {
			t.gone[i] += n
		}
		delete(t.books, name)
		delete(t.missed, name)
	}
}

// miss remembers for a while that a partition cannot be read, so that a stray
// table does not cost statements with each scrape.
func (t *Tokens) miss(b *book, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch class := ClassOf(err); {
	case isServerError(err, 1146) && !b.main():
		t.tables.forget() // it has vanished
	case class == Guard || class == Permission || class == Schema:
		t.missed[b.name] = missed{err, time.Now().Add(tablesAge)}
	case class == Timeout: // somebody alters it
		t.missed[b.name] = missed{err, time.Now().Add(retryInterval)}
	}
}

// observed sums the rows of all tables.
func (t *Tokens) observed() [len(grantTypes)]float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := t.gone
	for _, b := range t.books {
		for i, n := range b.ledger.read().observed {
			sum[i] += n
		}
	}
	return sum
}
