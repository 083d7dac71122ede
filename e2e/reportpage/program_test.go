package reportpage

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func runProgram(t *testing.T, program string, args ...string) {
	t.Helper()
	out, err := exec.Command(program, args...).CombinedOutput()
	require.NoError(t, err, "%v: %s", args, out)
}
