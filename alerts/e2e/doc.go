// Package e2e holds the test that drives an alert from end to end: real load
// saturates a real database, a real Prometheus scrapes the exporter and evaluates
// the rules, a real Alertmanager notifies a receiver, and all of it resolves when
// token persistence is switched off. `make test-alerts` runs it.
//
// The rules are those that `go run ./alerts --speedup 60` writes: what waits five
// minutes in production waits five seconds here, where CloudWatch has a datapoint
// each second instead of each minute. So the alert sees as many datapoints as it
// would there. Expressions are the committed ones, and all limits but one, which
// --set lowers for machines that have something else to do.
package e2e
