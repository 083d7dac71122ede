package explain

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

// hindered returns what keeps the group from growing, whoever asks.
func (g Group) hindered(now time.Time) []Obstacle {
	var out []Obstacle
	add := func(c Cause, format string, args ...any) {
		out = append(out, Obstacle{c, fmt.Sprintf(format, args...)})
	}
	if g.NotServed != "" {
		add(NotServed, "cluster-autoscaler is not offered it: %s", g.NotServed)
		return out
	}
	if g.Inactive != "" {
		add(Inactive, "its scaling group does not grow: %s", g.Inactive)
	}
	if g.Template == nil {
		add(NoTemplate, "it cannot be told what a new node would be: %s", g.TemplateProblem)
	}
	if g.Target >= g.Max {
		whose := "in the node-group file"
		if g.MaxReason == "scaling group" {
			whose = "of the scaling group itself"
		}
		add(AtMax, "it has all the nodes it may have: %d, the max %s", g.Max, whose)
	}
	for _, t := range g.Troubles {
		add(causeOf(t), "%s", troubleText(t, now))
	}
	return out
}

// causeOf is what a trouble comes down to. The account's quota and balance are among
// what is told as stock.
func causeOf(t cloudprovider.Skip) Cause {
	switch {
	case t.Reason == cloudprovider.SkippedOutOfStock && (strings.HasPrefix(t.Code, "Quota") || strings.Contains(t.Code, "Balance") || strings.Contains(t.Code, "Arrearage")):
		return Quota
	case t.Reason == cloudprovider.SkippedOutOfStock:
		return OutOfStock
	case t.Reason == cloudprovider.SkippedThrottled:
		return Throttled
	case t.Reason == cloudprovider.SkippedReclaimed:
		return Reclaimed
	}
	return Failing
}

// troubleText tells of a trouble, and until when it counts.
func troubleText(t cloudprovider.Skip, now time.Time) string {
	what := map[Cause]string{
		OutOfStock: "the cloud had no instance to give", Quota: "the account's quota or balance forbids more",
		Throttled: "the account's rate limit was met", Reclaimed: "the cloud took a spot instance back",
		Failing: "an instance could not be created",
	}[causeOf(t)]
	text := fmt.Sprintf("%s ago %s", age(now.Sub(t.At)), what)
	if t.Code != "" {
		text += " (" + t.Code + ")"
	}
	if t.Until.After(now) {
		text += fmt.Sprintf("; the expander prefers other groups for another %s", age(t.Until.Sub(now)))
	}
	if t.Reason == cloudprovider.SkippedOutOfStock || t.Reason == cloudprovider.SkippedFailed {
		text += "; cluster-autoscaler leaves a group alone for 5 to 30 minutes after that"
	}
	return text
}

// coming is how many nodes of the group are wanted and not Ready yet, those that could
// not be created left out.
func (g Group) coming(nodes []corev1.Node) int {
	if g.NotServed != "" {
		return 0
	}
	return max(0, g.Target-g.Failed-g.readyNodes(nodes))
}

func (g Group) readyNodes(nodes []corev1.Node) int {
	n := 0
	for _, node := range nodes {
		if ready(node) && g.owns(node) {
			n++
		}
	}
	return n
}

// varying are the labels in which a node may differ from its group's template.
var varying = map[string]bool{
	corev1.LabelTopologyZone: true, corev1.LabelTopologyRegion: true, corev1.LabelInstanceTypeStable: true,
	corev1.LabelHostname: true, corev1.LabelArchStable: true, corev1.LabelOSStable: true,
	"node.alibabacloud.com/instance-charge-type": true, "node.alibabacloud.com/spot-strategy": true,
}

// owns reports whether the node looks like one of the group's.
func (g Group) owns(node corev1.Node) bool {
	if node.Labels[cloudprovider.LabelClass] != g.Class {
		return false
	}
	if g.Template == nil {
		return true
	}
	for key, value := range g.Template.Labels {
		if !varying[key] && node.Labels[key] != value {
			return false
		}
	}
	return true
}

// age is a duration in the one or two units that matter.
func age(d time.Duration) string {
	d = max(d, 0).Truncate(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
}
