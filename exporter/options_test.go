package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// clientFile is an option file as people have it.
const clientFile = `# for the monitoring account
[mysqldump]
user = backup
password = wrong

[client]
user=exporter
password = "p#ss \"quoted\" \\ word" # after a quoted value
host = db.example
port=3307
no-auto-rehash
`

func TestDatabase(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		writeFile(t, path, text)
		return path
	}
	cnf := file("my.cnf", clientFile)
	socket := file("socket.cnf", "[client]\nuser=e\nsocket=/run/mysqld/mysqld.sock\npassword='it''s'\n")
	password := file("password", "from-file\n")
	for _, tc := range []struct {
		name, env                           string
		args                                []string
		network, address, user, pass, fails string
	}{
		{name: "none"},
		{
			name: "flags", args: []string{"--mysqld.address=db:3306", "--mysqld.username=u"}, env: "from-env",
			network: "tcp", address: "db:3306", user: "u", pass: "from-env",
		},
		{
			name: "unix", args: []string{"--mysqld.address=unix:/s.sock", "--mysqld.username=u"},
			network: "unix", address: "/s.sock", user: "u",
		},
		{
			name: "my.cnf", args: []string{"--config.my-cnf=" + cnf},
			network: "tcp", address: "db.example:3307", user: "exporter", pass: `p#ss "quoted" \ word`,
		},
		{
			name: "flags before my.cnf", args: []string{"--config.my-cnf=" + cnf, "--mysqld.address=[::1]:3306", "--mysqld.username=u"}, env: "from-env",
			network: "tcp", address: "[::1]:3306", user: "u", pass: "from-env",
		},
		{
			name: "socket in my.cnf", args: []string{"--config.my-cnf=" + socket, "--mysqld.password-file=" + password}, env: "from-env",
			network: "unix", address: "/run/mysqld/mysqld.sock", user: "e", pass: "from-file",
		},
		{name: "no user", args: []string{"--mysqld.address=db:3306"}, fails: "--mysqld.username"},
		{name: "no port", args: []string{"--mysqld.address=db", "--mysqld.username=u"}, fails: "--mysqld.address"},
		{name: "dsn", args: []string{"--mysqld.address=u:" + canary + "@tcp(db:3306)/", "--mysqld.username=u"}, fails: "--mysqld.address"},
		{name: "empty file", args: []string{"--mysqld.address=db:1", "--mysqld.username=u", "--mysqld.password-file=" + file("empty", "\n")}, fails: "is empty"},
		{name: "stray option", args: []string{"--config.my-cnf=" + file("stray", "user=x\n")}, fails: "stray:1: option outside"},
		{name: "open group", args: []string{"--config.my-cnf=" + file("open", "\n[client\n")}, fails: "open:2: group without"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv(passwordVariable, tc.env)
			if tc.env == "" {
				if err := os.Unsetenv(passwordVariable); err != nil {
					t.Fatal(err)
				}
			}
			o, err := parse(tc.args, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			d, given, err := o.target.database()
			if tc.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tc.fails) || strings.Contains(err.Error(), canary) {
					t.Errorf("got %v, want an error with %q and without secrets", err, tc.fails)
				}
				return
			}
			if err != nil || given != (tc.address != "") {
				t.Fatalf("given %v, %v", given, err)
			}
			got := []string{d.Network, d.Address, d.User, d.Password.Reveal()}
			if diff := cmp.Diff([]string{tc.network, tc.address, tc.user, tc.pass}, got); diff != "" {
				t.Error(diff)
			}
			if shown := fmt.Sprintf("%v %+v %#v %s", d, d, d, d.Password); tc.pass != "" && strings.Contains(shown, tc.pass) {
				t.Errorf("the password shows in %s", shown)
			}
		})
	}
}
