package reference

import "math"

// Row is a cell with everything that follows from it.
type Row struct {
	Cell
	Ratio    float64 // off / on
	Percent  float64 // change from on to off
	LogRatio float64 // ln(Ratio)
	// RatioLo and RatioHi bound the ratio of the unrounded rates: half a unit of
	// the last published digit either way.
	RatioLo, RatioHi float64
	// ResponseOn and ResponseOff are mean response times in milliseconds by
	// Little's law, R = N/X, assuming that users do not pause between requests.
	ResponseOn, ResponseOff float64
	// CeilingOn and CeilingOff are the most CPU that one token can have cost on
	// the API Manager, in core-milliseconds: its cores over the rate. They are
	// reached when every core was busy.
	CeilingOn, CeilingOff float64
	// Extra is CeilingOff − CeilingOn: what a token costs more without
	// persistence, if the CPU was saturated both times.
	Extra float64
}

// Rows derives every row of the edition from its cells, its users and the API
// Manager's cores.
func (e Edition) Rows() []Row {
	rows := make([]Row, 0, len(e.Cells))
	users, cores := float64(e.Conditions.Users), float64(e.Conditions.APIManager.VCPUs)
	for _, c := range e.Cells {
		row := Row{
			Cell:        c,
			Ratio:       c.Off / c.On,
			LogRatio:    math.Log(c.Off / c.On),
			ResponseOn:  1000 * users / c.On,
			ResponseOff: 1000 * users / c.Off,
			CeilingOn:   1000 * cores / c.On,
			CeilingOff:  1000 * cores / c.Off,
		}
		row.Percent = 100 * (row.Ratio - 1)
		row.RatioLo, row.RatioHi = e.Rounding(c)
		row.Extra = row.CeilingOff - row.CeilingOn
		rows = append(rows, row)
	}
	return rows
}

// Rounding is the interval of the ratio off/on that the published digits allow.
func (e Edition) Rounding(c Cell) (lo, hi float64) {
	half := 0.5 * math.Pow10(-e.Decimals)
	return (c.Off - half) / (c.On + half), (c.Off + half) / (c.On - half)
}
