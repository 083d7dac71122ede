package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// Parse reads a file of assumptions strictly. The error is of type config.Errors and
// holds everything that is wrong, with its line and what to do about it.
func Parse(filename string, data []byte) (Simulation, error) {
	return config.Strict(filename, data, Kind, check)
}

func check(c config.Checker, s Simulation) {
	if c.Sound("apiVersion") && s.APIVersion != config.APIVersion {
		c.Complain("apiVersion", fmt.Sprintf("unknown version %q", s.APIVersion), "write "+config.APIVersion)
	}
	if c.Sound("kind") && s.Kind != Kind {
		c.Complain("kind", fmt.Sprintf("unknown kind %q", s.Kind), "write "+Kind)
	}
	checkWorkload(c, s.Workload)
	for i, g := range s.Groups {
		checkGroup(c, c.Item("groups", i), g, s.Groups[:i])
	}
	checkVirtualNode(c, s.VirtualNode)
	for i, image := range s.Images {
		if at := c.Item("images", i); image.Baked && image.Pull > 0 {
			c.Complain(at, "a baked image is not pulled", "keep baked or pull, not both")
		}
	}
	for i, o := range s.Stockouts {
		at := c.Item("stockouts", i)
		if c.Sound(at+".until") && c.Sound(at+".from") && o.Until <= o.From {
			c.Complain(at+".until", "the window ends before it begins", "write a time after from")
		}
		notNegative(c, at+".stock", o.Stock)
	}
	notNegative(c, "quota", s.Quota)
	checkScheduler(c, "scheduler", s.Scheduler)
	checkAutoscaler(c, s)
}

func checkVirtualNode(c config.Checker, v VirtualNode) {
	if v.Start != nil && v.Start.P95 != nil && *v.Start.P95 < v.Start.Median {
		c.Complain("virtualNode.start.p95", "is below the median", "write the median or more")
	}
	if v.Price != nil {
		v.Price.CheckAmounts(c, "virtualNode.price")
	}
}

func checkAutoscaler(c config.Checker, s Simulation) {
	checkFlags(c, "autoscaler.flags", s.Autoscaler.Flags)
	if at := "autoscaler.release"; c.Sound(at) && (s.Autoscaler.Release < 26 || s.Autoscaler.Release > 99) {
		c.Complain(at, fmt.Sprintf("%d is no minor release", s.Autoscaler.Release), "write 36 for 1.36")
	}
	for i, v := range s.Variants {
		at := c.Item("variants", i)
		checkFlags(c, at+".flags", v.Flags)
		checkScheduler(c, at+".scheduler", v.Scheduler)
		if slices.ContainsFunc(s.Variants[:i], func(other Variant) bool { return other.Name == v.Name }) {
			c.Complain(at+".name", fmt.Sprintf("there is a variant %q already", v.Name), "give each variant a name of its own")
		}
	}
}

func checkFlags(c config.Checker, path string, flags []string) {
	for i, f := range flags {
		if _, err := ParseFlags([]string{f}); err != nil {
			c.Complain(c.Item(path, i), err.Error(), "write it as on cluster-autoscaler's command line, with = before the value")
		}
	}
}

func checkScheduler(c config.Checker, path, name string) {
	known := []string{string(engine.LeastAllocated), string(engine.MostAllocated)}
	if c.Sound(path) && !slices.Contains(known, name) {
		c.Complain(path, fmt.Sprintf("unknown strategy %q", name), "use one of "+strings.Join(known, ", "))
	}
}

func notNegative(c config.Checker, path string, n int) {
	if c.Sound(path) && n < 0 {
		c.Complain(path, fmt.Sprintf("%d is negative", n), "write 0 or more")
	}
}

func checkWorkload(c config.Checker, w Workload) {
	if w.Trace != "" && w.Profile != "" {
		c.Complain("workload", "has both a trace and a profile", "keep one of them")
	}
	if c.Sound("workload.profile") && !slices.ContainsFunc(workload.Profiles(), func(p workload.Profile) bool { return p.Name == w.Profile }) {
		var names []string
		for _, p := range workload.Profiles() {
			names = append(names, p.Name)
		}
		c.Complain("workload.profile", fmt.Sprintf("unknown profile %q", w.Profile), "use one of "+strings.Join(names, ", "))
	}
	notNegative(c, "workload.days", w.Days)
	notNegative(c, "workload.seed", w.Seed)
	if c.Sound("workload.timeZone") {
		if _, err := time.LoadLocation(w.TimeZone); err != nil || w.TimeZone == "Local" {
			c.Complain("workload.timeZone", fmt.Sprintf("%q is no time zone", w.TimeZone), "write a name of the IANA database such as Asia/Shanghai, or UTC")
		}
	}
	if c.Sound("workload.start") {
		if _, err := w.begin(); err != nil {
			c.Complain("workload.start", fmt.Sprintf("%q is no instant", w.Start), `write it in quotes, such as "2026-03-02T00:00:00"`)
		}
	}
	for i, b := range w.Builds {
		at := c.Item("workload.builds", i)
		if c.Sound(at+".classes") && len(b.Classes) == 0 {
			c.Complain(at+".classes", "the list is empty", "name the classes: normal, gpu, spot")
		}
		notNegative(c, at+".gpus", b.GPUs)
		if b.Share != nil && *b.Share < 0 {
			c.Complain(at+".share", "is negative", "write 0 or more")
		}
	}
}

func checkGroup(c config.Checker, path string, g Group, before []Group) {
	if slices.ContainsFunc(before, func(other Group) bool { return other.Name == g.Name }) {
		c.Complain(path+".name", fmt.Sprintf("the group %q is assumed of already", g.Name), "write all that is assumed of it in one place")
	}
	notNegative(c, path+".cpus", g.CPUs)
	notNegative(c, path+".gpus", g.GPUs)
	notNegative(c, path+".stock", g.Stock)
	if at := path + ".arch"; c.Sound(at) && g.Arch != "amd64" && g.Arch != "arm64" {
		c.Complain(at, fmt.Sprintf("unknown architecture %q", g.Arch), "use amd64 or arm64")
	}
	if at := path + ".pricePerHour"; c.Sound(at) && *g.PricePerHour < 0 {
		c.Complain(at, "is negative", "write 0 or more")
	}
	for field, d := range map[string]*Delay{".boot": g.Boot, ".warm": g.Warm} {
		if d != nil && d.P95 != nil && *d.P95 < d.Median {
			c.Complain(path+field+".p95", "is below the median", "write the median or more")
		}
	}
	if g.Spot == nil {
		return
	}
	if at := path + ".spot.reclaimsPerHour"; c.Sound(at) && g.Spot.ReclaimsPerHour < 0 {
		c.Complain(at, "is negative", "write 0 or more")
	}
	for i, m := range g.Spot.Mass {
		if at := c.Item(path+".spot.mass", i) + ".share"; c.Sound(at) && (m.Share < 0 || m.Share > 1) {
			c.Complain(at, fmt.Sprintf("%v is no share", m.Share), "write a number from 0 to 1")
		}
	}
}
