package credentials

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxFile bounds a file of credentials; ten thousand users fit.
const maxFile = 4 << 20

// Read reads a set from a file: YAML where the name ends in .yaml or .yml, CSV
// where it ends in .csv. It is strict, and its errors name the line and never
// what stands there. The warning is for the user: it is not empty when others
// on this machine can read the file.
func Read(path string) (set Set, warning string, err error) {
	parse, known := map[string]func([]byte) (Set, error){".yaml": parseYAML, ".yml": parseYAML, ".csv": parseCSV}[strings.ToLower(filepath.Ext(path))]
	if !known {
		return Set{}, "", fmt.Errorf("credentials file %s: its name has to end in .yaml or .csv, which says how it is written", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return Set{}, "", fmt.Errorf("credentials file: %w", err)
	}
	defer file.Close() //nolint:errcheck // read only: nothing to lose
	info, err := file.Stat()
	if err != nil {
		return Set{}, "", fmt.Errorf("credentials file: %w", err)
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0 {
		warning = fmt.Sprintf("everybody on this machine can read %s (mode %04o): chmod 600 it", path, info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return Set{}, "", fmt.Errorf("credentials file: %w", err)
	}
	if len(text) > maxFile {
		return Set{}, "", fmt.Errorf("credentials file %s is longer than %d MiB", path, maxFile>>20)
	}
	set, err = parse(text)
	if err != nil {
		if e, ok := errors.AsType[*lineError](err); ok {
			return Set{}, "", fmt.Errorf("%s:%d: %s", path, e.line, e.text)
		}
		return Set{}, "", fmt.Errorf("%s: %w", path, err)
	}
	return set, warning, nil
}

// lineError is a fault of the file. Its text never quotes a value.
type lineError struct {
	line int
	text string
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.line, e.text) }

func atLine(line int, format string, args ...any) error {
	return &lineError{line, fmt.Sprintf(format, args...)}
}

// builder puts a set together and refuses contradictions.
type builder struct {
	set          Set
	applications map[string]int // consumer key: index
	users        map[string]int
}

func newBuilder() *builder {
	return &builder{applications: map[string]int{}, users: map[string]int{}}
}

// application adds an application, once.
func (b *builder) application(line int, key, secret string) error {
	if key == "" || secret == "" {
		return atLine(line, "an application needs a consumer key and a consumer secret")
	}
	if i, known := b.applications[key]; known {
		if first := b.set.Applications[i]; first.Secret != secret {
			return atLine(line, "the consumer key stands in line %d with another secret", first.Line)
		}
		return nil
	}
	b.applications[key] = len(b.set.Applications)
	b.set.Applications = append(b.set.Applications, Application{Key: key, Secret: secret, Line: line})
	return nil
}

// user adds a user, once.
func (b *builder) user(line int, name, password string) error {
	if name == "" || password == "" {
		return atLine(line, "a user needs a name and a password")
	}
	if i, known := b.users[name]; known {
		if first := b.set.Users[i]; first.Password != password {
			return atLine(line, "the user stands in line %d with another password", first.Line)
		}
		return nil
	}
	b.users[name] = len(b.set.Users)
	b.set.Users = append(b.set.Users, User{Name: name, Password: password, Line: line})
	return nil
}

// done returns the set when there is something in it.
func (b *builder) done() (Set, error) {
	if len(b.set.Applications) == 0 {
		return Set{}, errors.New("there is no application in the file")
	}
	return b.set, nil
}
