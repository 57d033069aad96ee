// Command testbed runs the published token persistence experiment on one
// machine, against a private database, and has the toolkit's own exporter and
// analysis look at it.
//
//	go run ./testbed demo
//
//	testbed users --url https://apim:9443/oauth2/token --credentials credentials.csv --grant password
//
// The subcommands keymanager, and users without flags, are the processes the demo
// starts; they take their settings as JSON on stdin and end when stdin ends.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/tokenpersistence/toolkit/testbed/keymanager"
	"github.com/tokenpersistence/toolkit/testbed/rig"
	"github.com/tokenpersistence/toolkit/testbed/users"
)

// Exit statuses.
const (
	statusDone        = 0
	statusFailed      = 1
	statusUsage       = 2
	statusInterrupted = 130
)

func main() {
	// The handler stays for good: a second Ctrl-C must not interrupt the
	// cleaning up that the first one asked for.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

const usage = `testbed runs the published token persistence experiment on this machine.

usage: testbed demo [flags]     a few minutes; testbed demo --help lists the flags
       testbed study [flags]    the same with 8 pairs of 70 s: about an hour
       testbed tax [flags]      the database's processor time that persistence
                                costs beside what the exporter says
       testbed users --url URL --credentials FILE [flags]
                                drives a real API Manager the same way
       testbed pack RUN FOLDER  a copy of a run, small enough to be shared, that
                                analyze compare reads with the same result

keymanager, and users without flags, are the processes that demo starts.
`

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return statusUsage
	}
	switch args[0] {
	case "demo":
		return onRig(ctx, "demo", demoOptions(), args[1:], stdout, stderr, rig.Demo)
	case "study":
		return onRig(ctx, "study", studyOptions(), args[1:], stdout, stderr, rig.Demo)
	case "tax":
		return onRig(ctx, "tax", demoOptions(), args[1:], stdout, stderr, rig.Tax)
	case "pack":
		return pack(args[1:], stdout, stderr)
	case "keymanager":
		return status(ctx, stderr, serveKeyManager(ctx, stdin, stdout))
	case "users":
		if len(args) > 1 {
			return driveURL(ctx, args[1:], stdout, stderr)
		}
		if file, ok := stdin.(*os.File); ok && isTerminal(file) {
			fmt.Fprint(stderr, "testbed users: --url and --credentials are missing (testbed users --help lists the flags)\n")
			return statusUsage
		}
		return status(ctx, stderr, users.Serve(ctx, stdin, stdout))
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return statusDone
	default:
		fmt.Fprintf(stderr, "testbed: unknown command %q: want demo, study, tax, users or pack\n%s", args[0], usage)
		return statusUsage
	}
}

// status prints an error and turns it into the exit status.
func status(ctx context.Context, stderr io.Writer, err error) int {
	switch {
	case err == nil:
		return statusDone
	case ctx.Err() != nil && !errors.Is(err, rig.ErrLeft):
		fmt.Fprintln(stderr, "testbed: interrupted; everything it started has ended")
		return statusInterrupted
	case errors.Is(err, rig.ErrOptions):
		fmt.Fprintf(stderr, "testbed: %v\n", err)
		return statusUsage
	default:
		fmt.Fprintf(stderr, "testbed: %v\n", err)
		return statusFailed
	}
}

// serveKeyManager is the key manager process.
func serveKeyManager(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	var config keymanager.Config
	in := json.NewDecoder(stdin)
	if err := in.Decode(&config); err != nil {
		return fmt.Errorf("keymanager: read the settings: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, stdin) // any end of stdin is the end of whoever started us
		cancel()
	}()
	var answered error
	err := keymanager.Serve(ctx, config, func(url string) { answered = json.NewEncoder(stdout).Encode(rig.Ready{URL: url}) })
	return errors.Join(err, answered)
}
