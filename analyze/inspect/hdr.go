package inspect

import (
	"math"
	"math/bits"
)

// quantised reads milliseconds as a Java HdrHistogram with two significant
// digits holds them: exactly below 256, in steps of 2 below 512, of 4 below
// 1024 and so on. WSO2's splitter reports from such a histogram.
//
// Source: HdrHistogram 2.1, AbstractHistogram: subBucketCount 256 for two digits.
type quantised struct {
	counts []uint64 // by ms
	total  uint64
}

func newQuantised(counts []uint64) quantised {
	q := quantised{counts: counts}
	for _, n := range counts {
		q.total += n
	}
	return q
}

const subBuckets = 256

// step is the width of the bucket that holds v.
func step(v int) int {
	return 1 << max(0, bits.Len(uint(v))-bits.Len(subBuckets-1))
}

// middle is the value that stands for v in means.
func middle(v int) float64 {
	s := step(v)
	return float64(v/s*s + s/2)
}

// highest is the largest value in the bucket of v.
func highest(v int) int {
	s := step(v)
	return v/s*s + s - 1
}

// mean and deviation (of the population) are those of the buckets' middles.
func (q quantised) mean() float64 {
	sum := 0.0
	for v, n := range q.counts {
		sum += float64(n) * middle(v)
	}
	return sum / float64(q.total)
}

func (q quantised) deviation() float64 {
	mean, squares := q.mean(), 0.0
	for v, n := range q.counts {
		d := middle(v) - mean
		squares += float64(n) * d * d
	}
	return math.Sqrt(squares / float64(q.total))
}

// percentile is the largest value of the bucket that reaches p per cent of the
// results, with one ulp taken off p as version 2.1.10 and later do.
func (q quantised) percentile(p float64) int {
	wanted := max(uint64(math.Ceil(math.Nextafter(p, math.Inf(-1))*float64(q.total)/100)), 1)
	seen := uint64(0)
	for v, n := range q.counts {
		if seen += n; n > 0 && seen >= wanted {
			return highest(v)
		}
	}
	return 0
}
