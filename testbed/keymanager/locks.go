package keymanager

import "sync"

// locks serialises requests for the same token, as the product's lock on the
// interned string of client, user, scope and binding does. Device scopes make
// every key different, so that nobody waits in the published experiment.
type locks struct {
	mu   sync.Mutex
	held map[string]*lock
}

type lock struct {
	sync.Mutex
	users int // holders and waiters
}

func newLocks() *locks { return &locks{held: map[string]*lock{}} }

// acquire locks key and returns the function that unlocks it.
func (l *locks) acquire(key string) (release func()) {
	l.mu.Lock()
	entry := l.held[key]
	if entry == nil {
		entry = &lock{}
		l.held[key] = entry
	}
	entry.users++
	l.mu.Unlock()
	entry.Lock()
	return func() {
		entry.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		if entry.users--; entry.users == 0 {
			delete(l.held, key)
		}
	}
}
