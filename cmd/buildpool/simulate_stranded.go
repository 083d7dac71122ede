package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// warnOfStranded tells of builds that can never start, because the figures of a run, and
// any search for settings, are worth little with them. name is the variant's, or empty.
func warnOfStranded(env environment, name string, settings engine.Settings) {
	if name != "" {
		name += ": "
	}
	for _, s := range settings.Stranded() {
		fmt.Fprintf(env.stderr, "buildpool: warning: %s%s can never start: %s\n", name, buildsOf(s), whyStranded(settings, s))
	}
}

// buildsOf says how many they are and of which jobs.
func buildsOf(s engine.Stranded) string {
	text := plural(s.Builds, "build")
	const most = 3
	switch jobs := s.Jobs; {
	case len(jobs) > most:
		text += fmt.Sprintf(" of %s and %s", strings.Join(jobs[:most], ", "), plural(len(jobs)-most, "other job"))
	case len(jobs) > 0:
		text += " of " + strings.Join(jobs, ", ")
	}
	return text
}

func whyStranded(settings engine.Settings, s engine.Stranded) string {
	if len(s.TooSmall) == 0 {
		wanted := "class " + strings.Join(s.Shape.Classes, " or ")
		for _, key := range slices.Sorted(maps.Keys(s.Shape.Labels)) {
			wanted += fmt.Sprintf(", label %s=%s", key, s.Shape.Labels[key])
		}
		return fmt.Sprintf("they ask for %s, which no node group has; mend the builds' class and labels (in their mapping file, or in the trace), or add a group", wanted)
	}
	var offers []string
	for _, g := range s.TooSmall {
		group := settings.Groups[g]
		offers = append(offers, fmt.Sprintf("%s has %s", group.Config.Name, amounts(offered(group.Template.Allocatable, s.Shape))))
	}
	return fmt.Sprintf("they ask for %s, and of what kubelet leaves of a node %s; ask for less (in their mapping file, or in the trace), or take larger instances",
		amounts(s.Shape), strings.Join(offers, ", "))
}

// offered is a node's room as a build would ask for it. GPUs are of interest only to
// builds that ask for one.
func offered(list corev1.ResourceList, asked workload.Shape) workload.Shape {
	gpus := list[cloudprovider.GPUResource]
	offer := workload.Shape{MilliCPU: list.Cpu().MilliValue(), MemoryBytes: list.Memory().Value()}
	if asked.GPUs > 0 {
		offer.GPUs = gpus.Value()
	}
	return offer
}

func amounts(s workload.Shape) string {
	text := fmt.Sprintf("%s cpu and %s memory", resource.NewMilliQuantity(s.MilliCPU, resource.DecimalSI), mebibytes(s.MemoryBytes))
	if s.GPUs > 0 {
		text += " and " + plural(int(s.GPUs), "GPU")
	}
	return text
}

// mebibytes rounds down, so that nobody takes an offer for more than it is.
func mebibytes(n int64) string {
	const mib = 1 << 20
	return resource.NewQuantity(n/mib*mib, resource.BinarySI).String()
}
