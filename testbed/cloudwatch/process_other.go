//go:build !linux

package cloudwatch

import "errors"

// supported is nil where processes can be measured.
func supported() error {
	return errors.New("measuring processes needs Linux's /proc: run the testbed on Linux")
}

func readProcess(int) (usage, error) { return usage{}, supported() }

func readHost(Target) host { return host{} }

// CheckDisk says why the disk below a folder cannot be measured.
func CheckDisk(string) error { return supported() }
