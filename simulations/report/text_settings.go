package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// told are the settings of cluster-autoscaler that move waits and cost the most.
var told = []string{"--scan-interval", "--expander", "--scale-down-unneeded-time"}

// restsOn tells what was assumed of the cloud and set for the run, since the figures are
// worth as much as that. All of it is in the JSON form and on the page.
func (p *page) restsOn(s Settings, currency string) {
	p.title(fmt.Sprintf("%-22s %6s %6s %7s %9s %9s %s", "What it rests on", "boot", "p95", "cpu", "memory", "an hour", "taken back"))
	for _, g := range s.Groups {
		spot := ""
		if g.Spot != nil {
			spot = fmt.Sprintf("%s/h", figureText(g.Spot.ReclaimsPerHour))
		}
		p.line("%s %6s %6s %7s %9s %9s %s", left(shown(g.Name, 22), 22), waitText(g.Boot.MedianSeconds), waitText(g.Boot.P95Seconds),
			coresOf(g.Allocatable), memoryOf(g.Allocatable), figureText(g.PricePerHour), spot)
		if g.Warm != nil {
			p.line("%s %6s %6s", left("  a stopped one", 22), waitText(g.Warm.MedianSeconds), waitText(g.Warm.P95Seconds))
		}
	}
	if s.Overflow != nil {
		p.line("%s %6s %6s", left("a virtual node's pod", 22), waitText(s.Overflow.Start.MedianSeconds), waitText(s.Overflow.Start.P95Seconds))
	}
	p.line("agent's start %s, %s, prices in %s", waitText(s.AgentStartSeconds), s.Scheduler, cmp.Or(currency, "no known currency"))
	var flags []string
	for _, f := range s.Autoscaler {
		if slices.Contains(told, f.Name) {
			flags = append(flags, f.Name+"="+f.Value)
		}
	}
	p.line("%s", shown(strings.Join(flags, " "), textWidth))
}

func coresOf(allocatable map[string]string) string {
	q, err := resource.ParseQuantity(allocatable[string(corev1.ResourceCPU)])
	if err != nil {
		return ""
	}
	return figureText(q.AsApproximateFloat64())
}

func memoryOf(allocatable map[string]string) string {
	q, err := resource.ParseQuantity(allocatable[string(corev1.ResourceMemory)])
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%.1f GiB", q.AsApproximateFloat64()/(1<<30))
}
