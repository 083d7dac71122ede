package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/buildpool/buildpool/simulations/engine"
)

// Flags are changes to cluster-autoscaler's defaults, in order.
type Flags struct {
	set []func(*engine.Autoscaler)
	// Ignored are flags that the simulation does not know, or that change nothing of it.
	Ignored []string
}

// Apply changes the autoscaler as the flags say; the last of a flag wins.
func (f Flags) Apply(a *engine.Autoscaler) {
	for _, set := range f.set {
		set(a)
	}
}

// ParseFlags reads flags as cluster-autoscaler does: with one dash or two, underscores
// for dashes, the value behind = or as the next argument; a truth value needs none. What
// is not known is ignored and listed, because most flags are about other things than
// capacity. It fails if the value of a known flag cannot be read.
func ParseFlags(args []string) (Flags, error) {
	var f Flags
	for i := 0; i < len(args); i++ {
		name, value, given := strings.Cut(strings.TrimSpace(args[i]), "=")
		plain, isFlag := dashless(name)
		if !isFlag {
			continue // a program's name, or the value of a flag that is ignored
		}
		parse, known := knownFlags[plain]
		if !known {
			f.Ignored = append(f.Ignored, "--"+plain)
			continue
		}
		if !given && !truths[plain] {
			rest := args[i+1:]
			if len(rest) == 0 {
				return Flags{}, fmt.Errorf("--%s: the value is missing", plain)
			}
			value = rest[0]
			i++
		} else if !given {
			value = "true"
		}
		set, err := parse(strings.Trim(value, `"'`))
		if err != nil {
			return Flags{}, fmt.Errorf("--%s: %w", plain, err)
		}
		f.set = append(f.set, set)
	}
	return f, nil
}

func dashless(name string) (string, bool) {
	plain, ok := strings.CutPrefix(name, "--")
	if !ok {
		plain, ok = strings.CutPrefix(name, "-")
	}
	return strings.ReplaceAll(plain, "_", "-"), ok && plain != ""
}

// parser reads a flag's value and returns what it changes.
type parser func(value string) (func(*engine.Autoscaler), error)

func duration(field func(*engine.Autoscaler) *time.Duration) parser {
	return func(value string) (func(*engine.Autoscaler), error) {
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return nil, fmt.Errorf("%q is no duration", value)
		}
		return func(a *engine.Autoscaler) { *field(a) = d }, nil
	}
}

func number(field func(*engine.Autoscaler) *int) parser {
	return func(value string) (func(*engine.Autoscaler), error) {
		n, err := strconv.Atoi(value)
		if err != nil {
			return nil, fmt.Errorf("%q is no whole number", value)
		}
		return func(a *engine.Autoscaler) { *field(a) = n }, nil
	}
}

func fraction(field func(*engine.Autoscaler) *float64) parser {
	return func(value string) (func(*engine.Autoscaler), error) {
		x, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", value)
		}
		return func(a *engine.Autoscaler) { *field(a) = x }, nil
	}
}

func truth(field func(*engine.Autoscaler) *bool) parser {
	return func(value string) (func(*engine.Autoscaler), error) {
		b, err := strconv.ParseBool(value)
		if err != nil {
			return nil, fmt.Errorf("%q is neither true nor false", value)
		}
		return func(a *engine.Autoscaler) { *field(a) = b }, nil
	}
}

func expanders(value string) (func(*engine.Autoscaler), error) {
	names := strings.Split(value, ",")
	for _, n := range names {
		if !slices.Contains(engine.Expanders(), n) {
			return nil, fmt.Errorf("there is no expander %q; use one of %s", n, strings.Join(engine.Expanders(), ", "))
		}
	}
	return func(a *engine.Autoscaler) { a.Expander = names }, nil
}

func ignoredLabel(value string) (func(*engine.Autoscaler), error) {
	return func(a *engine.Autoscaler) {
		a.BalancingIgnoreLabels = append(slices.Clip(a.BalancingIgnoreLabels), value)
	}, nil
}

// truths are the flags that need no value.
var truths = map[string]bool{
	"scale-down-enabled": true, "scale-down-delay-type-local": true, "balance-similar-node-groups": true,
	"enforce-node-group-min-size": true, "frequent-loops-enabled": true,
}

// knownFlags are those that the engine plays.
var knownFlags = map[string]parser{
	"scan-interval":                        duration(func(a *engine.Autoscaler) *time.Duration { return &a.ScanInterval }),
	"expander":                             expanders,
	"new-pod-scale-up-delay":               duration(func(a *engine.Autoscaler) *time.Duration { return &a.NewPodScaleUpDelay }),
	"max-node-provision-time":              duration(func(a *engine.Autoscaler) *time.Duration { return &a.MaxNodeProvisionTime }),
	"scale-down-enabled":                   truth(func(a *engine.Autoscaler) *bool { return &a.ScaleDownEnabled }),
	"scale-down-delay-after-add":           duration(func(a *engine.Autoscaler) *time.Duration { return &a.ScaleDownDelayAfterAdd }),
	"scale-down-delay-after-delete":        duration(func(a *engine.Autoscaler) *time.Duration { return &a.ScaleDownDelayAfterDelete }),
	"scale-down-delay-after-failure":       duration(func(a *engine.Autoscaler) *time.Duration { return &a.ScaleDownDelayAfterFailure }),
	"scale-down-delay-type-local":          truth(func(a *engine.Autoscaler) *bool { return &a.ScaleDownDelayTypeLocal }),
	"scale-down-unneeded-time":             duration(func(a *engine.Autoscaler) *time.Duration { return &a.ScaleDownUnneededTime }),
	"scale-down-unready-time":              duration(func(a *engine.Autoscaler) *time.Duration { return &a.ScaleDownUnreadyTime }),
	"scale-down-utilization-threshold":     fraction(func(a *engine.Autoscaler) *float64 { return &a.ScaleDownUtilizationThreshold }),
	"scale-down-gpu-utilization-threshold": fraction(func(a *engine.Autoscaler) *float64 { return &a.ScaleDownGPUUtilization }),
	"unremovable-node-recheck-timeout":     duration(func(a *engine.Autoscaler) *time.Duration { return &a.UnremovableNodeRecheckTimeout }),
	"max-empty-bulk-delete":                number(func(a *engine.Autoscaler) *int { return &a.MaxEmptyBulkDelete }),
	"max-scale-down-parallelism":           number(func(a *engine.Autoscaler) *int { return &a.MaxScaleDownParallelism }),
	"max-drain-parallelism":                number(func(a *engine.Autoscaler) *int { return &a.MaxDrainParallelism }),
	"max-nodes-per-scaleup":                number(func(a *engine.Autoscaler) *int { return &a.MaxNodesPerScaleUp }),
	"max-nodes-total":                      number(func(a *engine.Autoscaler) *int { return &a.MaxNodesTotal }),
	"initial-node-group-backoff-duration":  duration(func(a *engine.Autoscaler) *time.Duration { return &a.InitialNodeGroupBackoff }),
	"max-node-group-backoff-duration":      duration(func(a *engine.Autoscaler) *time.Duration { return &a.MaxNodeGroupBackoff }),
	"node-group-backoff-reset-timeout":     duration(func(a *engine.Autoscaler) *time.Duration { return &a.NodeGroupBackoffReset }),
	"balance-similar-node-groups":          truth(func(a *engine.Autoscaler) *bool { return &a.BalanceSimilarNodeGroups }),
	"balancing-ignore-label":               ignoredLabel,
	"enforce-node-group-min-size":          truth(func(a *engine.Autoscaler) *bool { return &a.EnforceNodeGroupMinSize }),
	"node-delete-delay-after-taint":        duration(func(a *engine.Autoscaler) *time.Duration { return &a.NodeDeleteDelayAfterTaint }),
	"max-bulk-soft-taint-count":            number(func(a *engine.Autoscaler) *int { return &a.MaxBulkSoftTaintCount }),
	"frequent-loops-enabled":               truth(func(a *engine.Autoscaler) *bool { return &a.FrequentLoops }),
}
