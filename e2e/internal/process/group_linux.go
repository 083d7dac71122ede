package process

import "syscall"

// ownGroup gives the child a process group of its own and has the kernel kill it
// when the test dies without a chance to clean up: a panic, a timeout, a kill -9.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
