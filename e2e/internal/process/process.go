// Package process starts and stops the programs of a test run: each in a process
// group of its own, its output in a file, and none of them outlives the test.
//
// It must not know what the programs are for.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/buildpool/buildpool/e2e/internal/wait"
)

// Spec is what to run.
type Spec struct {
	// Name of the program in messages and of its log file, NAME.log.
	Name string
	Path string
	Args []string
	// Env is added to the test's own environment.
	Env []string
	// LogDir receives the log file. An earlier log of that name is appended to.
	LogDir string
}

// Process is a running or ended program.
type Process struct {
	spec Spec
	cmd  *exec.Cmd
	done chan struct{} // closed when the program has been reaped
	err  error         // its exit status; set before done is closed
}

// Start runs the program. It is killed with its whole group by Stop or Kill, and
// by the kernel when the test itself dies, however it dies (Linux only).
func Start(spec Spec) (*Process, error) {
	log, err := os.OpenFile(filepath.Join(spec.LogDir, spec.Name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", spec.Name, err)
	}
	defer log.Close() // the child has its own descriptor
	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Env = append(os.Environ(), spec.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = ownGroup()
	if err := onLastingThread(cmd.Start); err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	p := &Process{spec: spec, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := p.note(); err != nil {
		p.Kill()
		return nil, err
	}
	return p, nil
}

// note appends the process ID and the command line to processes.txt beside the logs.
func (p *Process) note() error {
	file, err := os.OpenFile(filepath.Join(p.spec.LogDir, "processes.txt"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("note %s: %w", p.spec.Name, err)
	}
	_, err = fmt.Fprintf(file, "%d %s: %s\n", p.PID(), p.spec.Name, strings.Join(p.cmd.Args, " "))
	return errors.Join(err, file.Close())
}

// lastingThread is an OS thread that lives as long as the test: the kernel sends
// a child its parent-death signal when the thread that started it ends, not the
// process, and Go ends threads as it likes.
var lastingThread = sync.OnceValue(func() chan<- func() {
	jobs := make(chan func())
	go func() {
		runtime.LockOSThread()
		for job := range jobs {
			job()
		}
	}()
	return jobs
})

func onLastingThread(start func() error) error {
	result := make(chan error)
	lastingThread() <- func() { result <- start() }
	return <-result
}

// Name is the name it was started under.
func (p *Process) Name() string { return p.spec.Name }

// PID is the program's process ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Running reports whether the program has not ended yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Stop asks the group to end and kills it when grace is over. It returns when the
// program has been reaped; on a program that has ended it does nothing.
func (p *Process) Stop(grace time.Duration) {
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(grace):
	}
	p.Kill()
}

// Kill ends the whole group at once, as kill -9 does, and returns when the
// program has been reaped.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// signal reaches a group only while its leader has not been reaped: afterwards
// the number may be somebody else's.
func (p *Process) signal(sig syscall.Signal) {
	if p.Running() {
		_ = syscall.Kill(-p.PID(), sig) // it may end by itself in this moment
	}
}

// Log returns everything the program has printed so far.
func (p *Process) Log() (string, error) {
	data, err := os.ReadFile(p.LogPath())
	if err != nil {
		return "", fmt.Errorf("read log of %s: %w", p.spec.Name, err)
	}
	return string(data), nil
}

// LogPath is the file that holds the program's output.
func (p *Process) LogPath() string { return filepath.Join(p.spec.LogDir, p.spec.Name+".log") }

// LogLines returns the lines of the log that match the pattern.
func (p *Process) LogLines(pattern *regexp.Regexp) ([]string, error) {
	log, err := p.Log()
	if err != nil {
		return nil, err
	}
	return matchingLines(log, pattern), nil
}

// WaitReady polls ready until it returns nil. It gives up at once when the
// program has ended, with the end of its log in the error.
func (p *Process) WaitReady(ctx context.Context, ready func(context.Context) error) error {
	return wait.Until(ctx, p.spec.Name+" to be ready", 50*time.Millisecond, func(ctx context.Context) error {
		if !p.Running() {
			log, _ := p.Log() // without its log the exit status still tells something
			return fmt.Errorf("%s ended: %w; the end of its log:\n%s", p.spec.Name, errors.Join(p.err, wait.ErrStop), tail(log, 2000))
		}
		return ready(ctx)
	})
}
