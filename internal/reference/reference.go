// Package reference holds the token throughput that WSO2 published for API
// Manager with and without token persistence: both editions of the page, with
// their conditions, and what follows from the numbers by arithmetic. It refuses
// to hold what was not published: the page's CPU and IOPS graphs carry no
// numbers, so there are none here.
//
//	for _, edition := range reference.Editions() {
//		for _, row := range edition.Rows() { … }
//	}
package reference

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed reference.json
var file []byte

// Edition is one published version of the page.
type Edition struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Title      string     `json:"title"`
	Source     string     `json:"source"`
	Date       string     `json:"date"`     // ISO 8601; empty when unknown
	Unit       string     `json:"unit"`     // of every cell
	Decimals   int        `json:"decimals"` // the cells are rounded to this many decimals
	Conditions Conditions `json:"conditions"`
	Notes      []string   `json:"notes"`
	Cells      []Cell     `json:"cells"`
}

// Conditions are those under which an edition was measured. A field is empty or
// 0 where what we hold of the edition does not state it.
type Conditions struct {
	Users         int     `json:"users"`
	Applications  int     `json:"applications"`
	Load          string  `json:"load"` // closed: every user sends its next request when the last is answered
	Java          string  `json:"java"`
	Token         string  `json:"token"`
	OS            string  `json:"os"`
	MySQL         string  `json:"mysql"`
	LoadGenerator Machine `json:"load_generator"`
	APIManager    Machine `json:"apim"`
	Database      Machine `json:"database"`
}

// Machine is a host as the page lists it, which for the database contradicts AWS.
type Machine struct {
	Instance  string `json:"instance"`
	VCPUs     int    `json:"vcpus"`
	MemoryGiB int    `json:"memory_gib"`
}

// Cell is one row of the published table: tokens per second with persistence on
// and off.
type Cell struct {
	Grant string  `json:"grant"`
	On    float64 `json:"on"`
	Off   float64 `json:"off"`
}

// Editions returns the published editions, oldest first. Each call returns its
// own copy. The numbers are part of the program, so a malformed file is a
// programming error and panics; a test reads it.
func Editions() []Edition {
	var document struct {
		Editions []Edition `json:"editions"`
	}
	decoder := json.NewDecoder(bytes.NewReader(file))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&document); err != nil {
		panic(fmt.Sprintf("reference.json is malformed: %v", err))
	}
	return document.Editions
}
