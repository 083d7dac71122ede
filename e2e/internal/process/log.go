package process

import (
	"regexp"
	"strings"
)

func matchingLines(log string, pattern *regexp.Regexp) []string {
	var lines []string
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		if pattern.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// tail returns the last whole lines of the log that fit into size bytes.
func tail(log string, size int) string {
	if len(log) <= size {
		return log
	}
	cut := log[len(log)-size:]
	if _, rest, ok := strings.Cut(cut, "\n"); ok {
		return rest
	}
	return cut
}
