package kubenodes

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// Account is the part of a simulated account that is read here.
type Account interface {
	Region() string
	Now() time.Time
	Delays() account.Delays
	// Running returns the instances that are or were in service and still exist.
	Running() []account.Instance
	// NoteJoined says that an instance has become a node.
	NoteJoined(instanceID string) error
}

var _ Account = (*account.Account)(nil)

// Options are what a Registrar is made of.
type Options struct {
	Client  kubernetes.Interface
	Account Account
	// Clock drives the loop; it is the account's.
	Clock clock.WithTicker
	// Every is how often the account is looked at. Default: 1 s.
	Every time.Duration
	// ProviderID is the form of spec.providerID. Default: <region>.<id>.
	ProviderID ProviderIDForm
	// KeepNodes leaves the Node object of an instance that was stopped or is gone where it
	// is, with a kubelet that is silent, as in a cluster in which no
	// cloud-controller-manager deletes it. Default: it is deleted.
	KeepNodes bool
	// KernelMemoryPercent is how much less memory a machine shows than its type has.
	KernelMemoryPercent float64
	Log                 *slog.Logger
}

// Registrar keeps the cluster's simulated nodes in step with an account. It keeps
// nothing that it cannot find again: the account knows which instances have joined,
// and a new one adopts the nodes of instances that exist and deletes the others of
// its kind.
type Registrar struct {
	client  kubernetes.Interface
	account Account
	clock   clock.WithTicker
	every   time.Duration
	machine machine
	keep    bool
	log     *slog.Logger

	mu sync.Mutex
	// nodes are the names of our nodes by instance; nil until they have been listed.
	// A node that somebody else deletes stays deleted, as it would for a kubelet.
	nodes map[string]string
	// broken are the instances that never join, by their bad user data.
	broken map[string]bool
}

// parallelCalls bounds the calls to the apiserver at once.
const parallelCalls = 8

// New makes a Registrar; Run makes it work.
func New(o Options) *Registrar {
	if o.Every == 0 {
		o.Every = time.Second
	}
	if o.ProviderID == "" {
		o.ProviderID = ProviderIDDot
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Registrar{
		client:  o.Client,
		account: o.Account,
		clock:   o.Clock,
		every:   o.Every,
		machine: machine{region: o.Account.Region(), form: o.ProviderID, kernelMemoryPercent: o.KernelMemoryPercent},
		keep:    o.KeepNodes,
		log:     o.Log,
		broken:  map[string]bool{},
	}
}

// Run keeps nodes in step until ctx ends. Errors of the apiserver are logged and
// what failed is tried again at the next tick.
func (r *Registrar) Run(ctx context.Context) {
	ticker := r.clock.NewTicker(r.every)
	defer ticker.Stop()
	for {
		if err := r.Sync(ctx); err != nil && ctx.Err() == nil {
			r.log.Warn("keep nodes in step with instances", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
	}
}

// Sync registers the instances whose time has come and deletes the nodes whose
// instances are gone. It does as much as it can and returns what failed.
func (r *Registrar) Sync(ctx context.Context) error {
	if err := r.adopt(ctx); err != nil {
		return err
	}
	running := r.account.Running()
	exists := make(map[string]bool, len(running))
	for _, i := range running {
		exists[i.ID] = true
	}
	var (
		group errgroup.Group
		mu    sync.Mutex
		errs  []error
	)
	group.SetLimit(parallelCalls)
	do := func(err error) {
		if err != nil {
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		}
	}
	for _, i := range r.due(running) {
		group.Go(func() error { do(r.register(ctx, i)); return nil })
	}
	for id, name := range r.gone(exists) {
		group.Go(func() error { do(r.leave(ctx, id, name)); return nil })
	}
	// Failures are in errs, so that one does not hide the others.
	_ = group.Wait()
	return errors.Join(errs...)
}

// adopt lists, once, the nodes that an earlier run left.
func (r *Registrar) adopt(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.nodes != nil {
		return nil
	}
	list, err := r.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("list nodes: %w", err)
	}
	r.nodes = map[string]string{}
	for _, node := range list.Items {
		if id := node.Annotations[InstanceAnnotation]; id != "" {
			r.nodes[id] = node.Name
		}
	}
	return nil
}

// due returns the instances that join now.
func (r *Registrar) due(running []account.Instance) []account.Instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	since := r.account.Now().Add(-r.account.Delays().Join)
	var due []account.Instance
	for _, i := range running {
		_, joined := r.nodes[i.ID]
		leaving := i.State == account.Removing || i.State == account.RemovingWait
		if !joined && !i.Joined && !leaving && !r.broken[i.ID] && !i.InService.After(since) {
			due = append(due, i)
		}
	}
	return due
}

// gone returns the names of the nodes whose instances do not exist.
func (r *Registrar) gone(exists map[string]bool) map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	gone := map[string]string{}
	for id, name := range r.nodes {
		if !exists[id] {
			gone[id] = name
		}
	}
	for id := range r.broken {
		if !exists[id] {
			delete(r.broken, id)
		}
	}
	return gone
}

// register creates an instance's node with its status in one call, as kubelet does,
// so that nobody ever sees it without a size.
func (r *Registrar) register(ctx context.Context, i account.Instance) error {
	node, err := r.machine.node(i)
	if err != nil {
		r.mark(i.ID)
		r.log.Error("the machine never joins", "instance", i.ID, "error", err)
		return nil
	}
	_, err = r.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		if err = r.checkOurs(ctx, node); err == nil && r.keep {
			err = r.handToKwok(ctx, node.Name, true)
		}
	}
	if err != nil {
		return fmt.Errorf("create node %s: %w", node.Name, err)
	}
	if err := r.account.NoteJoined(i.ID); err != nil && !isGone(err) {
		return fmt.Errorf("note node %s: %w", node.Name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nodes[i.ID] = node.Name
	r.log.Info("node joined", "node", node.Name, "type", i.Type.Name, "zone", i.Zone, "group", i.GroupID)
	return nil
}

// isGone reports that an instance went while it joined; its node goes next.
func isGone(err error) bool {
	var refused *account.Error
	return errors.As(err, &refused) && refused.Status == http.StatusNotFound
}

func (r *Registrar) mark(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken[id] = true
}

// checkOurs accepts a node that is there already if an earlier try created it.
func (r *Registrar) checkOurs(ctx context.Context, wanted *corev1.Node) error {
	found, err := r.client.CoreV1().Nodes().Get(ctx, wanted.Name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if found.Annotations[InstanceAnnotation] != wanted.Annotations[InstanceAnnotation] {
		return errors.New("a node of that name exists that is not of this simulator")
	}
	return nil
}

// leave deletes the node of an instance that is gone, or silences its kubelet.
func (r *Registrar) leave(ctx context.Context, id, name string) error {
	if !r.keep {
		return r.remove(ctx, id, name)
	}
	err := r.handToKwok(ctx, name, false)
	if err == nil {
		err = r.miss(ctx, name)
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("silence node %s: %w", name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.nodes, id)
	r.log.Info("node's kubelet is silent", "node", name)
	return nil
}

// miss says of a node what the control plane says of one whose kubelet is silent. kwok
// goes on to renew the lease of a node that it has once held, so that the control plane
// would not come to it by itself.
func (r *Registrar) miss(ctx context.Context, name string) error {
	node, err := r.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	for i := range node.Status.Conditions {
		c := &node.Status.Conditions[i]
		if c.Type == corev1.NodeReady && c.Status != corev1.ConditionUnknown {
			c.Status, c.Reason, c.Message = corev1.ConditionUnknown, "NodeStatusUnknown", "Kubelet stopped posting node status."
			c.LastTransitionTime = metav1.NewTime(r.clock.Now())
			_, err = r.client.CoreV1().Nodes().UpdateStatus(ctx, node, metav1.UpdateOptions{})
		}
	}
	return err
}

// handToKwok lets kwok play the node's kubelet, or no longer.
func (r *Registrar) handToKwok(ctx context.Context, name string, on bool) error {
	value := "null"
	if on {
		value = strconv.Quote(kwokFake)
	}
	change := fmt.Sprintf(`{"metadata":{"annotations":{%q:%s}}}`, kwokAnnotation, value)
	_, err := r.client.CoreV1().Nodes().Patch(ctx, name, types.MergePatchType, []byte(change), metav1.PatchOptions{})
	return err
}

func (r *Registrar) remove(ctx context.Context, id, name string) error {
	err := r.client.CoreV1().Nodes().Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete node %s: %w", name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.nodes, id)
	r.log.Info("node left", "node", name)
	return nil
}
