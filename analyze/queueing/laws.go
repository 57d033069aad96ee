package queueing

// The operational laws (Denning and Buzen, ACM Computing Surveys 10:225, 1978)
// hold for every system observed long enough, whatever its distributions.

// Utilisation is the share of its servers that a station has busy: throughput in
// jobs per second times demand in seconds, over the servers.
func Utilisation(throughput, demand float64, servers int) float64 {
	return throughput * demand / float64(servers)
}

// Demand is the time of one server that a job needs, in seconds: the utilisation
// law read backwards. The throughput must not be 0.
func Demand(utilisation float64, servers int, throughput float64) float64 {
	return utilisation * float64(servers) / throughput
}

// Little is the mean number of jobs in a system that they enter at a rate
// (jobs per second) and stay in for some time (seconds).
func Little(throughput, response float64) float64 { return throughput * response }

// Response is the mean response time in seconds of a closed system: Little's law
// for jobs that are either in it or thinking. The throughput must not be 0.
func Response(jobs int, throughput, think float64) float64 {
	return float64(jobs)/throughput - think
}
