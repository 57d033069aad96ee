//go:build !linux

package rig

import "errors"

var errLinux = errors.New("the rig measures processes through Linux's /proc: run it on Linux, or in a Linux container")

type cpuTime struct{ machine, ours float64 }

func readCPU([]int) (cpuTime, error) { return cpuTime{}, errLinux }

func pinSelf([]int) error { return errLinux }

func processCPU(int) (float64, error) { return 0, errLinux }
