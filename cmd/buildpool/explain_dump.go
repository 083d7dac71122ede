package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/explain"
)

const explainDumpKind = "ExplainDump"

// explainDump is what an explanation is made of, as it was read.
type explainDump struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Status     statusReport    `json:"status"`
	Nodes      []corev1.Node   `json:"nodes"`
	Pods       []corev1.Pod    `json:"pods"`
	Events     []explain.Event `json:"events"`
	Claims     []explain.Claim `json:"claims"`
}

// clusterTimeout bounds the reading of the cluster.
const clusterTimeout = time.Minute

// dumpOf asks the server and the cluster.
func dumpOf(ctx context.Context, f explainFlags) (explainDump, error) {
	dump := explainDump{APIVersion: statusVersion, Kind: explainDumpKind}
	body, err := fetchStatus(ctx, f.server)
	if err != nil {
		return explainDump{}, err
	}
	if err := json.Unmarshal(body, &dump.Status); err != nil || dump.Status.Kind != statusKind {
		return explainDump{}, fmt.Errorf("read status of %s: the answer is not that of buildpool serve", f.server)
	}
	client, err := f.client()
	if err != nil {
		return explainDump{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, clusterTimeout)
	defer cancel()
	return dump, dump.readCluster(ctx, client)
}

func (f explainFlags) client() (kubernetes.Interface, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.kubeconfig
	rest, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: f.context}).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	client, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	return client, nil
}

// readCluster adds what the cluster says, cut down to what an explanation needs.
func (d *explainDump) readCluster(ctx context.Context, client kubernetes.Interface) error {
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	for _, n := range nodes.Items {
		d.Nodes = append(d.Nodes, keptNode(n))
	}
	pods, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "status.phase!=Succeeded,status.phase!=Failed"})
	if err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	for _, p := range pods.Items {
		d.Pods = append(d.Pods, keptPod(p))
	}
	if d.Claims, err = readClaims(ctx, client.CoreV1(), pods.Items); err != nil {
		return err
	}
	for _, reason := range []string{"NotTriggerScaleUp", "TriggeredScaleUp", explain.Overflowed, explain.OverflowRefused} {
		events, err := client.CoreV1().Events("").List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=Pod,reason=" + reason})
		if err != nil {
			return fmt.Errorf("list events: %w", err)
		}
		for _, e := range events.Items {
			at := e.LastTimestamp.Time
			if at.IsZero() {
				at = e.EventTime.Time
			}
			d.Events = append(d.Events, explain.Event{Pod: e.InvolvedObject.Namespace + "/" + e.InvolvedObject.Name, Reason: e.Reason, Message: e.Message, At: at})
		}
	}
	return nil
}

// keptNode is what is kept of a node.
func keptNode(n corev1.Node) corev1.Node {
	return corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: n.Labels, CreationTimestamp: n.CreationTimestamp, DeletionTimestamp: n.DeletionTimestamp},
		Spec:       corev1.NodeSpec{ProviderID: n.Spec.ProviderID, Taints: n.Spec.Taints, Unschedulable: n.Spec.Unschedulable},
		Status:     corev1.NodeStatus{Allocatable: n.Status.Allocatable, Conditions: n.Status.Conditions},
	}
}

// keptPod is what is kept of a pod: of its containers names and requests only.
func keptPod(p corev1.Pod) corev1.Pod {
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name, CreationTimestamp: p.CreationTimestamp, DeletionTimestamp: p.DeletionTimestamp},
		Spec: corev1.PodSpec{
			NodeName: p.Spec.NodeName, NodeSelector: p.Spec.NodeSelector, Affinity: p.Spec.Affinity, Tolerations: p.Spec.Tolerations,
			Priority: p.Spec.Priority, SchedulingGates: p.Spec.SchedulingGates, Overhead: p.Spec.Overhead, Resources: p.Spec.Resources,
			InitContainers: keptContainers(p.Spec.InitContainers), Containers: keptContainers(p.Spec.Containers),
			Volumes: keptVolumes(p.Spec.Volumes),
		},
		Status: corev1.PodStatus{
			Phase: p.Status.Phase, Conditions: p.Status.Conditions,
			InitContainerStatuses: keptStatuses(p.Status.InitContainerStatuses), ContainerStatuses: keptStatuses(p.Status.ContainerStatuses),
		},
	}
}

func keptContainers(containers []corev1.Container) []corev1.Container {
	var out []corev1.Container
	for _, c := range containers {
		out = append(out, corev1.Container{Name: c.Name, RestartPolicy: c.RestartPolicy, Resources: corev1.ResourceRequirements{Requests: c.Resources.Requests}})
	}
	return out
}

// keptStatuses keeps why a container waits; the kubelet's message names images.
func keptStatuses(statuses []corev1.ContainerStatus) []corev1.ContainerStatus {
	var out []corev1.ContainerStatus
	for _, s := range statuses {
		kept := corev1.ContainerStatus{Name: s.Name}
		if s.State.Waiting != nil {
			kept.State.Waiting = &corev1.ContainerStateWaiting{Reason: s.State.Waiting.Reason}
		}
		out = append(out, kept)
	}
	return out
}

// facts are the dump in the words of explain.
func (d explainDump) facts() explain.Facts {
	f := explain.Facts{
		Now: d.Status.Now, Nodes: d.Nodes, Pods: d.Pods, Events: d.Events, Claims: d.Claims,
		Server: explain.Server{NotReady: d.Status.NotReady, DryRun: d.Status.DryRun},
	}
	if d.Status.Snapshot != nil {
		f.Server.Taken = d.Status.Snapshot.Taken
	}
	location, err := time.LoadLocation(d.Status.TimeZone)
	if err != nil {
		location = time.UTC
	}
	if o := d.Status.Overflow; o != nil {
		f.Overflow = &explain.Overflow{Failing: o.Failing, Pods: map[string]string{}}
		for _, p := range o.Pods {
			f.Overflow.Pods[p.Pod] = p.Text
		}
	}
	for _, g := range d.Status.Groups {
		f.Groups = append(f.Groups, explainGroup(g, d.Status.Now, location))
	}
	return f
}

func explainGroup(g groupReport, now time.Time, location *time.Location) explain.Group {
	out := explain.Group{
		Name: g.Name, Class: g.Class, NotServed: g.Problem, Inactive: g.Inactive,
		Min: g.Min, Max: g.Max, Target: g.Target, Running: g.Instances.Running, Creating: g.Instances.Creating, Failed: g.Instances.Failed,
		Floor: floorReason(g, now, location), MaxReason: g.MaxReason,
		TemplateProblem: g.TemplateProblem, Boot: nextBoot(g),
	}
	if t := g.Template; t != nil {
		out.Template = &cloudprovider.NodeTemplate{Labels: t.Labels, Taints: t.Taints, Allocatable: t.Allocatable}
	}
	for _, text := range []string{noticesText(g), reclaimsText(g.Reclaims)} {
		if text != "" {
			out.Reclaims = append(out.Reclaims, sentence(text))
		}
	}
	for _, t := range g.Troubles {
		out.Troubles = append(out.Troubles, cloudprovider.Skip{Reason: cloudprovider.SkipReason(t.Reason), Code: t.Code, At: t.At, Until: t.Until})
	}
	return out
}

// nextBoot is how long the group's next node takes: stopped instances are started first.
func nextBoot(g groupReport) time.Duration {
	if g.Instances.Stopped > 0 && g.BootStartedSeconds > 0 {
		return seconds(g.BootStartedSeconds)
	}
	return seconds(g.BootSeconds)
}
