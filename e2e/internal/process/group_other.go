//go:build unix && !linux

package process

import "syscall"

// ownGroup gives the child a process group of its own. Only Linux can promise
// more: elsewhere a test that dies by a timeout leaves its programs behind.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
