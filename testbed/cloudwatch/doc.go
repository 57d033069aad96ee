// Package cloudwatch is a CloudWatch endpoint that reports what real processes
// did: the rig's database process as an AWS/RDS instance and groups of processes
// as AWS/EC2 instances. It speaks the one operation and the one protocol the AWS SDK for Go sends for it (GetMetricData, Smithy RPC v2
// CBOR), with the service's rules: a datapoint stamped T covers [T, T+period),
// appears a settable delay after it is complete, and is absent where nothing was
// measured.
//
// What RDS says about its host is measured on this machine's memory and disk, of
// which the database has no more than its share; see Target.
//
// CPU comes from the kernel's process CPU clock, I/O from /proc/PID/io. The
// process clock counts nanoseconds and keeps the time of threads that have
// exited; utime and stime of /proc/PID/stat come in ticks of 10 ms each, up to
// 2 % of a core at a period of one second, and the per-thread schedstat files
// lose what an exited thread used.
//
// It refuses what it cannot answer truthfully: metric math, percentiles, other
// operations, unsigned requests. Of a signature it checks the time only.
//
//	s, err := cloudwatch.Start(cloudwatch.Config{
//		Period:    time.Second,
//		Databases: []cloudwatch.Target{{ID: "testbed-db", PIDs: []int{pid}}},
//	})
//	cmd.Env = append(cmd.Env, "AWS_ENDPOINT_URL="+s.URL())
package cloudwatch
