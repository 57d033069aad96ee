package deploy_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDebianVersions holds the versions against each other in dpkg's own order:
// an upgrade must never look like a downgrade.
func TestDebianVersions(t *testing.T) {
	ascending := []struct{ describe, want string }{
		{"debe76d", "0~git202611230942.debe76d"},
		{"debe76d-dirty", "0~git202611230942.debe76d+dirty"},
		{"v0.9.0", "0.9.0"},
		{"v1.0.0-rc1", "1.0.0~rc1"},
		{"v1.0.0-rc1-3-gdebe76d", "1.0.0~rc1+3.gdebe76d"},
		{"v1.0.0-rc2", "1.0.0~rc2"},
		{"v1.0.0", "1.0.0"},
		{"v1.0.0-12-gdebe76d", "1.0.0+12.gdebe76d"},
		{"v1.0.0-12-gdebe76d-dirty", "1.0.0+12.gdebe76d+dirty"},
		{"v1.0.1", "1.0.1"},
	}
	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Log("NOT RUN: their order (there is no dpkg)")
	}
	before := ""
	for _, row := range ascending {
		out, err := exec.CommandContext(t.Context(), filepath.Join("deb", "version.sh"), row.describe, "1795426920").Output()
		if got := strings.TrimSpace(string(out)); err != nil || got != row.want {
			t.Errorf("%s becomes %s (%v), want %s", row.describe, got, err, row.want)
		}
		if dpkg != "" && before != "" {
			if err := exec.CommandContext(t.Context(), dpkg, "--compare-versions", before, "lt", row.want).Run(); err != nil {
				t.Errorf("%s does not sort before %s", before, row.want)
			}
		}
		before = row.want
	}
}
