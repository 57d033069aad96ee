package deploy_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

const service = "token-persistence-exporter"

// debian is a Debian of the test's own, with what systemctl needs where no
// systemd runs.
func debian(t *testing.T, folder string) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "debian")
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, 0, "tar", "-xf", filepath.Join(folder, "debian.tar"), "-C", root)
	command(t, 0, "cp", "testdata/systemctl", filepath.Join(root, "usr/local/bin/"))
	mount(t, "-t", "proc", "none", filepath.Join(root, "proc"))
	return root
}

// mount mounts something for the length of a test, below a folder that goes with it.
func mount(t *testing.T, args ...string) {
	t.Helper()
	command(t, 0, "mount", args...)
	t.Cleanup(func() {
		if err := syscall.Unmount(args[len(args)-1], 0); err != nil {
			t.Errorf("umount %s: %v", args[len(args)-1], err)
		}
	})
}

// TestDeb installs both packages into a Debian of their own, lets the unit
// start, reload and stop the exporter, upgrades, removes and purges it.
func TestDeb(t *testing.T) {
	folder := made(t)
	root := debian(t, folder)
	chroot := func(status int, args ...string) string {
		t.Helper()
		return command(t, status, "chroot", append([]string{root}, args...)...)
	}
	exporter := one(t, folder, "one", "dist", "token-persistence-exporter_*_"+runtime.GOARCH+".deb")
	for _, deb := range []string{exporter, one(t, folder, "one", "dist", "token-persistence-analyze_*_"+runtime.GOARCH+".deb")} {
		command(t, 0, "cp", deb, root)
		chroot(0, "dpkg", "-i", "/"+filepath.Base(deb))
	}
	if got := chroot(0, "stat", "-c", "%a %U %G", "/etc/"+service); got != "2750 root "+service+"\n" {
		t.Errorf("the folder of the password is %s", got)
	}
	readBySystemd(t, chroot)

	db, address, password := database(t)
	secret := filepath.Join(root, "etc", service, "password")
	write(t, secret, password, 0o640)
	settings := filepath.Join(root, "etc/default", service)
	text, err := os.ReadFile(settings)
	if err != nil {
		t.Fatal(err)
	}
	listen := freeAddress(t)
	changed := strings.Replace(string(text), "localhost:3306", address+" --web.listen-address="+listen, 1)
	write(t, settings, changed, 0o644)
	chroot(0, "systemctl", "start", service)
	wait(t, listen, true)
	for name, want := range map[string]string{"Uid": chroot(0, "id", "-u", service), "Gid": chroot(0, "id", "-g", service)} {
		status := chroot(0, "sh", "-c", "sed -n 's/^"+name+":\t//p' /proc/$(cat /run/"+service+".pid)/status")
		if want = strings.TrimSpace(want); status != strings.Join([]string{want, want, want, want}, "\t")+"\n" {
			t.Errorf("the service runs with %s %swant %s", name, status, want)
		}
	}

	execute(t, db, "ALTER USER 'exporter'@'127.0.0.1' IDENTIFIED BY 'of-today'")
	endSessions(t, db)
	wait(t, listen, false)
	write(t, secret, "of-today", 0o640)
	before := reloadTime(t, listen)
	chroot(0, "systemctl", "reload", service)
	wait(t, listen, true)
	if reloadTime(t, listen) == before {
		t.Error("systemctl reload has reloaded nothing")
	}
	chroot(0, "systemctl", "stop", service)

	chroot(0, "dpkg", "-i", "--force-confold", "/"+filepath.Base(exporter))
	if text, err := os.ReadFile(settings); err != nil || string(text) != changed {
		t.Errorf("an upgrade has changed the settings (%v)", err)
	}
	report := command(t, 10, "chroot", "--userspec=nobody:nogroup", root, "token-persistence-analyze", "compare",
		"/usr/share/token-persistence-analyze/case-study/data/experiment.yaml")
	if !strings.Contains(report, "PASS client_credentials") {
		t.Errorf("the report says\n%s", report)
	}

	chroot(0, "dpkg", "--remove", service)
	if _, err := os.Stat(settings); err != nil {
		t.Errorf("removing the package has removed its settings: %v", err)
	}
	chroot(0, "dpkg", "--purge", service, "token-persistence-analyze")
	left := chroot(0, "find", "/etc", "/usr", "/lib", "/var/lib/dpkg/info", "-xdev", "-name", "token-persistence*")
	if left != "" {
		t.Errorf("after purging there is still\n%s", left)
	}
}

// readBySystemd lets systemd read the unit: it warns of nothing, and the
// sandbox leaves less open than the limit, on systemd's scale from 0 to 10.
func readBySystemd(t *testing.T, chroot func(int, ...string) string) {
	t.Helper()
	unit := "/lib/systemd/system/" + service + ".service"
	// It ends with 0 for a key that it does not know, too.
	if said := chroot(0, "systemd-analyze", "verify", "--man=no", unit); said != "" {
		t.Errorf("systemd says about the unit\n%s", said)
	}
	said := chroot(0, "systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=20", unit)
	t.Log(strings.TrimSpace(said[strings.LastIndex(strings.TrimSpace(said), "\n")+1:]))
}

// endSessions cuts the exporter's connections: a server asks for the password
// at the beginning of one only.
func endSessions(t *testing.T, db *sql.DB) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT id FROM information_schema.processlist WHERE user = 'exporter'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(ids) == 0 {
		t.Error("the exporter has no connection to cut")
	}
	for _, id := range ids {
		execute(t, db, "KILL "+id)
	}
}

// reloadTime is when the configuration in force was read, as the exporter shows it.
func reloadTime(t *testing.T, address string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^token_persistence_exporter_config_last_reload_success_timestamp_seconds (.*)$`).
		FindStringSubmatch(get(t, "http://"+address+"/metrics"))
	if found == nil {
		t.Fatal("the exporter does not show when it was reloaded")
	}
	return found[1]
}
