//go:build unix && !solaris && !aix

package statefile

import (
	"os"
	"syscall"
)

// lock takes the file for this process. The kernel gives it free when the process
// ends, however it ends.
func lock(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
