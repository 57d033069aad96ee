package stats

// Hampel is what ChangePoints does to a series before it looks for changes.
func Hampel(x []float64) []float64 { return hampel(x) }
