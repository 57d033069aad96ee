package collector

// resource is what a statement uses, as an index into a usage.
type resource int

const (
	executions resource = iota
	statementTime
	lockTime
	cpuTime
	rowsExamined
	rowsAffected
	statementErrors
	resourceCount
)

// usage is what statements have used, in performance_schema's units: times are
// in picoseconds.
type usage [resourceCount]uint64

// since returns what was added after before. With fewer executions than before
// the server has begun anew, and all of it was. Processor time alone goes back
// where somebody switches its measurement off.
func (u usage) since(before usage) usage {
	if u[executions] < before[executions] {
		return u
	}
	for i := range u {
		u[i] -= min(u[i], before[i])
	}
	return u
}

func (u *usage) add(o usage) {
	for i := range u {
		u[i] += o[i]
	}
}

// value returns one of the resources in the unit of its metric.
func (u usage) value(r resource) float64 {
	switch r {
	case statementTime, lockTime, cpuTime:
		return float64(u[r]) * picosecond
	default:
		return float64(u[r])
	}
}

// columns are where the summaries of performance_schema keep the resources.
func (r resource) column() string {
	return [resourceCount]string{
		"COUNT_STAR", "SUM_TIMER_WAIT", "SUM_LOCK_TIME", "SUM_CPU_TIME",
		"SUM_ROWS_EXAMINED", "SUM_ROWS_AFFECTED", "SUM_ERRORS",
	}[r]
}
