// Benchmarks against other programs: a module of its own, so that DuckDB stays
// out of the module that users build.
module github.com/tokenpersistence/toolkit/bench

go 1.26.0

require github.com/tokenpersistence/toolkit v0.0.0

replace github.com/tokenpersistence/toolkit => ../
