package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReleaseRefuses: nothing is built when what a release is signed with, or
// who answers for it, is missing.
func TestReleaseRefuses(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	write(t, key, "not read", 0o600)
	for _, test := range []struct{ key, maintainer, want string }{
		{key + ".old", "Name <name@example.com>", "SIGN_KEY=" + key + ".old cannot be read"},
		{key, "", "MAINTAINER is not set"},
	} {
		dist := filepath.Join(t.TempDir(), "dist")
		cmd := exec.CommandContext(t.Context(), "./release.sh", dist)
		cmd.Env = append(os.Environ(), "SIGN_KEY="+test.key, "MAINTAINER="+test.maintainer)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), test.want) {
			t.Errorf("it ends with %v and says %q, want status 2 and %q", err, out, test.want)
		}
		if _, err := os.Stat(dist); err == nil {
			t.Error("there is a folder for the release")
		}
	}
}
