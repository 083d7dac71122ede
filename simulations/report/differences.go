package report

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Difference is a setting that is not the same in all runs.
type Difference struct {
	// Name of the setting: a path of the report's settings, a flag, or a group's name
	// and a path.
	Name string
	// Values of the runs; "-" where a run has no such setting.
	Values []string
}

// Differences lists the settings in which runs differ, in order of their names.
func Differences(runs ...Report) []Difference {
	flat := make([]map[string]string, len(runs))
	names := map[string]bool{}
	for n, r := range runs {
		flat[n] = flattened(r)
		for name := range flat[n] {
			names[name] = true
		}
	}
	var out []Difference
	for name := range names {
		d := Difference{Name: name}
		for _, settings := range flat {
			value, has := settings[name]
			if !has {
				value = "-"
			}
			d.Values = append(d.Values, value)
		}
		if slices.ContainsFunc(d.Values, func(v string) bool { return v != d.Values[0] }) {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b Difference) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return out
}

// flattened gives every setting one name: groups and flags go by theirs, not by their
// place in a list.
func flattened(r Report) map[string]string {
	out := map[string]string{}
	settings := r.Settings
	for _, flag := range settings.Autoscaler {
		out[flag.Name] = flag.Value
	}
	for _, g := range settings.Groups {
		flatten(out, g.Name, tree(g))
	}
	if o := settings.Overflow; o != nil {
		for _, c := range o.Classes {
			flatten(out, "overflow."+string(c.Class), tree(c))
		}
		settings.Overflow = &OverflowSettings{EverySeconds: o.EverySeconds, Start: o.Start}
	}
	settings.Groups, settings.Autoscaler = nil, nil
	flatten(out, "", tree(settings))
	delete(out, "groups")
	delete(out, "autoscaler")
	delete(out, "overflow.classes")
	return out
}

// tree is a value as JSON sees it.
func tree(v any) any {
	var out any
	if err := json.Unmarshal(asJSON(v), &out); err != nil {
		panic("settings without a JSON form: " + err.Error())
	}
	return out
}

func flatten(out map[string]string, path string, value any) {
	object, is := value.(map[string]any)
	if !is {
		text := asJSON(value)
		if s, isText := value.(string); isText {
			text = []byte(s)
		}
		out[path] = string(text)
		return
	}
	for key, inner := range object {
		if path != "" {
			key = path + "." + key
		}
		flatten(out, key, inner)
	}
}
