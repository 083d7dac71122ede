package cluster

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Closing is why the nodes of an instance take no new build.
type Closing struct {
	Group string
	// Why is the value of AnnotationClosed.
	Why string
	// Reclaimed: the cloud takes the instance back, and its builds are told.
	Reclaimed bool
	Since     time.Time
}

// Closer closes nodes to new builds, and opens those again that it has closed. It closes
// by spec.unschedulable, as kubectl cordon does: the scheduler heeds it, and
// cluster-autoscaler makes no template of such a node. With a taint of ours instead it
// would take every node of the group, also the next one, for closed.
//
// What it has done stands in the cluster: doing it again changes nothing.
type Closer struct {
	client kubernetes.Interface
	seen   cloudprovider.Cluster
	events *Events // nil: none are written
	log    *slog.Logger
}

// NewCloser needs the rights to patch nodes and pods.
func NewCloser(client kubernetes.Interface, seen cloudprovider.Cluster, events *Events, log *slog.Logger) *Closer {
	return &Closer{client: client, seen: seen, events: events, log: log}
}

// Keep makes the nodes what they are to be, and tells builds that will lose theirs.
// closing and open are instances by ID; the nodes of others stay as they are. What
// cannot be done for one node does not stop the others; the error tells of all.
func (c *Closer) Keep(ctx context.Context, closing map[string]Closing, open map[string]bool, isBuild func(*cloudprovider.Pod) bool) error {
	if err := c.seen.Current(); err != nil {
		return err
	}
	var failed []error
	for _, s := range planClosing(c.seen.Nodes(), closing, open) {
		failed = append(failed, c.take(ctx, s))
	}
	for id, why := range closing {
		if !why.Reclaimed {
			continue
		}
		for _, n := range c.seen.NodesOf(id) {
			for _, pod := range c.seen.PodsOn(n.Name) {
				if isBuild(pod) && !pod.Reclaimed {
					failed = append(failed, c.tell(ctx, pod, n, why))
				}
			}
		}
	}
	return errors.Join(failed...)
}

// nodeStep is what is to be done to a node: it is closed, or opened if why is empty.
type nodeStep struct {
	node *cloudprovider.ClusterNode
	why  Closing
}

// planClosing compares the nodes as they are with what they are to be.
func planClosing(nodes []*cloudprovider.ClusterNode, closing map[string]Closing, open map[string]bool) []nodeStep {
	var steps []nodeStep
	for _, n := range nodes {
		if n.InstanceID == "" || n.Leaving {
			continue
		}
		why, closes := closing[n.InstanceID]
		switch {
		case closes && n.Closed == why.Why && n.Unschedulable:
		case closes && n.Closed == "" && n.Unschedulable: // somebody else's doing
		case closes:
			steps = append(steps, nodeStep{n, why})
		case n.Closed != "" && open[n.InstanceID]:
			steps = append(steps, nodeStep{node: n})
		}
	}
	slices.SortFunc(steps, func(a, b nodeStep) int { return cmp.Compare(a.node.Name, b.node.Name) })
	return steps
}

func (c *Closer) take(ctx context.Context, s nodeStep) error {
	value, unschedulable := any(s.why.Why), any(true)
	if s.why.Why == "" {
		value, unschedulable = nil, nil
	}
	done, err := c.patch(s.node.UID, value, cloudprovider.AnnotationClosed, map[string]any{"unschedulable": unschedulable},
		func(body []byte) error {
			_, err := c.client.CoreV1().Nodes().Patch(ctx, s.node.Name, types.MergePatchType, body, metav1.PatchOptions{})
			return err
		})
	switch {
	case err != nil:
		return fmt.Errorf("close or open node %s: %w", s.node.Name, err)
	case !done:
		return nil
	}
	reason, sentence := s.sentence()
	c.log.Info("node closed or opened", "node", s.node.Name, "instance", s.node.InstanceID, "group", s.why.Group, "why", s.why.Why, "reason", reason)
	if c.events != nil {
		c.events.Node(s.node.Name, s.node.UID, reason, sentence)
	}
	return nil
}

// The reasons of the events.
const (
	reasonReclaimNotice = "ReclaimNotice"
	reasonDrained       = "NearEndOfProtection"
	reasonOpened        = "OpenToBuildsAgain"
	reasonPodReclaimed  = "NodeTakenBack"
)

func (s nodeStep) sentence() (reason, sentence string) {
	switch {
	case s.why.Why == "":
		return reasonOpened, fmt.Sprintf("Builds may start on this node again: instance %s is not to be taken back any more.", s.node.InstanceID)
	case s.why.Reclaimed:
		return reasonReclaimNotice, fmt.Sprintf("The cloud takes spot instance %s of node group %s back within minutes: no new build starts on this node.", s.node.InstanceID, s.why.Group)
	}
	return reasonDrained, fmt.Sprintf("The cloud may soon take spot instance %s of node group %s back: no new build starts on this node, and those that run go on.", s.node.InstanceID, s.why.Group)
}

// tell marks a build's pod and writes a sentence about it.
func (c *Closer) tell(ctx context.Context, pod *cloudprovider.Pod, n *cloudprovider.ClusterNode, why Closing) error {
	done, err := c.patch(pod.UID, why.Since.UTC().Format(time.RFC3339), cloudprovider.AnnotationReclaimed, nil, func(body []byte) error {
		_, err := c.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.MergePatchType, body, metav1.PatchOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("mark pod %s: %w", pod, err)
	}
	if done && c.events != nil {
		c.events.Pod(pod.Namespace, pod.Name, pod.UID, reasonPodReclaimed,
			fmt.Sprintf("The cloud takes spot instance %s of node %s back within minutes: what has not ended by then has to run again.", n.InstanceID, n.Name))
	}
	return nil
}

// patch sets an annotation, or removes it where value is nil. The UID makes the apiserver
// refuse it for an object that has only the name in common. done is false, and no error,
// if the object is gone.
func (c *Closer) patch(uid string, value any, annotation string, spec map[string]any, send func(body []byte) error) (done bool, err error) {
	change := map[string]any{"metadata": map[string]any{"uid": uid, "annotations": map[string]any{annotation: value}}}
	if spec != nil {
		change["spec"] = spec
	}
	body, err := json.Marshal(change)
	if err != nil {
		return false, fmt.Errorf("encode the change: %w", err)
	}
	err = send(body)
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return false, nil
	}
	return err == nil, err
}
