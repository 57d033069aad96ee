package collector

import (
	"fmt"
	"log/slog"
)

// Secret is a password. It prints as <secret> in every format, log and
// encoding, so that a careless %+v of a struct around it gives nothing away.
type Secret string

const redacted = "<secret>"

// Reveal returns the password itself, for the one call that needs it.
func (s Secret) Reveal() string { return string(s) }

// Format prints <secret> whatever the verb, also for %x and %#v.
func (Secret) Format(f fmt.State, _ rune) {
	_, _ = f.Write([]byte(redacted)) // a fmt.State never fails
}

// String returns <secret>.
func (Secret) String() string { return redacted }

// MarshalText returns <secret>; JSON and YAML encoders use it.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns <secret> for structured logs.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
