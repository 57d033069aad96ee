package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/internal/nearest"
	"github.com/tokenpersistence/toolkit/testbed/credentials"
	"github.com/tokenpersistence/toolkit/testbed/rig"
	"github.com/tokenpersistence/toolkit/testbed/users"
)

// What one load generator may do to a server. More than a thousand users of one
// process would measure the process.
const (
	mostUsers    = 1000
	mostRate     = 10_000
	longestDrive = 24 * time.Hour
)

// drive is a load for a real API Manager, as the flags say.
type drive struct {
	url, file, grant, scopes, out, ca, jwks string
	users                                   int
	duration                                time.Duration
	rate                                    float64
	insecure                                bool
	seed                                    uint64
}

// driveURL runs testbed users --url.
func driveURL(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	d, err := parseDrive(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return statusDone
	case err != nil:
		fmt.Fprintf(stderr, "testbed users: %v (testbed users --help lists the flags)\n", err)
		return statusUsage
	}
	err = d.run(ctx, stdout, stderr)
	_, usage := errors.AsType[*usageError](err)
	switch {
	case err == nil:
		return statusDone
	case usage:
		fmt.Fprintf(stderr, "testbed users: %v\n", err)
		return statusUsage
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "testbed users: interrupted")
		return statusInterrupted
	default:
		fmt.Fprintf(stderr, "testbed users: %v\n", err)
		return statusFailed
	}
}

// usageError is a fault of a file that a flag names.
type usageError struct{ error }

// parseDrive turns the flags into a drive.
func parseDrive(args []string, stdout io.Writer) (drive, error) {
	var d drive
	flags := flag.NewFlagSet("testbed users", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&d.url, "url", "", "token endpoint, like https://apim.example.com:9443/oauth2/token")
	flags.StringVar(&d.file, "credentials", "", "file with applications, and users for the grants password and refresh_token; never on the command line")
	flags.StringVar(&d.grant, "grant", "client_credentials", strings.Join(rig.Grants(), ", "))
	flags.IntVar(&d.users, "users", 100, fmt.Sprintf("users at once, at most %d", mostUsers))
	flags.DurationVar(&d.duration, "duration", 15*time.Minute, "how long new requests start, at most "+longestDrive.String())
	flags.Float64Var(&d.rate, "rate", 0, fmt.Sprintf("offered tokens per second over all users, at most %d; 0 is a closed loop", mostRate))
	flags.StringVar(&d.scopes, "scopes", "device", "device: a new device_N per request, as published; default: ask for none")
	flags.StringVar(&d.out, "out", "", "result file to create (default GRANT-TIME.jtl)")
	flags.StringVar(&d.ca, "ca", "", "PEM file of the authority that signed the server's certificate")
	flags.BoolVar(&d.insecure, "insecure-skip-verify", false, "accept any certificate; for test networks")
	flags.StringVar(&d.jwks, "jwks", "", "URL of the server's key set, like https://apim.example.com:9443/oauth2/jwks, to check every signature")
	flags.Uint64Var(&d.seed, "seed", randomSeed(), "seed of the device scopes (default random)")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(stdout, driveHelp)
			printFlags(stdout, flags)
			return d, err
		}
		if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
			var names []string
			flags.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
			return d, fmt.Errorf("unknown flag --%s: %s", name, nearest.Hint(name, names))
		}
		return d, err
	}
	if flags.NArg() > 0 {
		return d, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	err := d.check()
	return d, err
}

// check refuses what cannot be meant.
func (d *drive) check() error {
	for name, value := range map[string]string{"url": d.url, "jwks": d.jwks} {
		if value == "" && name == "jwks" {
			continue
		}
		if err := checkURL(name, value); err != nil {
			return err
		}
	}
	switch {
	case d.file == "":
		return errors.New("--credentials is missing: a file with consumer keys and secrets")
	case !slices.Contains(rig.Grants(), d.grant):
		return fmt.Errorf("--grant %q: %s", d.grant, nearest.Hint(d.grant, rig.Grants()))
	case d.scopes != "device" && d.scopes != "default":
		return fmt.Errorf("--scopes %q: valid are device and default", d.scopes)
	case d.users < 1 || d.users > mostUsers:
		return fmt.Errorf("--users %d: from 1 to %d; for more, run several load generators on hosts of their own and give analyze their files as shards", d.users, mostUsers)
	case d.duration <= 0 || d.duration > longestDrive:
		return fmt.Errorf("--duration %s: more than 0 and at most %s", d.duration, longestDrive)
	case !(d.rate >= 0 && d.rate <= mostRate): // NaN is refused too
		return fmt.Errorf("--rate %g: from 0 to %d tokens per second", d.rate, mostRate)
	case d.insecure && d.ca != "":
		return errors.New("--insecure-skip-verify and --ca contradict each other: leave one out")
	}
	d.out = cmp.Or(d.out, d.grant+"-"+time.Now().UTC().Format("20060102T150405Z")+".jtl")
	if _, err := os.Lstat(d.out); err == nil {
		return fmt.Errorf("--out %s exists: a result file is never written over", d.out)
	}
	return nil
}

// checkURL refuses URLs that are none, or that hold what nobody may read.
func checkURL(name, text string) error {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return errors.New("--url is missing: https://HOST:9443/oauth2/token")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("--%s is no URL with http or https and a host", name)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("--%s may not have a user, a query or a fragment: secrets belong into the credentials file", name)
	case strings.Trim(u.Path, "/") == "":
		return fmt.Errorf("--%s has no path: API Manager's token endpoint is /oauth2/token, its key set /oauth2/jwks", name)
	}
	return nil
}

// target is the endpoint, with the keys where --jwks names them.
func (d *drive) target(ctx context.Context) (users.Target, error) {
	t := users.Target{Endpoint: d.url, DefaultScope: d.scopes == "default", TLS: &tls.Config{InsecureSkipVerify: d.insecure}}
	if d.ca != "" {
		text, err := os.ReadFile(d.ca)
		if err != nil {
			return t, &usageError{fmt.Errorf("--ca: %w", err)}
		}
		t.TLS.RootCAs = x509.NewCertPool()
		if !t.TLS.RootCAs.AppendCertsFromPEM(text) {
			return t, &usageError{fmt.Errorf("--ca %s holds no certificate in PEM", d.ca)}
		}
	}
	if d.jwks == "" {
		return t, nil
	}
	var err error
	if t.Keys, err = t.FetchKeys(ctx, d.jwks); err != nil {
		if hint := d.networkHint(err); hint != "" {
			err = fmt.Errorf("%w\n  %s", err, hint)
		}
		return t, fmt.Errorf("--jwks: %w", err)
	}
	return t, nil
}

// credentials reads the file and says what is odd about it.
func (d *drive) credentials(stderr io.Writer) (credentials.Set, error) {
	set, warning, err := credentials.Read(d.file)
	if err != nil {
		return set, &usageError{err}
	}
	if warning != "" {
		fmt.Fprintf(stderr, "warning: %s\n", warning)
	}
	if strings.HasPrefix(d.url, "http:") {
		fmt.Fprintln(stderr, "warning: the URL is http: secrets travel in the clear")
	}
	if d.grant != "client_credentials" && len(set.Users) == 0 {
		return set, &usageError{fmt.Errorf("%s has no users with passwords: --grant %s needs them", d.file, d.grant)}
	}
	if len(set.Applications) > d.users {
		fmt.Fprintf(stderr, "warning: %d users make no use of the last %d applications\n", d.users, len(set.Applications)-d.users)
	}
	return set, nil
}
