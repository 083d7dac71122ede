package recommend

import (
	"fmt"
	"strings"
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
)

// yaml are the keys of the setting's groups as they go into the node-group file.
func (s Setting) yaml(base engine.Settings) string {
	var b strings.Builder
	b.WriteString(s.Overflow.yaml(base))
	b.WriteString("groups:\n")
	for i, g := range s.Groups {
		fmt.Fprintf(&b, "  - name: %s\n    min: %d\n    max: %d\n", g.Name, g.Min, g.Max)
		if base.Groups[i].Config.Options.ScaleDownUnneededTime != nil {
			fmt.Fprintf(&b, "    options: {scaleDownUnneededTime: %s}\n", durationText(time.Duration(s.Unneeded)))
		}
		if len(g.Schedules) == 0 {
			b.WriteString("    schedules: []\n")
			continue
		}
		b.WriteString("    schedules:\n")
		for _, w := range g.Schedules {
			b.WriteString("      - " + windowYAML(w) + "\n")
		}
	}
	return b.String()
}

func windowYAML(w config.Window) string {
	keys := []string{fmt.Sprintf("cron: %q", w.Cron), "duration: " + durationText(time.Duration(w.Duration))}
	if w.Share > 0 {
		keys = append(keys, fmt.Sprintf("share: %v", w.Share))
	} else {
		keys = append(keys, fmt.Sprintf("min: %d", w.Min))
	}
	if w.Lead != nil {
		keys = append(keys, "lead: "+durationText(time.Duration(*w.Lead)))
	}
	if w.TimeZone != "" {
		keys = append(keys, "timeZone: "+w.TimeZone)
	}
	if len(w.Holidays) > 0 {
		quoted := make([]string, len(w.Holidays))
		for i, h := range w.Holidays {
			quoted[i] = fmt.Sprintf("%q", h)
		}
		keys = append(keys, "holidays: ["+strings.Join(quoted, ", ")+"]")
	}
	return "{" + strings.Join(keys, ", ") + "}"
}

// flags are cluster-autoscaler's.
func (s Setting) flags() []string {
	return []string{
		"--scale-down-unneeded-time=" + durationText(time.Duration(s.Unneeded)),
		"--expander=" + strings.Join(s.Expander, ","),
		fmt.Sprintf("--enforce-node-group-min-size=%t", s.EnforceMin),
	}
}
