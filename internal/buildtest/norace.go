//go:build !race

package buildtest

const raceFlag = "-race=false"
