// Package scenarios holds the simulations that come with buildpool, by name: each asks a
// question, and its README tells the answer.
//
// It knows the files and nothing of how they are played.
package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/buildpool/buildpool/simulations/scenario"
)

// Files are the simulations and the node-group files that they name.
//
//go:embed *.yaml groups/*.yaml
var Files embed.FS

// Scenario is one simulation.
type Scenario struct {
	Name, File, Question string
	Text                 []byte
}

// ErrUnknown is returned for a name that no scenario has.
var ErrUnknown = errors.New("unknown scenario")

// All returns the scenarios, ordered by name.
func All() []Scenario {
	names, err := Files.ReadDir(".")
	if err != nil {
		panic(err) // the files are in the binary
	}
	var all []Scenario
	for _, entry := range names {
		if entry.IsDir() {
			continue
		}
		text, err := Files.ReadFile(entry.Name())
		if err != nil {
			panic(err) // the files are in the binary
		}
		s, err := scenario.Parse(entry.Name(), text)
		if err != nil {
			panic(err) // a test parses each
		}
		name := strings.TrimSuffix(entry.Name(), path.Ext(entry.Name()))
		all = append(all, Scenario{Name: name, File: entry.Name(), Question: s.Question, Text: text})
	}
	return all
}

// Named returns the scenario of that name, or ErrUnknown.
func Named(name string) (Scenario, error) {
	var names []string
	for _, s := range All() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Scenario{}, fmt.Errorf("%w %q: use one of %s", ErrUnknown, name, strings.Join(names, ", "))
}
