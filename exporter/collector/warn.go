package collector

// Warner is a collector that works and still has something to tell the
// administrator: a right that is missing or one that is too many. The Set logs
// each text once.
type Warner interface {
	Warnings() []string
}

// warn logs what collectors have to tell and was not told before.
func (s *Set) warn() {
	for _, c := range s.sql {
		s.warnOf(c.Name(), c)
	}
	for _, c := range s.others {
		s.warnOf(c.Name(), c)
	}
}

func (s *Set) warnOf(name string, c any) {
	w, ok := c.(Warner)
	if !ok {
		return
	}
	texts := w.Warnings()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range texts {
		if key := (warning{name, text}); !s.warned[key] {
			s.warned[key] = true
			s.logger.Warn("note of a collector", "collector", name, "note", text)
		}
	}
}

type warning struct{ collector, text string }
