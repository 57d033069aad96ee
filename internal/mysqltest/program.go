package mysqltest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ProgramVariable names the environment variable that points to the server
// program when none is configured.
const ProgramVariable = "TOKEN_PERSISTENCE_MYSQLD"

// ErrNoServer is the error of a machine without a server program.
var ErrNoServer = errors.New("no MariaDB or MySQL server program found: install the packages mariadb-server-core and " +
	"mariadb-client-core (Debian, Ubuntu; they start no service), or set " + ProgramVariable + " to the path of mariadbd or mysqld")

// Flavours of a server.
const (
	MariaDB = "mariadb"
	MySQL   = "mysql"
)

// findProgram returns the path of the server program: the configured one, the
// one the environment names, or the first on PATH. Debian keeps servers in
// /usr/sbin, which is not on everybody's PATH.
func findProgram(configured string) (string, error) {
	for _, named := range []struct{ origin, path string }{{"Config.Program", configured}, {ProgramVariable, os.Getenv(ProgramVariable)}} {
		if named.path == "" {
			continue
		}
		path, err := exec.LookPath(named.path)
		if err != nil {
			return "", fmt.Errorf("server program in %s: %w", named.origin, err)
		}
		return filepath.Abs(path)
	}
	for _, name := range []string{"mariadbd", "mysqld"} {
		for _, candidate := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name, "/usr/libexec/" + name} {
			if path, err := exec.LookPath(candidate); err == nil {
				return filepath.Abs(path)
			}
		}
	}
	return "", ErrNoServer
}

// flavour asks the program what it is; version is its own line.
func flavour(ctx context.Context, program string) (flavor, version string, err error) {
	out, err := exec.CommandContext(ctx, program, "--no-defaults", "--version").CombinedOutput()
	if err != nil {
		return "", "", fmt.Errorf("%s --version: %w: %s", program, err, strings.TrimSpace(string(out)))
	}
	if strings.Contains(string(out), "MariaDB") {
		return MariaDB, string(out), nil
	}
	return MySQL, string(out), nil
}

// ProgramFlavor says which kind of server Start starts without a configured program.
func ProgramFlavor(ctx context.Context) (string, error) {
	program, err := findProgram("")
	if err != nil {
		return "", err
	}
	flavor, _, err := flavour(ctx, program)
	return flavor, err
}

// installer returns MariaDB's initialisation script, which lies beside the
// server, in the bin folder beside its folder, or on PATH.
func installer(program string) (string, error) {
	folder := filepath.Dir(program)
	for _, candidate := range []string{
		filepath.Join(folder, "mariadb-install-db"), filepath.Join(folder, "..", "bin", "mariadb-install-db"),
		filepath.Join(folder, "..", "scripts", "mariadb-install-db"), "mariadb-install-db", "mysql_install_db",
	} {
		if path, err := exec.LookPath(candidate); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s has no mariadb-install-db beside it: install the package mariadb-server-core completely", program)
}
