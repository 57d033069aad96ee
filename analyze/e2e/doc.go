// Package e2e reads the recorded study of docs/case-study back from the stores
// that people have: Prometheus, VictoriaMetrics, Thanos and Cortex, each the real
// program, started for the test and filled with the study's samples. Every one of
// them has to give the report, the windows and the estimate that are published,
// figure by figure. `make test-stores` builds the programs and runs this; what
// cannot be fetched is skipped, and named.
package e2e
