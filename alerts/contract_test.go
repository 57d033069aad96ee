package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/tokenpersistence/toolkit/internal/markdown"
	"github.com/tokenpersistence/toolkit/internal/promtest"
)

// contract is what expressions may ask for, with the recording rules.
func contract(t *testing.T) *promtest.Contract {
	t.Helper()
	c := promtest.ReadContract(t)
	c.Add(promtest.Recorded(promtest.ReadRules(t, "rules"))...)
	return c
}

// TestExpressionsAskForWhatThereIs holds every expression against the exporter's
// contract: after a metric has been renamed this names the rules that have to follow.
func TestExpressionsAskForWhatThereIs(t *testing.T) {
	c := contract(t)
	for _, r := range promtest.ReadRules(t, "rules") {
		for _, problem := range c.Check(r.Expr) {
			t.Errorf("%s%s: %s", r.Record, r.Alert, problem)
		}
	}
}

// TestRunbooksAskForWhatThereIs does the same for the queries of the pages, one
// in each line of a block.
func TestRunbooksAskForWhatThereIs(t *testing.T) {
	c := contract(t)
	queries := 0
	for file, page := range runbooks(t) {
		for _, block := range markdown.Blocks(page, "promql") {
			for query := range strings.Lines(block) {
				queries++
				for _, problem := range c.Check(strings.TrimSpace(query)) {
					t.Errorf("%s: %s", file, problem)
				}
			}
		}
	}
	if queries < 50 {
		t.Errorf("%d queries: are the blocks found?", queries)
	}
}

// TestCasesUseWhatThereIs keeps cases from testing series that no exporter has.
// Values of labels are the case's business: a partition, a class of failure.
func TestCasesUseWhatThereIs(t *testing.T) {
	c := contract(t)
	for _, file := range []string{"exporter", "database", "tables", "traffic", "storage", "issuance", "days", "bottleneck", "record"} {
		text := read(t, "tests/"+file+".yaml")
		for _, found := range regexp.MustCompile(`series: '(.+?)', values`).FindAllStringSubmatch(text, -1) {
			for _, problem := range c.Check(regexp.MustCompile(`="[^"]*"`).ReplaceAllString(found[1], `=~".+"`)) {
				t.Errorf("%s.yaml: %s", file, problem)
			}
		}
	}
}
