package checks

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const classLabel = "buildpool.io/class"

// nodeGroup is what of a node group's nodes decides which pods they take.
type nodeGroup struct {
	Name, Class string
	Labels      map[string]string
	Taints      []corev1.Taint
}

func exampleGroups(t *testing.T) []nodeGroup {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "nodegroups.yaml"))
	require.NoError(t, err)
	var file struct {
		Defaults struct{ Labels map[string]string }
		Groups   []nodeGroup
	}
	require.NoError(t, yaml.Unmarshal(content, &file))
	for i, g := range file.Groups {
		labels := maps.Clone(file.Defaults.Labels)
		maps.Copy(labels, g.Labels)
		labels[classLabel] = g.Class
		file.Groups[i].Labels = labels
	}
	require.Len(t, file.Groups, 3)
	return file.Groups
}

// takes reports whether a node of the group would take the pod for all that the
// scheduler asks of labels and taints.
func (g nodeGroup) takes(pod corev1.PodSpec) bool {
	for key, value := range pod.NodeSelector {
		if g.Labels[key] != value {
			return false
		}
	}
	if pod.Affinity != nil && pod.Affinity.NodeAffinity != nil && pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution != nil {
		terms := pod.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
		if !slices.ContainsFunc(terms, g.matches) {
			return false
		}
	}
	return !slices.ContainsFunc(g.Taints, func(taint corev1.Taint) bool {
		return taint.Effect != corev1.TaintEffectPreferNoSchedule &&
			!slices.ContainsFunc(pod.Tolerations, func(toleration corev1.Toleration) bool { return tolerates(toleration, taint) })
	})
}

func (g nodeGroup) matches(term corev1.NodeSelectorTerm) bool {
	for _, e := range term.MatchExpressions {
		value, has := g.Labels[e.Key]
		switch e.Operator {
		case corev1.NodeSelectorOpIn:
			if !has || !slices.Contains(e.Values, value) {
				return false
			}
		case corev1.NodeSelectorOpDoesNotExist:
			if has {
				return false
			}
		default:
			return false // not used in the examples, so not judged here
		}
	}
	return true
}

func tolerates(toleration corev1.Toleration, taint corev1.Taint) bool {
	return toleration.Key == taint.Key &&
		(toleration.Effect == "" || toleration.Effect == taint.Effect) &&
		(toleration.Operator == corev1.TolerationOpExists || toleration.Value == taint.Value)
}
