package main

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tokenpersistence/toolkit/analyze/queueing"
	"github.com/tokenpersistence/toolkit/analyze/report"
)

// The sentences of real reports are read as they are meant.
func TestNamed(t *testing.T) {
	for _, c := range []struct {
		on, off         queueing.Network
		wantOn, wantOff string
	}{
		{loop(0.2, 0), loop(0.1, 0), "the api manager", "the api manager"},
		{loop(1.5, 0), loop(1.5, 0), "the database", "the database"},
		{loop(0.95, 0), loop(0.95, 0), "the api manager", "the api manager"}, // the other one close
		{loop(1.5, 0), loop(0.2, 0), "the database", "the api manager"},
		{loop(0.2, 10), loop(0.2, 10), "", ""},
		{loop(0.2, 0), loop(0.2, 10), "the api manager", ""},
		{loop(0.2, 10), loop(1.5, 0), "", "the database"},
	} {
		r, err := system{on: c.on, off: c.off, awake: 1}.study(rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			t.Fatal(err)
		}
		if on, off := named(r); on != c.wantOn || off != c.wantOff {
			t.Errorf("%q names %q and %q, want %q and %q", r.Explanation, on, off, c.wantOn, c.wantOff)
		}
	}
	if on, off := named(report.Report{}); on != "" || off != "" {
		t.Errorf("nothing names %q and %q", on, off)
	}
}

// The truth is what a faster host would give: all of it where the users queue
// there, nothing where they are away.
func TestLimit(t *testing.T) {
	for _, c := range []struct {
		n    queueing.Network
		want string
	}{
		{loop(0.2, 0), "the api manager"}, {loop(1.5, 0), "the database"}, {loop(0.2, away(0.5)), ""}, {loop(0.2, away(0.82)), ""},
	} {
		got, err := limit(c.n)
		if err != nil || got != c.want {
			t.Errorf("%+v is limited by %q (%v), want %q", c.n, got, err, c.want)
		}
	}
	for _, busy := range []float64{0.5, 0.82, 0.97} {
		x, err := loop(0.2, away(busy)).Throughput(users)
		if err != nil || math.Abs(x*apimDemand/apimCores-busy) > 1e-9 {
			t.Errorf("%v of API Manager is busy, want %v (%v)", x*apimDemand/apimCores, busy, err)
		}
	}
}
