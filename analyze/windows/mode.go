package windows

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

const (
	// With persistence every token is a row, without none is. What lies between
	// is neither: nodes of both modes, tokens handed out again, or a switch.
	leastOn = 0.8
	mostOff = 0.05
	// mostOffSlow allows for what a counter that is read late still has of before.
	mostOffSlow = 0.15
	// noRows per token are none at all.
	noRows = 0.001
	// oneGrant of the rows makes a window one of that grant.
	oneGrant = 0.95
	// fewest tokens, or rows, from which a ratio is formed.
	fewest = 5
)

// mixed is a stretch that has something of both modes.
const mixed source.Mode = "mixed"

// modeOf tells the mode of a stretch, in words why, and the rows put into the
// token table per token where they are counted. "" means that it cannot be told.
func (e evidence) modeOf(from, to time.Time, tokens float64) (mode source.Mode, why string, rows *float64) {
	mode, why, rows = e.stored(from, to, tokens)
	log := e.logged(from, to)
	switch {
	case log == "" || mode == mixed:
		return mode, why, rows
	case mode == "":
		return log, fmt.Sprintf("API Manager's log says %s (%s)", log, why), rows
	case mode != log:
		return "", fmt.Sprintf("%s, but API Manager's log says %s", why, log), rows
	}
	return mode, fmt.Sprintf("%s; API Manager's log says %s", why, log), rows
}

// stored tells the mode by what the database saw: the rows that were put into
// the token table, else the statements that do, else the rows that were found.
func (e evidence) stored(from, to time.Time, tokens float64) (source.Mode, string, *float64) {
	for _, by := range []struct{ name, what string }{
		{TokenInserts, "rows inserted per token"}, {insertStatements, "INSERT statements per token"},
	} {
		ratio, known := e.per(by.name, from, to, tokens)
		if !known {
			continue
		}
		mode, text := modeBy(ratio, e.slow(by.name)), fmt.Sprintf("%.2f %s", ratio, by.what)
		again, looked := e.per(latestStatements, from, to, tokens)
		if mode == source.Off && looked && again >= leastOn {
			return "", fmt.Sprintf("%s, yet %.2f look-ups of a stored token: persistence is off, or it is on and tokens were handed out again", text, again), &ratio
		}
		return mode, text, &ratio
	}
	_, sum, known := e.rows(from, to)
	ratio := sum / tokens
	text := fmt.Sprintf("%.2f rows found per token", ratio)
	switch {
	case !known || tokens < fewest:
		return "", "nothing that counts rows or statements was recorded", nil
	case ratio >= leastOn:
		return source.On, text, nil
	case ratio <= noRows:
		return source.Off, text, nil
	}
	// A refresh removes the row before it, often before anybody has seen it.
	return "", text + ": too few for tokens that stay, too many for none", nil
}

func modeBy(perToken float64, slow bool) source.Mode {
	most := mostOff
	if slow {
		most = mostOffSlow
	}
	switch {
	case perToken >= leastOn:
		return source.On
	case perToken <= most:
		return source.Off
	}
	return mixed
}

// grantOf tells the grant of a stretch and why, "" where it cannot be told.
func (e evidence) grantOf(mode source.Mode, from, to time.Time, tokens float64) (grant, why string) {
	for _, name := range []string{invalidInserts, invalidStatements} {
		if ratio, known := e.per(name, from, to, tokens); known && mode == source.Off && ratio >= leastOn {
			return refresh, fmt.Sprintf("%.2f refresh tokens voided per token", ratio)
		}
	}
	if mode == source.Off {
		return "", "without persistence only a refresh leaves a trace of its grant"
	}
	byGrant, sum, known := e.rows(from, to)
	if known && sum >= fewest {
		most := slices.MaxFunc(grants, func(a, b string) int { return cmp.Compare(byGrant[a], byGrant[b]) })
		if share := byGrant[most] / sum; share >= oneGrant {
			return most, fmt.Sprintf("%.1f %% of the rows", 100*share)
		}
		return "", "the rows are of several grants: " + shares(byGrant, sum)
	}
	if ratio, known := e.per(refreshStatements, from, to, tokens); known && ratio >= leastOn {
		return refresh, fmt.Sprintf("%.2f look-ups by refresh token per token", ratio)
	}
	return "", "no rows were seen that would tell the grant"
}

// shares lists the grants of rows, the most frequent first.
func shares(byGrant map[string]float64, sum float64) string {
	sorted := slices.Clone(grants)
	slices.SortStableFunc(sorted, func(a, b string) int { return cmp.Compare(byGrant[b], byGrant[a]) })
	text := ""
	for i, g := range sorted {
		if byGrant[g] == 0 || i == 3 {
			break
		}
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s %.0f %%", g, 100*byGrant[g]/sum)
	}
	return text
}
