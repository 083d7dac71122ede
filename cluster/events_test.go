package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cluster"
)

func TestEventsAreWrittenAndNotTooMany(t *testing.T) {
	client := fake.NewClientset()
	now := testingclock.NewFakePassiveClock(time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC))
	e := cluster.NewEvents(t.Context(), client, now, slog.New(slog.DiscardHandler))
	t.Cleanup(e.Close)
	written := func() []corev1.Event {
		list, err := client.CoreV1().Events("").List(context.Background(), metav1.ListOptions{})
		require.NoError(t, err)
		return list.Items
	}
	e.Pod("ci", "build", "u1", "WaitedForNode", "Waited 1m32s for a new node.")
	e.Node("n", "u2", "JoinedNodeGroup", "It joined.")
	require.Eventually(t, func() bool { return len(written()) == 2 }, 10*time.Second, 10*time.Millisecond)
	byReason := map[string]corev1.Event{}
	for _, event := range written() {
		byReason[event.Reason] = event
	}
	pod, node := byReason["WaitedForNode"], byReason["JoinedNodeGroup"]
	assert.Equal(t, "Waited 1m32s for a new node.", pod.Message)
	assert.Equal(t, "ci", pod.Namespace)
	assert.Equal(t, corev1.ObjectReference{Kind: "Pod", APIVersion: "v1", Namespace: "ci", Name: "build", UID: "u1"}, pod.InvolvedObject)
	assert.Equal(t, "buildpool", pod.Source.Component)
	assert.Equal(t, corev1.ObjectReference{Kind: "Node", APIVersion: "v1", Name: "n", UID: "u2"}, node.InvolvedObject)

	for n := range 500 {
		e.Pod("ci", fmt.Sprint("build-", n), fmt.Sprint("u", n), "WaitedForNode", "It waited.")
	}
	now.SetTime(now.Now().Add(time.Second)) // five more may
	e.Pod("ci", "last", "last", "WaitedForNode", "It waited.")
	require.Eventually(t, func() bool {
		for _, event := range written() {
			if event.InvolvedObject.Name == "last" {
				return true
			}
		}
		return false
	}, 10*time.Second, 10*time.Millisecond)
	assert.Len(t, written(), 101, "a burst of a hundred, and one of a second later")
}
