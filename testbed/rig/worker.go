package rig

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tokenpersistence/toolkit/internal/child"
)

// stopGrace is how long a part may take to end after SIGTERM.
const stopGrace = 10 * time.Second

// worker is a child process that reads JSON values on stdin and answers with
// JSON values on stdout. It ends when its stdin ends, so that even where the
// kernel does not tie it to our life it does not outlive us.
type worker struct {
	name    string
	process *child.Process
	in      io.WriteCloser
	send    *json.Encoder
	out     *os.File
	receive *json.Decoder
	log     *os.File
}

// startWorker starts a program with stderr in logs/NAME.log.
func startWorker(name, logs string, cpus []int, program string, args ...string) (*worker, error) {
	log, err := os.Create(filepath.Join(logs, name+".log"))
	if err != nil {
		return nil, err
	}
	inRead, inWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	outRead, outWrite, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, log.Close(), inRead.Close(), inWrite.Close())
	}
	cmd := exec.Command(program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = inRead, outWrite, log
	process, err := child.Start(cmd, cpus)
	// The child has its own copies of its ends.
	err = errors.Join(err, inRead.Close(), outWrite.Close())
	w := &worker{
		name: name, process: process, in: inWrite, send: json.NewEncoder(inWrite),
		out: outRead, receive: json.NewDecoder(outRead), log: log,
	}
	if err != nil {
		return nil, errors.Join(err, inWrite.Close(), outRead.Close(), log.Close())
	}
	return w, nil
}

// ask sends one value and waits for the answer. The end of the worker ends the
// wait; to give up earlier, stop it.
func (w *worker) ask(question, answer any) error {
	if err := w.send.Encode(question); err != nil {
		return w.failed(fmt.Errorf("ask %s: %w", w.name, err))
	}
	if err := w.receive.Decode(answer); err != nil {
		return w.failed(fmt.Errorf("wait for %s: %w", w.name, err))
	}
	return nil
}

// failed adds what the worker said on stderr.
func (w *worker) failed(err error) error {
	text, readErr := os.ReadFile(w.log.Name())
	if readErr != nil {
		return errors.Join(err, readErr)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if last := strings.Join(lines[max(0, len(lines)-5):], "\n"); last != "" {
		return fmt.Errorf("%w\n%s says: %s", err, w.name, last)
	}
	return err
}

// stop ends the worker.
func (w *worker) stop() error {
	return errors.Join(w.in.Close(), w.process.Stop(stopGrace), w.out.Close(), w.log.Close())
}
