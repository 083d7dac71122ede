package cluster

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
)

func TestWhatANodeSaysOfItself(t *testing.T) {
	says := func(kind corev1.NodeConditionType, status corev1.ConditionStatus) *corev1.Node {
		n := &corev1.Node{}
		n.Status.Conditions = []corev1.NodeCondition{{Type: kind, Status: status}}
		return n
	}
	// The condition's name is that of ACK's node-problem-detector.
	assert.True(t, toNode(says("InstanceExpired", corev1.ConditionTrue)).Expiring)
	assert.False(t, toNode(says("InstanceExpired", corev1.ConditionFalse)).Expiring, "it says so of every node")
	assert.False(t, toNode(says("ReadonlyFilesystem", corev1.ConditionTrue)).Expiring)
	assert.Equal(t, corev1.ConditionTrue, toNode(says(corev1.NodeReady, corev1.ConditionTrue)).Ready)
	assert.Equal(t, corev1.ConditionUnknown, toNode(&corev1.Node{}).Ready)
}
