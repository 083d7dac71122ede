package account

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
)

// Duration is a time.Duration that is written like "20s" in YAML and JSON.
type Duration time.Duration

// UnmarshalYAML reads a duration such as "20s".
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	parsed, err := time.ParseDuration(node.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is not a duration such as 20s", node.Line, node.Value)
	}
	*d = Duration(parsed)
	return nil
}

// UnmarshalJSON reads a duration such as "20s".
func (d *Duration) UnmarshalJSON(data []byte) error {
	var s string
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("%s is not a duration such as \"20s\"", data)
	}
	parsed, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("%q is not a duration such as \"20s\"", s)
	}
	*d = Duration(parsed)
	return nil
}

// MarshalJSON writes the duration as "20s".
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(d).String())
}

// Delays are how long things take. Public sources give 45 to 60 s from the request
// to a delivered node; every value is an assumption and can be set.
type Delays struct {
	// Create is the time from Pending to InService.
	Create time.Duration
	// Join is the time from InService to the registration of the Node.
	Join time.Duration
	// Remove is the time from Removing until the instance is gone.
	Remove time.Duration
	// Retry is how often failed creations are repeated in expected-number mode.
	Retry time.Duration
	// Check is how soon ESS acts on a changed expected number.
	Check time.Duration
	// Fail is how long an activity takes that can create nothing at all.
	Fail time.Duration
	// Start is the time a stopped instance takes from Pending to InService.
	Start time.Duration
	// Health is how long ESS takes to find an unhealthy instance.
	Health time.Duration
	// ListGroups and ListInstances are how far the lists lag behind what happened.
	ListGroups, ListInstances time.Duration
	// SystemSuspend is how long creations must fail until ESS suspends a group.
	SystemSuspend time.Duration
}

var defaultDelays = Delays{
	Create: 20 * time.Second,
	Join:   20 * time.Second,
	Remove: 10 * time.Second,
	Retry:  time.Minute,
	Check:  time.Second,
	Fail:   time.Second,
	Start:  10 * time.Second,
	Health: 10 * time.Second,

	SystemSuspend: 7 * 24 * time.Hour,
}

// minRetry keeps an account that is out of stock, or that may not yet remove an
// unhealthy instance, from repeating itself without end at one instant.
const minRetry = time.Second

// DelayChange sets those delays that are not nil.
type DelayChange struct {
	Create *Duration `yaml:"create" json:"create,omitempty"`
	Join   *Duration `yaml:"join" json:"join,omitempty"`
	Remove *Duration `yaml:"remove" json:"remove,omitempty"`
	Retry  *Duration `yaml:"retry" json:"retry,omitempty"`
	Check  *Duration `yaml:"check" json:"check,omitempty"`
	Fail   *Duration `yaml:"fail" json:"fail,omitempty"`
	Start  *Duration `yaml:"start" json:"start,omitempty"`
	Health *Duration `yaml:"health" json:"health,omitempty"`

	ListGroups    *Duration `yaml:"listGroups" json:"listGroups,omitempty"`
	ListInstances *Duration `yaml:"listInstances" json:"listInstances,omitempty"`
	SystemSuspend *Duration `yaml:"systemSuspend" json:"systemSuspend,omitempty"`
}

// Delays are the defaults with the change made to them.
func (c DelayChange) Delays() Delays { return c.apply(defaultDelays) }

func (c DelayChange) check() error {
	var errs []error
	for _, field := range []struct {
		name  string
		value *Duration
		least time.Duration
	}{
		{"create", c.Create, 0},
		{"join", c.Join, 0},
		{"remove", c.Remove, 0},
		{"retry", c.Retry, minRetry},
		{"check", c.Check, 0},
		{"fail", c.Fail, 0},
		{"start", c.Start, 0},
		{"health", c.Health, minRetry},
		{"listGroups", c.ListGroups, 0},
		{"listInstances", c.ListInstances, 0},
		{"systemSuspend", c.SystemSuspend, 0},
	} {
		if field.value != nil && time.Duration(*field.value) < field.least {
			errs = append(errs, fmt.Errorf("delays.%s: %v is less than %v", field.name, time.Duration(*field.value), field.least))
		}
	}
	return errors.Join(errs...)
}

func (c DelayChange) apply(d Delays) Delays {
	set := func(to *time.Duration, from *Duration) {
		if from != nil {
			*to = time.Duration(*from)
		}
	}
	set(&d.Create, c.Create)
	set(&d.Join, c.Join)
	set(&d.Remove, c.Remove)
	set(&d.Retry, c.Retry)
	set(&d.Check, c.Check)
	set(&d.Fail, c.Fail)
	set(&d.Start, c.Start)
	set(&d.Health, c.Health)
	set(&d.ListGroups, c.ListGroups)
	set(&d.ListInstances, c.ListInstances)
	set(&d.SystemSuspend, c.SystemSuspend)
	return d
}
