package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/buildpool/buildpool/nodegroups/explain"
)

// explanationText is the explanation as a person reads it.
func explanationText(e explain.Explanation) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n\n%s\n", shown(e.Subject), shown(e.Answer))
	if e.When != "" {
		out.WriteString(shown(e.When) + "\n")
	}
	for _, n := range e.Notes {
		fmt.Fprintf(&out, "- %s\n", shown(n))
	}
	for _, v := range e.Groups {
		fmt.Fprintf(&out, "\n%s\n", shown(v.Group))
		if len(v.Obstacles) == 0 {
			out.WriteString("  takes it\n")
		}
		for _, o := range v.Obstacles {
			fmt.Fprintf(&out, "  %s: %s\n", o.Cause, shown(o.Text))
		}
	}
	if len(e.Said) > 0 {
		out.WriteString("\n")
	}
	for _, s := range e.Said {
		out.WriteString(shown(s) + "\n")
	}
	return out.String()
}

// explanationReport is the explanation as -o json prints it. The keys are a promise.
type explanationReport struct {
	Subject string          `json:"subject"`
	Cause   explain.Cause   `json:"cause"`
	Answer  string          `json:"answer"`
	When    string          `json:"when"`
	Notes   []string        `json:"notes"`
	Groups  []verdictReport `json:"groups"`
	Said    []string        `json:"said"`
}

type verdictReport struct {
	Group     string           `json:"group"`
	Obstacles []obstacleReport `json:"obstacles"`
}

type obstacleReport struct {
	Cause explain.Cause `json:"cause"`
	Text  string        `json:"text"`
}

func explanationJSON(to io.Writer, e explain.Explanation) error {
	r := explanationReport{Subject: e.Subject, Cause: e.Cause, Answer: e.Answer, When: e.When, Notes: []string{}, Groups: []verdictReport{}, Said: []string{}}
	r.Notes, r.Said = append(r.Notes, e.Notes...), append(r.Said, e.Said...)
	for _, v := range e.Groups {
		w := verdictReport{Group: v.Group, Obstacles: []obstacleReport{}}
		for _, o := range v.Obstacles {
			w.Obstacles = append(w.Obstacles, obstacleReport(o))
		}
		r.Groups = append(r.Groups, w)
	}
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(r)
}
