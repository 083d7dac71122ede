package account

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"go.yaml.in/yaml/v3"
)

// Load reads an account file. Errors name the file, the field and, where the text
// itself is wrong, the line.
func Load(path string) (Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("read account file: %w", err)
	}
	return Parse(path, data)
}

// Parse decodes an account file strictly: an unknown field, a wrong type or a
// second document is an error. Defaults are filled in and all problems are
// reported at once; name stands for the file in errors.
func Parse(name string, data []byte) (Config, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	var cfg Config
	if err := decoder.Decode(&cfg); err != nil {
		if errors.Is(err, io.EOF) {
			return Config{}, fmt.Errorf("%s: the file is empty", name)
		}
		return Config{}, fmt.Errorf("%s: %w", name, err)
	}
	var second yaml.Node
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return Config{}, fmt.Errorf("%s: more than one document", name)
	}
	cfg.fillDefaults()
	if err := cfg.validate(); err != nil {
		return Config{}, fmt.Errorf("%s:\n%w", name, err)
	}
	return cfg, nil
}

func (c *Config) fillDefaults() {
	for i := range c.InstanceTypes {
		t := &c.InstanceTypes[i]
		setDefault(&t.Arch, "X86")
		setDefault(&t.SpotPricePerHour, t.PricePerHour/10)
	}
	c.SpotMarket.fillDefaults()
	for i := range c.LaunchTemplates {
		t := &c.LaunchTemplates[i]
		setDefault(&t.Name, t.ID)
		setDefault(&t.Version, 1)
		setDefault(&t.SpotStrategy, NoSpot)
	}
	for i := range c.ScalingGroups {
		g := &c.ScalingGroups[i]
		setDefault(&g.Name, g.ID)
		setDefault(&g.Lifecycle, Active)
		setDefault(&g.MultiAZPolicy, Priority)
		setDefault(&g.ScalingPolicy, Release)
		setDefault(&g.HealthCheckType, HealthCheckECS)
		for j := range g.LifecycleHooks {
			g.LifecycleHooks[j].fillDefaults()
		}
		if g.Desired == nil {
			desired := max(g.Min, g.InService)
			g.Desired = &desired
		}
		if s := g.ScalingConfiguration; s != nil {
			setDefault(&s.Name, s.ID)
			setDefault(&s.SpotStrategy, NoSpot)
		}
		if use := g.LaunchTemplate; use != nil {
			setDefault(&use.Version, "Default")
		}
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
