package main

import (
	"fmt"
	"io"

	"github.com/tokenpersistence/toolkit/testbed/rig"
)

// pack makes the small copy of a run.
func pack(args []string, stdout, stderr io.Writer) int {
	if len(args) != 2 {
		fmt.Fprintln(stderr, "testbed pack: want the folder of a run and a new folder for its copy: testbed pack study-results/RUN FOLDER")
		return statusUsage
	}
	packed, err := rig.Pack(args[0], args[1])
	if err != nil {
		fmt.Fprintf(stderr, "testbed pack: %v\n", err)
		return statusFailed
	}
	fmt.Fprintf(stdout, "%d results of %d windows and the recorded series: %.1f MB in %s\nanalyze compare %s/experiment.yaml\n",
		packed.Results, packed.Windows, float64(packed.Bytes)/1e6, args[1], args[1])
	return statusDone
}
