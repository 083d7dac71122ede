//go:build !unix || solaris || aix

package statefile

import "os"

// lock takes no lock: there is none here that a killed process would give back.
func lock(*os.File) error { return nil }
