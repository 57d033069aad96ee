package inspect

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// Found is a run of a tree and what its files hold.
type Found struct {
	Run
	source.Survey
}

// told is a run with what its names tell.
type told struct {
	Run
	traits
}

// Choose keeps the runs that names leaves in, and finds out whether one
// experiment can be made of them: their names have to tell the mode of each, and
// have to give all of them the same load. What they do not tell is a
// *source.SpecError that says which flag does.
func Choose(runs []Run, names Names) ([]Run, error) {
	if err := names.Check(); err != nil {
		return nil, err
	}
	runs = slices.DeleteFunc(slices.Clone(runs), func(r Run) bool { return !names.kept(r.Name) })
	if len(runs) == 0 {
		return nil, &source.SpecError{Text: "--only leaves no run: every pattern has to fit a folder on the way to a run"}
	}
	var unknown []string
	modes, loads := map[string]bool{}, map[string]string{}
	for _, r := range runs {
		t, err := names.traitsOf(r.Name)
		if err != nil {
			return nil, err
		}
		if t.mode == "" {
			unknown = append(unknown, r.Name)
		}
		modes[t.mode], loads[t.load] = true, r.Name
	}
	switch {
	case len(unknown) > 0:
		return nil, &source.SpecError{Text: fmt.Sprintf("whether persistence was on cannot be told from the names of %d of %d runs, such as %s: give the name of a folder on their way with --on or --off (* stands for anything), or leave them out with --only", len(unknown), len(runs), unknown[0])}
	case !modes["on"] || !modes["off"]:
		only := map[bool]string{true: "with", false: "without"}[modes["on"]]
		return nil, &source.SpecError{Text: fmt.Sprintf("all %d runs are %s persistence, as far as their names tell: give the folder of the others too, or --on and --off", len(runs), only)}
	case len(loads) > 1:
		var all []string
		for load := range loads {
			all = append(all, cmp.Or(load, "none in "+loads[load]))
		}
		slices.Sort(all)
		return nil, &source.SpecError{Text: fmt.Sprintf("the runs have %d different loads (%s), which are not compared with each other: choose one with --only, such as --only '%s'", len(all), strings.Join(all[:min(len(all), 6)], ", "), lastName(all))}
	}
	return runs, nil
}

// lastName is a name of a load that tells it from others.
func lastName(loads []string) string {
	for name := range strings.SplitSeq(loads[len(loads)-1], "/") {
		if _, users := loadOf(name); users != "" {
			return name
		}
	}
	return "100_users"
}

// TreeExperiment writes an experiment file for runs that Choose has let pass: a
// window for every run, pairs by the names of their folders. Comments say what
// was left out, and why. The error is a *source.SpecError where times have no
// zone.
func TreeExperiment(w io.Writer, runs []Found, rowless []string, names Names) error {
	var files []File
	var windows []proposal
	var notes []string
	users := ""
	without := 0                   // runs whose warm-up is not there
	labelOf := map[string]string{} // of a grant: an experiment file names one
	for _, r := range runs {
		t, err := names.traitsOf(r.Name)
		if err != nil {
			return err
		}
		file := File{r.Name, r.Survey}
		files = append(files, file)
		users = t.users
		if r.Cut {
			without++
		}
		found, left := windowsOf(file, told{r.Run, t})
		for i := range found {
			p := &found[i]
			if taken, ok := labelOf[p.grant]; ok && taken != p.label {
				p.grant = wordOf(t.scenario + " " + p.label)
			}
			labelOf[p.grant] = p.label
		}
		windows, notes = append(windows, found...), append(notes, left...)
	}
	for _, r := range runs {
		if r.Cut && without < len(runs) {
			notes = append(notes, r.Name+": its warm-up was cut off before, and is cut once more.")
		}
	}
	for _, folder := range rowless {
		notes = append(notes, "Left out: "+folder+" has figures and no rows.")
	}
	windows, alone := pair(windows)
	for _, p := range alone {
		notes = append(notes, fmt.Sprintf("Left out: %s (%s, %s) has no partner.", p.name, p.grant, p.mode))
	}
	if len(windows) == 0 {
		return &source.SpecError{Text: "no run with persistence has a partner without: " + cut(strings.Join(notes, " "), 400)}
	}
	return write(w, header{by: "analyze inspect from names of folders", notes: notes, users: users, warmedUp: without == len(runs)}, files, windows)
}

// windowsOf proposes the whole of a run for each of its labels: a silence in it
// is an outage, and cut out it would flatter its mode.
func windowsOf(f File, t told) (windows []proposal, left []string) {
	for _, l := range f.fullest() {
		s, ok := whole(l)
		if !ok || len(s.Successes) < leastStretch {
			left = append(left, fmt.Sprintf("Left out: %q of %s has results for less than %d s.", l.Name, f.Name, leastStretch))
			continue
		}
		for _, silence := range s.Silences {
			if silence.Seconds > newStretch {
				left = append(left, fmt.Sprintf("%s: silent for %d s from %s.", f.Name, silence.Seconds, silence.Start.Format("15:04:05Z")))
			}
		}
		grant, why := grantIn(l.Name, t.scenario)
		if why != "" {
			left = append(left, f.Name+": "+why)
		}
		windows = append(windows, proposal{grant: grant, label: l.Name, mode: t.mode, known: true, files: t.Files, name: f.Name, key: t.key, load: s})
	}
	return windows, left
}

// grantIn names the grant by the label, and where that says nothing by the
// scenario's folder. why says that the two contradict each other: labels in
// test plans have been wrong.
func grantIn(label, scenario string) (grant, why string) {
	byLabel, byFolder := grantOf(label), grantOf(scenario)
	switch {
	case !isGrant(byLabel) && isGrant(byFolder):
		return byFolder, ""
	case isGrant(byLabel) && isGrant(byFolder) && byLabel != byFolder:
		return byFolder, fmt.Sprintf("the label %q says %s, the folder %s; check which it was.", label, byLabel, byFolder)
	case !isGrant(byLabel) && scenario != "":
		return wordOf(scenario + " " + label), ""
	}
	return byLabel, ""
}

func isGrant(name string) bool {
	return slices.Contains([]string{"client_credentials", "password", "refresh_token"}, name)
}

// pair numbers the windows of each grant so that those with the same names, but
// for the words of the mode, form a block; of what is left the first with
// persistence and the first without, and so on. Windows without a partner are
// given back apart, because one of them would undo all pairs of its grant.
func pair(windows []proposal) (paired, alone []proposal) {
	slices.SortStableFunc(windows, func(a, b proposal) int {
		return cmp.Or(cmp.Compare(a.grant, b.grant), a.load.Start.Compare(b.load.Start), cmp.Compare(a.name, b.name))
	})
	for _, guess := range []bool{false, true} {
		for i := range windows {
			a := &windows[i]
			for j := i + 1; a.partner == nil && j < len(windows); j++ {
				b := &windows[j]
				if b.partner == nil && b.grant == a.grant && b.mode != a.mode && b.label == a.label && (guess || a.key == b.key) {
					a.partner, b.partner = b, a
					a.guessed, b.guessed = guess, guess
				}
			}
		}
	}
	blocks := map[string]int{}
	for i := range windows {
		p := &windows[i]
		switch {
		case p.partner == nil:
			alone = append(alone, *p)
			continue
		case p.block == 0:
			blocks[p.grant]++
			p.block, p.partner.block = blocks[p.grant], blocks[p.grant]
		}
		paired = append(paired, *p)
	}
	return paired, alone
}
