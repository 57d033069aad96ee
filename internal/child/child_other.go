//go:build !linux

package child

import (
	"errors"
	"os"
	"os/exec"
)

var errNotLinux = errors.New("freezing a process and pinning it to CPUs need Linux")

func attributes(*exec.Cmd) {}

func confine(cpus []int) error {
	if len(cpus) > 0 {
		return errNotLinux
	}
	return nil
}

func killGroup(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}

func freeze(*Process) error { return errNotLinux }
func thaw(*Process) error   { return errNotLinux }

// CPUs lists the CPUs this process may run on; known on Linux only.
func CPUs() ([]int, error) { return nil, errNotLinux }
