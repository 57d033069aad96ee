package users

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/tokenpersistence/toolkit/testbed/credentials"
)

// Setup is the first line a load-generator process reads.
type Setup struct {
	Credentials credentials.Set `json:"credentials"`
	Users       int             `json:"users"`
	Seed        uint64          `json:"seed"`
}

// Command is each further line: a burst, or the preparation for one.
type Command struct {
	Prepare bool  `json:"prepare"`
	Burst   Burst `json:"burst"`
}

// Result answers a command.
type Result struct {
	Tally Tally  `json:"tally"`
	Error string `json:"error"`
}

// Serve reads a Setup and then Commands from in, one JSON value after another,
// and answers each Command with a Result on out. It returns nil when in ends.
// When in or ctx ends in the middle of a burst, the burst is given up.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	lines := json.NewDecoder(in)
	var setup Setup
	if err := lines.Decode(&setup); err != nil {
		return fmt.Errorf("users: read the set-up: %w", err)
	}
	if setup.Users < 1 || len(setup.Credentials.Applications) == 0 || len(setup.Credentials.Users) == 0 {
		return errors.New("users: the set-up needs users, applications and credentials")
	}
	population := New(setup.Credentials, setup.Users, setup.Seed)
	defer population.Close()

	ctx, cancel := context.WithCancelCause(ctx)
	commands := make(chan Command)
	go func() {
		defer close(commands)
		for {
			var c Command
			if err := lines.Decode(&c); err != nil {
				cancel(err)
				return
			}
			select {
			case commands <- c:
			case <-ctx.Done():
				return
			}
		}
	}()
	answers := json.NewEncoder(out)
	for {
		select {
		case <-ctx.Done():
		case c, open := <-commands:
			if open {
				if err := answers.Encode(population.serve(ctx, c)); err != nil {
					cancel(fmt.Errorf("users: answer: %w", err))
				}
				continue
			}
			<-ctx.Done()
		}
		if cause := context.Cause(ctx); !errors.Is(cause, io.EOF) && !errors.Is(cause, context.Canceled) {
			return cause
		}
		return nil
	}
}

func (p *Population) serve(ctx context.Context, c Command) Result {
	do := p.Load
	if c.Prepare {
		do = p.Prepare
	}
	tally, err := do(ctx, c.Burst)
	if err != nil {
		return Result{Tally: tally, Error: err.Error()}
	}
	return Result{Tally: tally}
}
