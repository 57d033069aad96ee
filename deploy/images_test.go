package deploy_test

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestImages runs the images' programs as their account on a root file system
// that cannot be written to.
func TestImages(t *testing.T) {
	folder := made(t)
	buildah := filepath.Join(folder, "buildah")
	archive := t.TempDir()
	command(t, 0, "tar", "-xzf", one(t, folder, "one", "dist", "*_linux_*.tar.gz"), "-C", archive, "--strip-components=1")
	for _, program := range []string{"exporter", "analyze"} {
		t.Run(program, func(t *testing.T) {
			image := "localhost/token-persistence-" + program
			root := mounted(t, buildah, image)
			config := command(t, 0, buildah, "inspect", "--type", "image", "--format",
				`{{with .OCIv1.Config}}{{.User}} {{.Entrypoint}} {{index .Labels "org.opencontainers.image.title"}} {{index .Labels "org.opencontainers.image.licenses"}}{{end}} {{.Docker.Config.Healthcheck}}`, image)
			if want := "65532:65532 [/" + program + "] token-persistence-" + program + " Apache-2.0 <nil>"; strings.TrimSpace(config) != want {
				t.Errorf("configuration %q, want %q", config, want)
			}
			if got := size(t, root); got > 45e6 {
				t.Errorf("the image holds %d bytes, want at most 45 MB", got)
			} else {
				t.Logf("the image holds %.1f MB", float64(got)/1e6)
			}
			if sum(t, filepath.Join(root, program)) != sum(t, filepath.Join(archive, program)) {
				t.Error("the image and the archive hold different programs")
			}
			for _, name := range []string{"LICENSE", "licenses.txt", program + ".cdx.json"} {
				if _, err := os.Stat(filepath.Join(root, name)); err != nil {
					t.Error(err)
				}
			}
			if program == "exporter" {
				runExporter(t, root)
				return
			}
			data := filepath.Join(root, "data")
			command(t, 0, "cp", "-r", filepath.Join(archive, "docs/case-study/data"), data)
			report := command(t, 10, "unshare", readOnly(root, "/analyze", "compare", "/data/experiment.yaml")...)
			if !strings.Contains(report, "PASS client_credentials") {
				t.Errorf("the report says\n%s", report)
			}
		})
	}
}

// TestOtherArchitecture looks at an image that this machine cannot run.
func TestOtherArchitecture(t *testing.T) {
	buildah := filepath.Join(made(t), "buildah")
	arch, machine := "arm64", elf.EM_AARCH64
	if runtime.GOARCH == "arm64" {
		arch, machine = "amd64", elf.EM_X86_64
	}
	const image = "localhost/token-persistence-other"
	if got := strings.TrimSpace(command(t, 0, buildah, "inspect", "--type", "image", "--format", "{{.OCIv1.Architecture}}", image)); got != arch {
		t.Errorf("the image is for %s, want %s", got, arch)
	}
	file, err := elf.Open(filepath.Join(mounted(t, buildah, image, "--arch", arch), "analyze"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if file.Machine != machine {
		t.Errorf("the program is for %v, want %v", file.Machine, machine)
	}
}

// mounted is the root of a container of the image; both go with the test.
func mounted(t *testing.T, buildah, image string, flags ...string) string {
	t.Helper()
	container := strings.TrimSpace(command(t, 0, buildah, append(append([]string{"from", "--pull-never"}, flags...), image)...))
	t.Cleanup(func() {
		if out, err := exec.CommandContext(context.WithoutCancel(t.Context()), buildah, "rm", container).CombinedOutput(); err != nil {
			t.Errorf("remove the container: %v\n%s", err, out)
		}
	})
	return strings.TrimSpace(command(t, 0, buildah, "mount", container))
}

func runExporter(t *testing.T, root string) {
	t.Helper()
	address, password := database(t)
	if err := os.WriteFile(filepath.Join(root, "password"), []byte(password), 0o444); err != nil {
		t.Fatal(err)
	}
	listen := freeAddress(t)
	scraped(t, listen, "unshare", readOnly(root, "/exporter", "--web.listen-address="+listen, "--mysqld.address="+address,
		"--mysqld.username=exporter", "--mysqld.database=apimdb", "--mysqld.password-file=/password")...)
}

// readOnly are the arguments of unshare with which a program runs as the
// images' account below root, which nobody can write to. Only analyze has a
// /tmp, where it opens Prometheus' blocks.
func readOnly(root string, args ...string) []string {
	script := `mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && ! touch "$0/tmp/written" 2>/dev/null || exit 99
		[ "$1" != /analyze ] || mount -t tmpfs none "$0/tmp" || exit 99
		exec chroot --userspec=65532:65532 "$0" "$@"`
	return append([]string{"--mount", "sh", "-c", script, root}, args...)
}

func size(t *testing.T, root string) (bytes int64) {
	t.Helper()
	err := filepath.Walk(root, func(_ string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

func sum(t *testing.T, path string) [sha256.Size]byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(text)
}
