// Package child runs programs that must not outlive the one that started them.
//
// A child has a process group of its own, so that a Ctrl-C in the terminal
// reaches the parent alone and the parent decides the order in which things
// end. On Linux the kernel kills the child when the parent dies, however it
// dies, and the child can be confined to a set of CPUs from its first
// instruction on. Elsewhere children run without these two guarantees.
//
//	p, err := child.Start(exec.Command("mariadbd", args...), nil)
//	defer p.Stop(10 * time.Second)
package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Process is a started child. Its methods may be called from any goroutine.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // set before done is closed
}

// Start starts cmd confined to cpus; nil leaves the parent's CPUs. It fails on
// systems other than Linux when cpus are given.
func Start(cmd *exec.Cmd, cpus []int) (*Process, error) {
	p := &Process{cmd: cmd, done: make(chan struct{})}
	attributes(cmd)
	started := make(chan error)
	go func() {
		// The kernel ties the parent-death signal and the affinity that a child
		// inherits to the thread that forks. This goroutine therefore keeps one
		// thread for itself as long as the child lives; never unlocked, the
		// thread ends with the goroutine and takes its affinity along.
		runtime.LockOSThread()
		err := confine(cpus)
		if err == nil {
			err = cmd.Start()
		}
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// PID is the process id, which is also the id of the child's process group.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended and has been waited for.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err waits for the end of the child and returns how it ended: nil after exit
// status 0, else what exec.Cmd.Wait says.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// Signal sends sig to the child alone; a child that has ended is no error.
func (p *Process) Signal(sig syscall.Signal) error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := p.cmd.Process.Signal(sig); err != nil && !finished(err) {
		return fmt.Errorf("signal %s (%d): %w", p.cmd.Path, p.PID(), err)
	}
	return nil
}

// Stop asks the child to end with SIGTERM, kills its process group when it has
// not done so within grace, and waits for it.
func (p *Process) Stop(grace time.Duration) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case <-p.done:
		return nil
	case <-late.C:
		return p.Kill()
	}
}

// Kill kills the child's process group and waits for the child.
func (p *Process) Kill() error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := killGroup(p.PID()); err != nil && !finished(err) {
		return fmt.Errorf("kill %s (%d): %w", p.cmd.Path, p.PID(), err)
	}
	<-p.done
	return nil
}

// finished reports whether err says that there is nothing left to signal.
func finished(err error) bool {
	return errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH)
}

// Freeze stops every thread of the child until Thaw; it needs Linux.
func (p *Process) Freeze() error { return freeze(p) }

// Thaw continues a frozen child.
func (p *Process) Thaw() error { return thaw(p) }
