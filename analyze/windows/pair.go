package windows

import (
	"fmt"
	"slices"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// pair finds the grants of windows that left no trace of theirs, and the blocks.
func (p *Proposal) pair() {
	p.adopt()
	for _, grant := range p.grants() {
		p.blocks(grant)
	}
}

// adopt gives a window without persistence the grant of the window with which
// it forms a pair in the order of time, or the only grant there is.
func (p *Proposal) adopt() {
	w := p.Windows
	for i := 0; i+1 < len(w); i++ {
		on, off := i, i+1
		if w[i].Persistence == source.Off {
			on, off = i+1, i
		}
		if !opposite(w[i], w[i+1]) || w[off].Grant != "" && w[off].Grant != w[on].Grant {
			continue
		}
		if w[off].Grant == "" && w[on].Grant != "" {
			w[off].Grant, w[off].GrantWhy = w[on].Grant, fmt.Sprintf("taken from window %d beside it: %s", on+1, w[off].GrantWhy)
		}
		i++ // both have their partner
	}
	known := p.grants()
	for i := range w {
		if len(known) == 1 && w[i].Grant == "" && w[i].Persistence == source.Off {
			w[i].Grant, w[i].GrantWhy = known[0], "the only grant that was seen: "+w[i].GrantWhy
		}
	}
}

func opposite(a, b Window) bool {
	return a.Persistence == source.On && b.Persistence == source.Off || a.Persistence == source.Off && b.Persistence == source.On
}

// grants are those of the windows, in the order of time.
func (p *Proposal) grants() []string {
	var out []string
	for _, w := range p.Windows {
		if w.Grant != "" && !slices.Contains(out, w.Grant) {
			out = append(out, w.Grant)
		}
	}
	return out
}

// blocks pairs the windows of a grant: neighbours in time, unless that leaves
// more windows alone than pairing the nth of one mode with the nth of the other.
func (p *Proposal) blocks(grant string) {
	var all, on, off []int
	for i, w := range p.Windows {
		if w.Grant != grant || w.Persistence == "" {
			continue
		}
		all = append(all, i)
		if w.Persistence == source.On {
			on = append(on, i)
		} else {
			off = append(off, i)
		}
	}
	if len(all) == 0 {
		return
	}
	var pairs [][2]int
	for i := 0; i+1 < len(all); i++ {
		if opposite(p.Windows[all[i]], p.Windows[all[i+1]]) {
			pairs = append(pairs, [2]int{all[i], all[i+1]})
			i++
		}
	}
	if most := min(len(on), len(off)); len(pairs) < most {
		pairs = nil
		for i := range most {
			pairs = append(pairs, [2]int{min(on[i], off[i]), max(on[i], off[i])})
		}
		p.Notes = append(p.Notes, fmt.Sprintf("%s: the windows of the two modes do not take turns, so the first of one is paired with the first of the other, and so on: a drift between them looks like an effect", grant))
	}
	for i, pair := range pairs {
		p.Windows[pair[0]].Block, p.Windows[pair[1]].Block = i+1, i+1
	}
	p.order(grant, pairs)
	switch alone := len(all) - 2*len(pairs); {
	case len(pairs) == 0:
		p.Notes = append(p.Notes, fmt.Sprintf("%s: no pair of windows: every one of them has persistence %s", grant, p.Windows[all[0]].Persistence))
	case alone > 0:
		p.Notes = append(p.Notes, fmt.Sprintf("%s: %s without a partner, which the experiment file has as a comment: one of them in the comparison would undo all pairs of the grant", grant, plural(alone, "window")))
	}
}

// order notes pairs that all begin with the same mode.
func (p *Proposal) order(grant string, pairs [][2]int) {
	if len(pairs) < 2 {
		return
	}
	first := p.Windows[pairs[0][0]].Persistence
	for _, pair := range pairs {
		if p.Windows[pair[0]].Persistence != first {
			return
		}
	}
	p.Notes = append(p.Notes, fmt.Sprintf("%s: each of the %d pairs begins with persistence %s, so the order looks not randomised: what drifts looks like an effect", grant, len(pairs), first))
}
