package nodegroups_test

import (
	"fmt"
	"strings"
)

// scenario is a story as its file tells it: a header of comments, then steps. A step
// is commands, a line of four dashes, and what came of them up to the next empty line.
type scenario struct {
	header []string
	steps  []scenarioStep
}

type scenarioStep struct {
	note     []string // comments above the commands
	commands []string
	golden   []string
}

const scenarioRule = "----"

func parseScenario(text string) (scenario, error) {
	var story scenario
	for number, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		lines := strings.Split(strings.Trim(paragraph, "\n"), "\n")
		if number == 0 && strings.HasPrefix(lines[len(lines)-1], "#") {
			story.header = lines
			continue
		}
		step, err := parseStep(lines)
		if err != nil {
			return scenario{}, fmt.Errorf("paragraph %d: %w", number+1, err)
		}
		story.steps = append(story.steps, step)
	}
	if len(story.steps) == 0 {
		return scenario{}, fmt.Errorf("no step, want commands and a line %q", scenarioRule)
	}
	return story, nil
}

func parseStep(lines []string) (scenarioStep, error) {
	var step scenarioStep
	for n, line := range lines {
		switch {
		case line == scenarioRule:
			if len(step.commands) == 0 {
				return scenarioStep{}, fmt.Errorf("no command above %q", scenarioRule)
			}
			step.golden = lines[n+1:]
			return step, nil
		case strings.HasPrefix(line, "#"):
			step.note = append(step.note, line)
		default:
			step.commands = append(step.commands, line)
		}
	}
	return scenarioStep{}, fmt.Errorf("no line %q below %q", scenarioRule, lines[0])
}

// String writes the story as its file.
func (s scenario) String() string {
	paragraphs := []string{}
	if len(s.header) > 0 {
		paragraphs = append(paragraphs, strings.Join(s.header, "\n"))
	}
	for _, step := range s.steps {
		lines := append(append([]string{}, step.note...), step.commands...)
		lines = append(append(lines, scenarioRule), step.golden...)
		paragraphs = append(paragraphs, strings.Join(lines, "\n"))
	}
	return strings.Join(paragraphs, "\n\n") + "\n"
}

// words splits a command into its words and its key=value settings.
func words(command string) (plain []string, settings map[string]string) {
	settings = map[string]string{}
	for _, word := range strings.Fields(command) {
		if key, value, ok := strings.Cut(word, "="); ok {
			settings[key] = value
			continue
		}
		plain = append(plain, word)
	}
	return plain, settings
}
