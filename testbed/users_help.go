package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

const driveHelp = `usage: testbed users --url URL --credentials FILE [flags]

Drives the token endpoint of a real API Manager as the published experiment
does: users over applications, one grant, a new device scope per request, no
think time. Writes a JMeter result file for analyze. The credentials file is CSV
(consumer_key,consumer_secret,username,password) or YAML; what is in it and how
to run an experiment: docs/real-api-manager.md.

`

// printFlags lists the flags in 80 columns.
func printFlags(out io.Writer, flags *flag.FlagSet) {
	flags.VisitAll(func(f *flag.Flag) {
		kind, text := flag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.Name != "seed" {
			text += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(out, "  %s\n", strings.TrimSpace("--"+f.Name+" "+kind))
		line := "       "
		for _, word := range strings.Fields(text) {
			if len(line)+1+len(word) > 79 {
				fmt.Fprintln(out, line)
				line = "       "
			}
			line += " " + word
		}
		fmt.Fprintln(out, line)
	})
}
