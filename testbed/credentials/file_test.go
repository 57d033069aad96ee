package credentials_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tokenpersistence/toolkit/testbed/credentials"
)

// canary is the secret of every file here: no error may quote it.
const canary = "canary-7f3a"

func write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRead(t *testing.T) {
	app := func(name string, line int) credentials.Application {
		return credentials.Application{Key: "key-" + name, Secret: "secret-" + name, Line: line}
	}
	user := func(name string, line int) credentials.User {
		return credentials.User{Name: "user-" + name, Password: "password-" + name, Line: line}
	}
	both := func(lines ...int) credentials.Set {
		return credentials.Set{
			Applications: []credentials.Application{app("a", lines[0]), app("b", lines[1])},
			Users:        []credentials.User{user("a", lines[2]), user("b", lines[3])},
		}
	}
	for name, c := range map[string]struct {
		file, text string
		want       credentials.Set
	}{
		"csv": {"c.csv", "consumer_key,consumer_secret,username,password\nkey-a,secret-a,user-a,password-a\nkey-b,secret-b,user-b,password-b\n", both(2, 3, 2, 3)},
		"csv with a mark, other order, CRLF": {"c.CSV", "\ufeffusername,password, consumer_secret ,consumer_key\r\nuser-a,password-a,secret-a,key-a\r\nuser-b,password-b,secret-b,key-b\r\n",
			both(2, 3, 2, 3)},
		"csv, applications and users repeated": {"c.csv", "consumer_key,consumer_secret,username,password\nkey-a,secret-a,user-a,password-a\n\nkey-a,secret-a,user-b,password-b\nkey-b,secret-b,,\n",
			both(2, 5, 2, 4)},
		"csv, quoted": {"c.csv", "consumer_key,consumer_secret\n\"key,1\",\"a\"\"b\"\n",
			credentials.Set{Applications: []credentials.Application{{Key: "key,1", Secret: `a"b`, Line: 2}}}},
		"yaml": {"c.yaml", "applications:\n  - {key: key-a, secret: secret-a}\n  - key: key-b\n    secret: 'secret-b'\nusers:\n  - {name: user-a, password: password-a}\n  - {name: user-b, password: password-b}\n",
			both(2, 3, 6, 7)},
		"yaml, a number stays as it is written": {"c.yml", "applications:\n- {key: 007, secret: 1e3}\n",
			credentials.Set{Applications: []credentials.Application{{Key: "007", Secret: "1e3", Line: 2}}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, warning, err := credentials.Read(write(t, c.file, c.text, 0o600))
			if err != nil || warning != "" {
				t.Fatalf("error %v, warning %q", err, warning)
			}
			if diff := cmp.Diff(c.want.Applications, got.Applications); diff != "" {
				t.Errorf("applications (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.want.Users, got.Users); diff != "" {
				t.Errorf("users (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReadErrors has the secret at the place where the fault is.
func TestReadErrors(t *testing.T) {
	const header = "consumer_key,consumer_secret,username,password\n"
	for name, c := range map[string]struct{ file, text, want string }{
		"other name":           {"c.txt", canary, "has to end in .yaml or .csv"},
		"empty csv":            {"c.csv", "", "the file is empty"},
		"header only":          {"c.csv", header, "no application"},
		"no header":            {"c.csv", canary + "," + canary + "\n", "c.csv:1: the first line has to be consumer_key"},
		"mistyped column":      {"c.csv", "consumer_kee,consumer_secret\n", "c.csv:1: unknown column, did you mean consumer_key?"},
		"missing column":       {"c.csv", "consumer_key,consumer_secret,username\n", "c.csv:1: there is no column password"},
		"column twice":         {"c.csv", "consumer_key,consumer_secret,username,password,password\n", "c.csv:1: a column stands there twice"},
		"short row":            {"c.csv", header + "\n" + canary + "\n", "c.csv:3: the row has another number of columns"},
		"quotes":               {"c.csv", header + "a,\"" + canary + "\"x,b,c\n", "c.csv:2: the quotes do not match"},
		"no secret":            {"c.csv", header + canary + ",,u,p\n", "c.csv:2: an application needs"},
		"user without name":    {"c.csv", header + "a,b,," + canary + "\n", "c.csv:2: a user needs"},
		"two secrets":          {"c.csv", header + canary + ",x,,\n" + canary + ",y,,\n", "c.csv:3: the consumer key stands in line 2 with another secret"},
		"two passwords":        {"c.csv", header + "a,b,u,p\na,b,u," + canary + "\n", "c.csv:3: the user stands in line 2 with another password"},
		"empty yaml":           {"c.yaml", "", "the file is empty"},
		"yaml of a comment":    {"c.yaml", "# " + canary + "\n", "c.yaml"},
		"yaml of a text":       {"c.yaml", canary, "c.yaml:1: this has to be a group"},
		"two documents":        {"c.yaml", "applications: []\n---\nusers: []\n", "one YAML document"},
		"no application":       {"c.yaml", "users: []\n", "no application"},
		"unknown group":        {"c.yaml", "aplications: []\n", "c.yaml:1: unknown key: did you mean applications?"},
		"secret as a key":      {"c.yaml", "applications:\n- {" + canary + "}\n", "c.yaml:2: unknown key: valid are key, secret"},
		"key twice":            {"c.yaml", "applications:\n- {key: a, key: " + canary + "}\n", "c.yaml:2: "},
		"secret missing":       {"c.yaml", "applications:\n- key: " + canary + "\n", "c.yaml:2: there is no secret"},
		"a list as a secret":   {"c.yaml", "applications:\n- {key: a, secret: [" + canary + "]}\n", "c.yaml:2: secret has to be a text"},
		"null as a secret":     {"c.yaml", "applications:\n- {key: " + canary + ", secret: null}\n", "c.yaml:2: secret has to be a text"},
		"a group, not a list":  {"c.yaml", "applications: {key: " + canary + "}\n", "c.yaml:1: this has to be a list"},
		"an alias of nothing":  {"c.yaml", "applications:\n- {key: a, secret: *" + canary + "}\n", "this is not YAML"},
		"a tab":                {"c.yaml", "applications:\n\t- " + canary + "\n", "this is not YAML"},
		"an unfinished string": {"c.yaml", "applications:\n- {key: a, secret: \"" + canary + "}\n", "this is not YAML"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := credentials.Read(write(t, c.file, c.text, 0o600))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want %q in it", err, c.want)
			}
			if strings.Contains(err.Error(), canary) {
				t.Errorf("the error quotes the secret: %v", err)
			}
		})
	}
	if _, _, err := credentials.Read(filepath.Join(t.TempDir(), "none.csv")); err == nil {
		t.Error("a file that does not exist was read")
	}
}

func TestReadableByAll(t *testing.T) {
	const text = "consumer_key,consumer_secret\na,b\n"
	for mode, warned := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true, 0o604: true} {
		_, warning, err := credentials.Read(write(t, "c.csv", text, mode))
		if err != nil {
			t.Fatal(err)
		}
		if warned != strings.Contains(warning, "chmod 600") {
			t.Errorf("mode %04o: warning %q", mode, warning)
		}
	}
}

// FuzzRead holds that nothing panics, that a set that was read is complete, and
// that an error is one line.
func FuzzRead(f *testing.F) {
	f.Add("consumer_key,consumer_secret,username,password\na,b,c,d\n", true)
	f.Add("applications:\n- {key: a, secret: b}\nusers:\n- {name: c, password: d}\n", false)
	f.Add("applications: &a [*a]\n", false)
	f.Fuzz(func(t *testing.T, text string, table bool) {
		name := "c.yaml"
		if table {
			name = "c.csv"
		}
		set, _, err := credentials.Read(write(t, name, text, 0o600))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q", err)
			}
			return
		}
		if len(set.Applications) == 0 {
			t.Error("no application")
		}
		for _, a := range set.Applications {
			if a.Key == "" || a.Secret == "" || a.Line < 1 {
				t.Errorf("application %+v", a)
			}
		}
		for _, u := range set.Users {
			if u.Name == "" || u.Password == "" || u.Line < 1 {
				t.Errorf("user %+v", u)
			}
		}
	})
}
