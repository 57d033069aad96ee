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

	"github.com/google/go-cmp/cmp"
)

// TestImages runs the images' programs as their account on a root file system
// that cannot be written to.
func TestImages(t *testing.T) {
	folder := made(t)
	buildah := filepath.Join(folder, "buildah")
	archive := unpacked(t, folder, runtime.GOARCH)
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

// TestOtherArchitecture runs the programs for the processor that this machine
// does not have, from the archive and from the images, in an emulator of
// Debian's.
func TestOtherArchitecture(t *testing.T) {
	folder := made(t)
	emulator := os.Getenv("TOKEN_PERSISTENCE_QEMU")
	arch, machine, name := "arm64", elf.EM_AARCH64, "qemu-aarch64-static"
	if runtime.GOARCH == "arm64" {
		arch, machine, name = "amd64", elf.EM_X86_64, "qemu-x86_64-static"
	}
	emulator = filepath.Join(emulator, name)
	if _, err := os.Stat(emulator); err != nil {
		t.Skipf("NOT RUN: programs for %s (%v)", arch, err)
	}
	archive := unpacked(t, folder, arch)
	for _, program := range []string{"exporter", "analyze"} {
		file, err := elf.Open(filepath.Join(archive, program))
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		if file.Machine != machine {
			t.Fatalf("%s is for %v, want %v", program, file.Machine, machine)
		}
	}
	version := command(t, 0, emulator, filepath.Join(archive, "exporter"), "--version")
	if !strings.Contains(version, "linux/"+arch) {
		t.Errorf("it says of itself\n%s", version)
	}
	if got := command(t, 0, emulator, filepath.Join(archive, "exporter"), "metrics"); !strings.Contains(got, "wso2_token_table_data_bytes") {
		t.Errorf("its metrics are\n%s", got)
	}
	data := filepath.Join(archive, "docs/case-study/data")
	native := command(t, 10, filepath.Join(unpacked(t, folder, runtime.GOARCH), "analyze"), "compare", filepath.Join(data, "experiment.yaml"))
	if got := command(t, 10, emulator, filepath.Join(archive, "analyze"), "compare", filepath.Join(data, "experiment.yaml")); got != native {
		t.Errorf("the report of %s differs from that of %s:\n%s", arch, runtime.GOARCH, cmp.Diff(native, got))
	}

	buildah := filepath.Join(folder, "buildah")
	const image = "localhost/token-persistence-other"
	if got := strings.TrimSpace(command(t, 0, buildah, "inspect", "--type", "image", "--format", "{{.OCIv1.Architecture}}", image)); got != arch {
		t.Errorf("the image is for %s, want %s", got, arch)
	}
	root := mounted(t, buildah, image, "--arch", arch)
	if sum(t, filepath.Join(root, "analyze")) != sum(t, filepath.Join(archive, "analyze")) {
		t.Error("the image and the archive hold different programs")
	}
	command(t, 0, "cp", emulator, filepath.Join(root, "emulator"))
	if got := command(t, 0, "chroot", "--userspec=65532:65532", root, "/emulator", "/analyze", "--version"); !strings.Contains(got, "linux/"+arch) {
		t.Errorf("the program of the image says of itself\n%s", got)
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
	_, address, password := database(t)
	write(t, filepath.Join(root, "password"), password, 0o444)
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
