// Package queueing answers "what if" for a closed system: a fixed number of
// users, each waiting for an answer before asking again, in front of stations
// with one or more servers. From the time a job needs at every station it gives
// throughput, response time, queue lengths and utilisation, with the bounds
// that need no model at all.
//
// The network is a single-class product-form network: stations are first come
// first served with exponential service times, or processor sharing with any.
// It is solved by Buzen's convolution of normalisation constants, in logarithms.
// Mean value analysis of stations with several servers gets the probability
// of an idle station by subtraction, loses every digit under load, and then
// passes the capacity or turns negative; every term added here is positive.
//
// It refuses demands that are negative, NaN or infinite, stations without a
// server, and networks in which a job takes no time.
//
//	n := queueing.Network{Stations: []queueing.Station{{Demand: 0.0092, Servers: 4}, {Demand: 0.003, Servers: 2}}}
//	s, err := n.Solve(100) // s.Throughput is 434.8 jobs/s
//
// References: Buzen, Computational algorithms for closed queueing networks with
// exponential servers, CACM 16:527 (1973); Reiser and Lavenberg, Mean-value
// analysis of closed multichain queueing networks, JACM 27:313 (1980);
// Lazowska, Zahorjan, Graham and Sevcik, Quantitative System Performance (1984);
// Bolch, Greiner, de Meer and Trivedi, Queueing Networks and Markov Chains, 2nd
// ed. (2006).
package queueing
