package nodegroups_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// update rewrites the goldens: go test ./nodegroups -run TestScenarios -update.
var update = flag.Bool("update", false, "write what the scenarios give into their files")

const scenarioFolder = "testdata/scenarios"

// TestScenarios plays every scenario twice, against the provider itself and over
// gRPC as CA would: both must give the transcript of the file, letter for letter.
func TestScenarios(t *testing.T) {
	for _, file := range scenarioFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			story, err := parseScenario(string(text))
			require.NoError(t, err)
			for _, way := range []struct {
				name    string
				connect connector
			}{{"direct", directly}, {"grpc", overGRPC}} {
				t.Run(way.name, func(t *testing.T) {
					played := playScenario(t, story, way.connect)
					if *update && way.name == "direct" {
						require.NoError(t, os.WriteFile(file, []byte(played.String()), 0o600))
						story = played
					}
					assert.Equal(t, story.String(), played.String(), "go test ./nodegroups -run TestScenarios -update rewrites the golden; say why it changed")
				})
			}
		})
	}
}

// playScenario plays a story in virtual time and returns it with what really happened.
func playScenario(t *testing.T, story scenario, connect connector) scenario {
	t.Helper()
	played := scenario{header: story.header}
	synctest.Test(t, func(t *testing.T) {
		stage := newStage(t, connect)
		defer stage.close()
		for _, step := range story.steps {
			var golden []string
			for _, command := range step.commands {
				lines := stage.perform(command)
				if len(step.commands) > 1 {
					lines = indented("> "+command, lines)
				}
				golden = append(golden, lines...)
			}
			played.steps = append(played.steps, scenarioStep{note: step.note, commands: step.commands, golden: golden})
		}
	})
	return played
}

func indented(head string, lines []string) []string {
	out := []string{head}
	for _, line := range lines {
		out = append(out, "  "+line)
	}
	return out
}

// Every scenario tells what happens, what a user would see and why it is right.
func TestScenariosSayWhatTheyShow(t *testing.T) {
	for _, file := range scenarioFiles(t) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		story, err := parseScenario(string(text))
		require.NoError(t, err, file)
		header := strings.Join(story.header, "\n")
		for _, part := range []string{"# What happens: ", "# What you see: ", "# Why: "} {
			assert.Contains(t, header, part, file)
		}
		assert.NotEmpty(t, story.steps, file)
	}
}

// The table in the folder's README names every scenario, and nothing that is not there.
func TestScenarioTableIsComplete(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(scenarioFolder, "README.md"))
	require.NoError(t, err)
	var listed []string
	for line := range strings.Lines(string(readme)) {
		if cells := strings.Split(line, "|"); strings.HasPrefix(line, "| [") && len(cells) == 4 {
			name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(cells[1]), "["), "]")
			assert.NotEmpty(t, strings.TrimSpace(cells[2]), name)
			listed = append(listed, name)
		}
	}
	var there []string
	for _, file := range scenarioFiles(t) {
		there = append(there, filepath.Base(file))
	}
	assert.ElementsMatch(t, there, listed)
}

func scenarioFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(scenarioFolder, "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func TestScenarioFileIsReadAndWrittenBack(t *testing.T) {
	text := "# What happens: x\n\n# A note.\ngroup spot max=3\nstart\n----\n> group spot max=3\n  ok\n\nnodes spot\n----\n\n"
	story, err := parseScenario(text)
	require.NoError(t, err)
	require.Len(t, story.steps, 2)
	assert.Equal(t, []string{"group spot max=3", "start"}, story.steps[0].commands)
	assert.Equal(t, []string{"# A note."}, story.steps[0].note)
	assert.Equal(t, []string{"> group spot max=3", "  ok"}, story.steps[0].golden)
	assert.Empty(t, story.steps[1].golden)
	assert.Equal(t, strings.TrimRight(text, "\n")+"\n", story.String())
	for _, broken := range []string{"nodes spot\n", "----\nok\n", "# only words\n"} {
		_, err := parseScenario(broken)
		assert.Error(t, err, broken)
	}
}
