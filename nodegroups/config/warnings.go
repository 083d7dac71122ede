package config

import "fmt"

// Warnings returns what a good file promises and cluster-autoscaler will not always
// keep, in the order of the file. It looks at nothing but the configuration.
func Warnings(cfg Config) []Finding {
	findings := overflowWarnings(cfg.Overflow)
	defaultsTold := false
	for i, g := range cfg.Groups {
		switch {
		case !g.Options.Any():
		case g.Options != cfg.Defaults.Options:
			findings = append(findings, optionsWarning(g.Name, groupPath(i)+".options", g.Options))
		case !defaultsTold: // the very same values: the group has none of its own
			findings = append([]Finding{optionsWarning("", "defaults.options", g.Options)}, findings...)
			defaultsTold = true
		}
	}
	return findings
}

// optionsWarning tells what the releases make of options: those up to 1.28 and from
// 1.35 on take a time for 0 that they do not find in an answer.
func optionsWarning(group, path string, o Options) Finding {
	f := Finding{Group: group, Severity: SeverityWarning, Field: path}
	if o.AllowWithCA135 != nil && *o.AllowWithCA135 {
		f.Message = "cluster-autoscaler 1.35 and newer takes the max node startup time of a group with options for 0, so that booting nodes count as unready (autoscaler#10245); up to 1.28 it gets no options"
		f.Fix = "remove the options and use the autoscaler's flags, unless this is meant"
		return f
	}
	f.Message = "cluster-autoscaler up to 1.28 and from 1.35 on gets no options and keeps its own flags (autoscaler#5935, autoscaler#10245)"
	f.Fix = "use the autoscaler's flags with them, or accept with allowWithCA135: true that from 1.35 on booting nodes count as unready"
	return f
}

// overflowWarnings tells of classes whose builds move before cluster-autoscaler has said
// anything of them: a node that it adds meanwhile stays empty.
func overflowWarnings(o Overflow) []Finding {
	var findings []Finding
	for i, c := range o.Classes {
		waited, scan := value(c.StartWhen.WaitedFor), value(o.ScanInterval)
		if waited == 0 || waited >= 2*scan || c.ScaleUpDelay != nil {
			continue
		}
		findings = append(findings, Finding{
			Severity: SeverityWarning, Field: itemPath("overflow.classes", i) + ".startWhen.waitedFor",
			Message: fmt.Sprintf("builds move after %v, before cluster-autoscaler has surely looked at them once (overflow.scanInterval is %v): nodes that it then adds stay empty", waited, scan),
			Fix:     fmt.Sprintf("make it %v or more, or let the virtual node come first with scaleUpDelay", 2*scan),
		})
	}
	return findings
}
