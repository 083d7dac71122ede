package autoscaler

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// What CA logs when it decides: the same in every release from 1.26 on.
var (
	planPattern    = regexp.MustCompile(`Final scale-up plan: `)
	backoffPattern = regexp.MustCompile(`Disabling scale-up for node group `)
	loopPattern    = regexp.MustCompile(`Starting main loop`)
	wastePattern   = regexp.MustCompile(`Expanding Node Group (\S+) would waste `)
	idlePattern    = regexp.MustCompile(`\] (\S+) was unneeded for (\S+)$`)
	diedPattern    = regexp.MustCompile(`^panic: |^fatal error: |SIGSEGV|^F\d{4} |Observed a panic`)
	troublePattern = regexp.MustCompile(`^[EW]\d{4} .*(externalgrpc|rpc error)`)
)

// Plans returns the log lines of CA's final scale-up plans, oldest first.
func (a *Autoscaler) Plans() ([]string, error) { return a.LogLines(planPattern) }

// Backoffs returns the log lines in which CA backs off a node group.
func (a *Autoscaler) Backoffs() ([]string, error) { return a.LogLines(backoffPattern) }

// Died returns the log lines of panics and other sudden ends.
func (a *Autoscaler) Died() ([]string, error) { return a.LogLines(diedPattern) }

// Troubles returns the errors and warnings that name its provider: those of the
// externalgrpc client, and what a gRPC call ended with.
func (a *Autoscaler) Troubles() ([]string, error) { return a.LogLines(troublePattern) }

// Loops returns how many main loops CA has begun.
func (a *Autoscaler) Loops() (int, error) {
	lines, err := a.LogLines(loopPattern)
	return len(lines), err
}

// LoopTimes returns the time from the beginning of each main loop to that of the next,
// oldest first.
func (a *Autoscaler) LoopTimes() ([]time.Duration, error) {
	lines, err := a.LogLines(loopPattern)
	if err != nil {
		return nil, err
	}
	var times []time.Duration
	var last time.Time
	for _, line := range lines {
		began, err := time.Parse("0102 15:04:05.000000", line[1:min(len(line), len("I0102 15:04:05.000000"))])
		if err != nil {
			return nil, fmt.Errorf("read the time of %q: %w", line, err)
		}
		if !last.IsZero() {
			times = append(times, began.Sub(last))
		}
		last = began
	}
	return times, nil
}

// Wastes returns the log lines in which the expander least-waste reckons what a
// scale-up of the node group would leave unused, oldest first.
func (a *Autoscaler) Wastes(group string) ([]string, error) {
	lines, err := a.LogLines(wastePattern)
	var of []string
	for _, line := range lines {
		if wastePattern.FindStringSubmatch(line)[1] == group {
			of = append(of, line)
		}
	}
	return of, err
}

// Unneeded returns how long CA left each node unneeded before it took it away, by
// the node's name, and before that: how long it has been unneeded.
func (a *Autoscaler) Unneeded() (map[string]time.Duration, error) {
	lines, err := a.LogLines(idlePattern)
	if err != nil {
		return nil, err
	}
	longest := map[string]time.Duration{}
	for _, line := range lines {
		found := idlePattern.FindStringSubmatch(line)
		idle, err := time.ParseDuration(found[2])
		if err != nil {
			return nil, fmt.Errorf("read %q: %w", line, err)
		}
		longest[found[1]] = max(longest[found[1]], idle)
	}
	return longest, nil
}

// LoopsBetween returns how many main loops CA began after the first log line that
// matches one pattern and before the first one after it that matches the other: 0 is
// within one loop.
func (a *Autoscaler) LoopsBetween(from, to *regexp.Regexp) (int, error) {
	log, err := a.Log()
	if err != nil {
		return 0, err
	}
	loops, began := 0, false
	for line := range strings.Lines(log) {
		switch {
		case !began:
			began = from.MatchString(line)
		case to.MatchString(line):
			return loops, nil
		case loopPattern.MatchString(line):
			loops++
		}
	}
	return 0, fmt.Errorf("count loops from %q to %q: no such lines in %s", from, to, a.LogPath())
}

// Metrics returns CA's metrics in Prometheus' text format.
func (a *Autoscaler) Metrics(ctx context.Context) (string, error) { return a.get(ctx, "/metrics") }

func (a *Autoscaler) get(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.http+path, nil)
	if err != nil {
		return "", fmt.Errorf("get CA's %s: %w", path, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("get CA's %s: %w", path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("get CA's %s: %w", path, err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("get CA's %s: %s", path, response.Status)
	}
	return string(body), nil
}
