package inspect

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tokenpersistence/toolkit/analyze/source"
)

// Run is one run of a load test: what its result files lie under.
type Run struct {
	Name  string   // its folder, or its file where a folder holds several runs
	Files []string // result files that are one run together, in the order of time
	Cut   bool     // the warm-up was cut off before, and is not in the files
}

// Names that WSO2's performance-test scripts give to what they leave in the
// folder of a run. The splitter divides results.jtl into a warm-up and a
// measurement; newer scripts then move all of them into jtls.zip.
//
// Source: wso2/performance-common, perf-test-common.sh and JTLSplitter.
const (
	wholeFile    = "results.jtl"
	warmupFile   = "results-warmup.jtl"
	measuredFile = "results-measurement.jtl"
	zippedFiles  = "jtls.zip"
	summaryFile  = "results-measurement-summary.json"
)

// resultEndings are those of result files, compressed or not.
var resultEndings = []string{".jtl", ".jtl.gz", ".jtl.zst"}

// FindRuns lists the runs below folders, in the order of their names; a path
// that is no folder is a run by itself. rowless are folders that hold figures of
// a run and none of its rows. Links to folders are not followed, except for the
// paths themselves.
func FindRuns(paths []string) (runs []Run, rowless []string, err error) {
	for _, path := range paths {
		if !isFolder(path) {
			runs = append(runs, Run{Name: path, Files: []string{path}})
			continue
		}
		// The separator makes a link count as the folder that it leads to.
		err := filepath.WalkDir(path+string(filepath.Separator), func(at string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return err
			}
			at = filepath.Clean(at)
			found, summary, err := runsIn(at)
			runs = append(runs, found...)
			if summary && len(found) == 0 {
				rowless = append(rowless, at)
			}
			return err
		})
		if err != nil {
			return nil, nil, fmt.Errorf("look for result files: %w", err)
		}
	}
	if len(runs) == 0 {
		return nil, nil, nothingFound(paths, rowless)
	}
	return runs, rowless, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func nothingFound(paths, rowless []string) error {
	text := "no result file in " + strings.Join(paths, ", ") + ": looked for files ending in " + strings.Join(resultEndings, ", ") + " and for " + zippedFiles
	if len(rowless) > 0 {
		text += fmt.Sprintf("; %s only the figures of the splitter, as in %s, and a comparison needs the rows: they are in results.zip, not in results-without-jtls.zip",
			plural(len(rowless), "folder has", "folders have"), rowless[0])
	}
	return &source.SpecError{Text: text}
}

// runsIn lists the runs whose files lie in a folder itself, and whether the
// splitter's figures lie there.
func runsIn(folder string) (runs []Run, summary bool, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, false, err
	}
	known := map[string]string{} // WSO2's names, without a compression's ending
	var others []string
	for _, entry := range entries {
		name := entry.Name()
		summary = summary || name == summaryFile
		base := strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
		switch {
		case entry.IsDir():
		case slices.Contains([]string{wholeFile, warmupFile, measuredFile, zippedFiles}, base):
			known[base] = filepath.Join(folder, name)
		case slices.ContainsFunc(resultEndings, func(ending string) bool { return strings.HasSuffix(name, ending) }):
			others = append(others, filepath.Join(folder, name))
		}
	}
	// What is read is the run as a whole, wherever it is there: results that
	// began in the warm-up and ended after it are in neither of its parts alone.
	switch {
	case known[wholeFile] != "":
		runs = append(runs, Run{Name: folder, Files: []string{known[wholeFile]}})
	case known[zippedFiles] != "":
		runs = append(runs, Run{Name: folder, Files: []string{known[zippedFiles]}})
	case known[warmupFile] != "" && known[measuredFile] != "":
		runs = append(runs, Run{Name: folder, Files: []string{known[warmupFile], known[measuredFile]}})
	case known[measuredFile] != "":
		runs = append(runs, Run{Name: folder, Files: []string{known[measuredFile]}, Cut: true})
	case known[warmupFile] != "":
		summary = true // a warm-up is no run
	}
	for _, other := range others {
		runs = append(runs, Run{Name: other, Files: []string{other}})
	}
	return runs, summary, nil
}
