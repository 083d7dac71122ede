package checks

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/pod-security-admission/api"

	"github.com/buildpool/buildpool/deploy/checks/internal/manifest"
)

func recommendJob(t *testing.T, file string) batchv1.Job {
	t.Helper()
	objects, err := manifest.Read(filepath.Join("..", "examples", "recommend", file))
	require.NoError(t, err)
	i := slices.IndexFunc(objects, func(o manifest.Object) bool { return o.Kind() == "Job" })
	require.GreaterOrEqual(t, i, 0)
	job, err := manifest.As[batchv1.Job](objects[i])
	require.NoError(t, err)
	assert.Empty(t, forbiddenBy(t, api.LevelRestricted, job.Spec.Template))
	return job
}

// TestRecommendJobs plays what the Indexed Job's pods and the merging Job do: their own
// arguments, with a directory in place of the volumes. What the last one prints is what
// one machine prints that searches alone.
func TestRecommendJobs(t *testing.T) {
	job, merge := recommendJob(t, "job.yaml"), recommendJob(t, "merge.yaml")
	require.Equal(t, batchv1.IndexedCompletion, *job.Spec.CompletionMode)
	dir := t.TempDir()
	groups, err := os.ReadFile(filepath.Join("..", "nodegroups.yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nodegroups.yaml"), groups, 0o600))
	_, err = buildpool(t, "trace", "generate", "afternoon", "--days", "1", "--builds", "200", "--out", filepath.Join(dir, "builds.csv"))
	require.NoError(t, err)

	here := strings.NewReplacer("/etc/buildpool", dir, "/data", dir, "--settings=20000", "--settings=40")
	args := func(j batchv1.Job, index int) []string {
		var out []string
		for _, a := range j.Spec.Template.Spec.Containers[0].Args {
			out = append(out, strings.ReplaceAll(here.Replace(a), "$(JOB_COMPLETION_INDEX)", fmt.Sprint(index)))
		}
		return out
	}
	var whole []string
	for index := range int(*job.Spec.Completions) {
		a := args(job, index)
		require.Contains(t, strings.Join(a, " "), "--settings=40", "the test is small")
		printed(t, a...)
		whole = slices.DeleteFunc(a, func(a string) bool { return strings.HasPrefix(a, "--shard") })
	}
	parts, err := filepath.Glob(filepath.Join(dir, "part-*.json"))
	require.NoError(t, err)
	require.Len(t, parts, int(*job.Spec.Completions))
	merged := printed(t, args(merge, 0)...)
	assert.Contains(t, merged, "nodegroups.yaml: set these keys")
	assert.Equal(t, printed(t, whole...), merged)
}

// printed is the standard output of the program, which has to end well.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	path, err := program()
	require.NoError(t, err)
	var complaints strings.Builder
	command := exec.CommandContext(t.Context(), path, args...)
	command.Stderr = &complaints
	output, err := command.Output()
	require.NoError(t, err, complaints.String())
	return string(output)
}
