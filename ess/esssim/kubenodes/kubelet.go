package kubenodes

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
)

// kubelet is what a machine's kubelet is told by the flags in its user data.
type kubelet struct {
	labels         map[string]string
	taints         []corev1.Taint
	kubeReserved   map[corev1.ResourceName]resource.Quantity
	systemReserved map[corev1.ResourceName]resource.Quantity
	evictionHard   map[string]string
	maxPods        int64
}

// defaultMaxPods and defaultEvictionHard are kubelet's own.
const (
	defaultMaxPods      = 110
	defaultEvictionHard = "memory.available<100Mi,nodefs.available<10%,imagefs.available<15%,nodefs.inodesFree<5%"
)

// A flag's value ends at a blank or at the quote that began it. The flags may stand
// inside a quoted assignment such as KUBELET_EXTRA_ARGS="…".
var flagPattern = regexp.MustCompile(`--([a-z][a-z0-9-]*)(?:=|[ \t]+)("[^"\n]*"|'[^'\n]*'|[^\s"'\\]+)`)

// readUserData finds the kubelet's flags in user data. An error means that the
// kubelet would not start and the machine would never join.
func readUserData(userData string) (kubelet, error) {
	k := kubelet{
		labels:         map[string]string{},
		kubeReserved:   map[corev1.ResourceName]resource.Quantity{},
		systemReserved: map[corev1.ResourceName]resource.Quantity{},
		evictionHard:   map[string]string{},
		maxPods:        defaultMaxPods,
	}
	if err := k.set("eviction-hard", defaultEvictionHard); err != nil {
		return kubelet{}, err
	}
	for line := range strings.Lines(userData) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, match := range flagPattern.FindAllStringSubmatch(line, -1) {
			if err := k.set(match[1], strings.Trim(match[2], `"'`)); err != nil {
				return kubelet{}, fmt.Errorf("read kubelet flag --%s: %w", match[1], err)
			}
		}
	}
	return k, nil
}

// set takes over one flag; a flag it does not know belongs to something else.
func (k *kubelet) set(flag, value string) error {
	switch flag {
	case "node-labels":
		return readLabels(k.labels, value)
	case "register-with-taints":
		taints, err := readTaints(value)
		k.taints = append(k.taints, taints...)
		return err
	case "kube-reserved":
		return readQuantities(k.kubeReserved, value)
	case "system-reserved":
		return readQuantities(k.systemReserved, value)
	case "eviction-hard":
		// The flag replaces the defaults as a whole.
		clear(k.evictionHard)
		return readThresholds(k.evictionHard, value)
	case "max-pods":
		pods, err := strconv.ParseInt(value, 10, 32)
		if err != nil || pods < 0 {
			return fmt.Errorf("%q is not a number of pods", value)
		}
		k.maxPods = pods
	}
	return nil
}

// items splits a comma-separated list.
func items(value string) []string {
	var found []string
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			found = append(found, item)
		}
	}
	return found
}

func readLabels(labels map[string]string, value string) error {
	for _, item := range items(value) {
		key, label, ok := strings.Cut(item, "=")
		if !ok {
			return fmt.Errorf("label %q has no value", item)
		}
		if wrong := append(validation.IsQualifiedName(key), validation.IsValidLabelValue(label)...); len(wrong) > 0 {
			return fmt.Errorf("label %q: %s", item, strings.Join(wrong, "; "))
		}
		labels[key] = label
	}
	return nil
}

func readTaints(value string) ([]corev1.Taint, error) {
	var taints []corev1.Taint
	for _, item := range items(value) {
		pair, effect, ok := strings.Cut(item, ":")
		if !ok {
			return nil, fmt.Errorf("taint %q has no effect", item)
		}
		switch corev1.TaintEffect(effect) {
		case corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoExecute:
		default:
			return nil, fmt.Errorf("taint %q: %q is no effect", item, effect)
		}
		key, label, _ := strings.Cut(pair, "=")
		if wrong := append(validation.IsQualifiedName(key), validation.IsValidLabelValue(label)...); len(wrong) > 0 {
			return nil, fmt.Errorf("taint %q: %s", item, strings.Join(wrong, "; "))
		}
		taints = append(taints, corev1.Taint{Key: key, Value: label, Effect: corev1.TaintEffect(effect)})
	}
	return taints, nil
}

func readQuantities(quantities map[corev1.ResourceName]resource.Quantity, value string) error {
	for _, item := range items(value) {
		name, amount, ok := strings.Cut(item, "=")
		if !ok {
			return fmt.Errorf("%q has no amount", item)
		}
		quantity, err := resource.ParseQuantity(amount)
		if err != nil {
			return fmt.Errorf("%q: %w", item, err)
		}
		if quantity.Sign() < 0 {
			return fmt.Errorf("%q is negative", item)
		}
		quantities[corev1.ResourceName(name)] = quantity
	}
	return nil
}

func readThresholds(thresholds map[string]string, value string) error {
	for _, item := range items(value) {
		signal, amount, ok := strings.Cut(item, "<")
		if !ok {
			return fmt.Errorf("%q is not like memory.available<100Mi", item)
		}
		if _, err := threshold(amount, resource.MustParse("1Gi")); err != nil {
			return fmt.Errorf("%q: %w", item, err)
		}
		thresholds[signal] = amount
	}
	return nil
}

// threshold is an amount, or a share of the capacity in kubelet's own arithmetic:
// the share is a float32 there, which shows in the last bytes.
func threshold(amount string, capacity resource.Quantity) (resource.Quantity, error) {
	percent, ok := strings.CutSuffix(amount, "%")
	if !ok {
		return resource.ParseQuantity(amount)
	}
	share, err := strconv.ParseFloat(percent, 32)
	if err != nil || share < 0 || share > 100 {
		return resource.Quantity{}, fmt.Errorf("%q is not a share between 0%% and 100%%", amount)
	}
	bytes := int64(float64(capacity.Value()) * float64(float32(share)/100))
	return *resource.NewQuantity(bytes, resource.BinarySI), nil
}
