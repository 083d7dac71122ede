package config

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/buildpool/buildpool/cloudprovider"
)

// kubeletLabels are the labels under kubernetes.io that a kubelet may set on its
// own node (Kubernetes, "NodeRestriction" and the kubelet's --node-labels).
var kubeletLabels = map[string]bool{
	corev1.LabelHostname:                true,
	corev1.LabelArchStable:              true,
	corev1.LabelOSStable:                true,
	corev1.LabelInstanceType:            true,
	corev1.LabelInstanceTypeStable:      true,
	corev1.LabelFailureDomainBetaZone:   true,
	corev1.LabelFailureDomainBetaRegion: true,
	corev1.LabelTopologyZone:            true,
	corev1.LabelTopologyRegion:          true,
	"beta.kubernetes.io/arch":           true,
	"beta.kubernetes.io/os":             true,
}

// kubeletDomains are the label domains under kubernetes.io that are a kubelet's.
var kubeletDomains = []string{"kubelet.kubernetes.io", "node.kubernetes.io"}

// kubeletMaySet reports whether a kubelet can register its node with the label: it
// refuses to start with a foreign one under kubernetes.io or k8s.io.
func kubeletMaySet(key string) bool {
	domain, _, prefixed := strings.Cut(key, "/")
	if !prefixed || !within(domain, "kubernetes.io") && !within(domain, "k8s.io") || kubeletLabels[key] {
		return true
	}
	for _, own := range kubeletDomains {
		if within(domain, own) {
			return true
		}
	}
	return false
}

func within(domain, parent string) bool {
	return domain == parent || strings.HasSuffix(domain, "."+parent)
}

const (
	labelKeyFix   = "write [domain/]name of letters, digits, -, _ and ., the name at most 63 characters"
	labelValueFix = "use letters, digits, -, _ and ., with a letter or digit at both ends, at most 63 characters"
)

func (d *decoder) checkLabels(path string, labels map[string]string) {
	for _, key := range sortedKeys(labels) {
		at := entry(path, key)
		switch {
		case len(validation.IsQualifiedName(key)) > 0:
			d.complain(at, fmt.Sprintf("%s is no label key", quoted(key)), labelKeyFix)
		case key == corev1.LabelHostname:
			d.complain(at, "every node has a host name of its own", "remove it")
		case !kubeletMaySet(key):
			d.complain(at, "a node may not set this label itself", "use a domain of your own; under kubernetes.io and k8s.io only "+strings.Join(kubeletDomains, "/ and ")+"/ are free")
		}
		if value := labels[key]; d.sound(at) && len(validation.IsValidLabelValue(value)) > 0 {
			d.complain(at, fmt.Sprintf("%s is no label value", quoted(value)), labelValueFix)
		}
	}
	if at := entry(path, cloudprovider.LabelClass); path == "defaults.labels" && d.known(at) {
		d.complain(at, "every group sets this label to its own class", "remove it")
	}
}

// checkClassLabels complains of labels that contradict the group's class or GPU.
// The merged group tells what is in force, own are the labels the group sets.
func (d *decoder) checkClassLabels(path string, merged Group, own map[string]string) {
	at := entry(path+".labels", cloudprovider.LabelClass)
	if value, ok := own[cloudprovider.LabelClass]; ok && d.sound(at) && value != string(merged.Class) {
		d.complain(at, fmt.Sprintf("%s contradicts the group's class %s", quoted(value), merged.Class), "remove the label; the class sets it")
	}
	value, ok := merged.Labels[cloudprovider.LabelGPU]
	if !ok {
		return
	}
	at = entry("defaults.labels", cloudprovider.LabelGPU)
	if _, ok := own[cloudprovider.LabelGPU]; ok {
		at = entry(path+".labels", cloudprovider.LabelGPU)
	}
	switch {
	case !d.sound(at):
	case merged.Class != ClassGPU:
		d.complain(at, fmt.Sprintf("a group of class %s has no GPU to name", merged.Class), "set the class to gpu, or remove the label")
	case merged.Template.GPU != nil && merged.Template.GPU.Type != value:
		d.complain(at, fmt.Sprintf("%s contradicts the GPU type %s", quoted(value), quoted(merged.Template.GPU.Type)), "remove the label; the GPU type sets it")
	}
}

func (d *decoder) checkTaints(path string, taints []Taint) {
	type identity struct{ key, effect string }
	seen := map[identity]int{}
	for i, t := range taints {
		at := itemPath(path, i)
		if d.sound(at+".key") && len(validation.IsQualifiedName(t.Key)) > 0 {
			d.complain(at+".key", fmt.Sprintf("%s is no taint key", quoted(t.Key)), labelKeyFix)
		}
		if d.sound(at+".value") && len(validation.IsValidLabelValue(t.Value)) > 0 {
			d.complain(at+".value", fmt.Sprintf("%s is no taint value", quoted(t.Value)), labelValueFix)
		}
		if !d.sound(at+".key") || !d.sound(at+".effect") {
			continue
		}
		id := identity{t.Key, string(t.Effect)}
		if first, twice := seen[id]; twice {
			d.complain(at, fmt.Sprintf("the taint %s with effect %s stands twice, first as item %d", quoted(t.Key), t.Effect, first), "keep one; a node has one taint of a key and effect")
			continue
		}
		seen[id] = i
	}
}
