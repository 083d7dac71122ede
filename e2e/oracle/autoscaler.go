package oracle

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"
	"unsafe"

	"google.golang.org/grpc"
	"k8s.io/autoscaler/cluster-autoscaler/builder"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/autoscaler/cluster-autoscaler/clusterstate/scaleupfailures"
	"k8s.io/autoscaler/cluster-autoscaler/clusterstate/utils"
	"k8s.io/autoscaler/cluster-autoscaler/config"
	"k8s.io/autoscaler/cluster-autoscaler/config/flags"
	cacontext "k8s.io/autoscaler/cluster-autoscaler/context"
	"k8s.io/autoscaler/cluster-autoscaler/core"
	coreoptions "k8s.io/autoscaler/cluster-autoscaler/core/options"
	"k8s.io/autoscaler/cluster-autoscaler/core/podlistprocessor"
	"k8s.io/autoscaler/cluster-autoscaler/core/scaleup/orchestrator"
	"k8s.io/autoscaler/cluster-autoscaler/debuggingsnapshot"
	"k8s.io/autoscaler/cluster-autoscaler/expander"
	"k8s.io/autoscaler/cluster-autoscaler/expander/factory"
	"k8s.io/autoscaler/cluster-autoscaler/loop"
	"k8s.io/autoscaler/cluster-autoscaler/processors"
	"k8s.io/autoscaler/cluster-autoscaler/processors/nodeinfosprovider"
	"k8s.io/autoscaler/cluster-autoscaler/processors/scaledowncandidates"
	"k8s.io/autoscaler/cluster-autoscaler/processors/scaledowncandidates/emptycandidates"
	"k8s.io/autoscaler/cluster-autoscaler/processors/scaledowncandidates/previouscandidates"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/clustersnapshot/predicate"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/clustersnapshot/store"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/drainability/rules"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/framework"
	nodeoptions "k8s.io/autoscaler/cluster-autoscaler/simulator/options"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/scheduling"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/record"

	"github.com/buildpool/buildpool/simulations/engine"
)

// autoscaler is the real thing: upstream's StaticAutoscaler as its main program
// makes it, its loop's trigger, and what has to be tidied away.
type autoscaler struct {
	*core.StaticAutoscaler
	trigger *loop.LoopTrigger
	options config.AutoscalingOptions
	client  *fake.Clientset
	// looped is how long a loop takes.
	looped time.Duration
	loops  int
	failed []error
}

// minLoop is the least a loop takes. In no time at all, a productive loop would be
// followed by another without end: loop/trigger.go compares with the loop before.
const minLoop = 10 * time.Millisecond

// optionsOf are cluster-autoscaler's flags: its own defaults, and what the settings
// say.
func optionsOf(a engine.Autoscaler) config.AutoscalingOptions {
	o := flags.AutoscalingOptions()
	o.CloudProviderName = cloudprovider.ExternalGrpcProviderName
	o.ScanInterval = a.ScanInterval
	o.NewPodScaleUpDelay = a.NewPodScaleUpDelay
	o.ScaleDownEnabled = a.ScaleDownEnabled
	o.ScaleDownDelayAfterAdd = a.ScaleDownDelayAfterAdd
	o.ScaleDownDelayAfterDelete = a.ScaleDownDelayAfterDelete
	o.ScaleDownDelayAfterFailure = a.ScaleDownDelayAfterFailure
	o.ScaleDownDelayTypeLocal = a.ScaleDownDelayTypeLocal
	o.NodeGroupDefaults.ScaleDownUnneededTime = a.ScaleDownUnneededTime
	o.NodeGroupDefaults.ScaleDownUnreadyTime = a.ScaleDownUnreadyTime
	o.NodeGroupDefaults.ScaleDownUtilizationThreshold = a.ScaleDownUtilizationThreshold
	o.NodeGroupDefaults.ScaleDownGpuUtilizationThreshold = a.ScaleDownGPUUtilization
	o.NodeGroupDefaults.MaxNodeProvisionTime = a.MaxNodeProvisionTime
	o.UnremovableNodeRecheckTimeout = a.UnremovableNodeRecheckTimeout
	o.MaxScaleDownParallelism = a.MaxScaleDownParallelism
	o.MaxDrainParallelism = a.MaxDrainParallelism
	o.MaxNodesPerScaleUp = a.MaxNodesPerScaleUp
	o.MaxNodesTotal = a.MaxNodesTotal
	o.InitialNodeGroupBackoffDuration = a.InitialNodeGroupBackoff
	o.MaxNodeGroupBackoffDuration = a.MaxNodeGroupBackoff
	o.NodeGroupBackoffResetTimeout = a.NodeGroupBackoffReset
	o.BalanceSimilarNodeGroups = a.BalanceSimilarNodeGroups
	o.EnforceNodeGroupMinSize = a.EnforceNodeGroupMinSize
	o.NodeDeleteDelayAfterTaint = a.NodeDeleteDelayAfterTaint
	o.FrequentLoopsEnabled = a.FrequentLoops
	o.MaxBulkSoftTaintCount = a.MaxBulkSoftTaintCount
	o.BalancingExtraIgnoredLabels = a.BalancingIgnoreLabels
	// The status is written to a ConfigMap that nobody reads here.
	o.WriteStatusConfigMap = false
	return o
}

func newAutoscaler(ctx context.Context, w *world, p *provider, connection grpc.ClientConnInterface, handle *framework.Handle) (*autoscaler, error) {
	options := optionsOf(w.settings.Autoscaler)
	client := w.newClient()
	limiter := cacontext.NewResourceLimiterFromAutoscalingOptions(options)
	cloud := newExternalGRPC(protos.NewCloudProviderClient(connection), grpcTimeout, limiter)
	recorder := &record.FakeRecorder{}
	status, err := utils.NewStatusMapRecorder(client, options.ConfigNamespace, recorder, false, options.StatusConfigMapName)
	if err != nil {
		return nil, fmt.Errorf("make the status recorder: %w", err)
	}
	clients := &cacontext.AutoscalingKubeClients{ListerRegistry: w.listers(), ClientSet: client, Recorder: recorder, LogRecorder: status}
	parts := partsOf(options, handle)
	parts.KubeClient, parts.AutoscalingKubeClients, parts.CloudProvider = client, clients, cloud
	if parts.ExpanderStrategy, err = expanderOf(w.settings, cloud, clients, client, p); err != nil {
		return nil, err
	}
	informed := informers.NewSharedInformerFactory(client, 0)
	parts.InformerFactory = informed
	built, failed := builder.NewAutoscaler(ctx, parts, informed)
	if failed != nil {
		return nil, fmt.Errorf("build cluster-autoscaler: %w", failed)
	}
	informed.Start(ctx.Done())
	for _, synced := range informed.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return nil, errors.New("build cluster-autoscaler: an informer did not come into step")
		}
	}
	a := &autoscaler{
		StaticAutoscaler: built.(*core.StaticAutoscaler), options: options, client: client,
		trigger: loop.NewLoopTrigger(built, nil, observe(w.unschedulable), options.ScanInterval),
		looped:  max(minLoop, w.settings.Autoscaler.LoopTime),
	}
	return a, a.Start()
}

// newHandle makes the scheduler framework that cluster-autoscaler simulates with. It
// flushes metrics every second for as long as ctx lives; so it is made outside the
// bubble, whose months have many seconds.
func newHandle(ctx context.Context) (*framework.Handle, error) {
	options := flags.AutoscalingOptions()
	unused := informers.NewSharedInformerFactory(fake.NewSimpleClientset(), 0)
	handle, err := framework.NewHandle(ctx, unused, options.SchedulerConfig, options.DynamicResourceAllocationEnabled, options.CSINodeAwareSchedulingEnabled)
	if err != nil {
		return nil, fmt.Errorf("make the scheduler framework: %w", err)
	}
	return handle, nil
}

// partsOf are the parts that cluster-autoscaler's builder puts together for its main
// program, as far as its flags' defaults ask for them
// (builder/autoscaler.go AutoscalerBuilder.Build).
func partsOf(options config.AutoscalingOptions, handle *framework.Handle) coreoptions.AutoscalerOptions {
	deletion := nodeoptions.NewNodeDeleteOptions(options)
	drainability := rules.Default(deletion)
	parts := coreoptions.AutoscalerOptions{
		AutoscalingOptions: options,
		FrameworkHandle:    handle,
		ClusterSnapshot: predicate.NewPredicateSnapshot(store.NewDeltaSnapshotStore(), handle, options.DynamicResourceAllocationEnabled,
			options.PredicateParallelism, options.CSINodeAwareSchedulingEnabled, options.SchedulerVerbosityOffset),
		DebuggingSnapshotter:    debuggingsnapshot.NewDebuggingSnapshotter(false),
		DeleteOptions:           deletion,
		DrainabilityRules:       drainability,
		ScaleUpOrchestrator:     orchestrator.New(),
		ScaleUpFailuresRegistry: scaleupfailures.NewRegistry(),
		Processors:              processors.DefaultProcessors(options),
	}
	parts.LoopStartObservers = append(parts.LoopStartObservers, parts.ScaleUpFailuresRegistry)
	parts.Processors.TemplateNodeInfoProvider = nodeinfosprovider.NewDefaultTemplateNodeInfoProvider(&options.NodeInfoCacheExpireTime, options.ForceDaemonSets)
	parts.Processors.PodListProcessor = podlistprocessor.NewDefaultPodListProcessor(scheduling.ScheduleAnywhere)
	previous := previouscandidates.NewPreviousCandidates()
	parts.Processors.ScaleDownCandidatesNotifier.Register(previous)
	candidates := scaledowncandidates.NewCombinedScaleDownCandidatesProcessor()
	candidates.Register(scaledowncandidates.NewScaleDownCandidatesSortingProcessor([]scaledowncandidates.CandidatesComparer{
		emptycandidates.NewEmptySortingProcessor(emptycandidates.NewNodeInfoGetter(parts.ClusterSnapshot), deletion, drainability),
		previous,
	}))
	if options.ScaleDownDelayTypeLocal {
		delay := scaledowncandidates.NewScaleDownCandidatesDelayProcessor()
		candidates.Register(delay)
		parts.Processors.ScaleStateNotifier.Register(delay)
	}
	parts.Processors.ScaleDownNodeProcessor = candidates
	return parts
}

// expanderOf makes upstream's chain of expanders; two of them reach the world in
// another way than the factory's.
func expanderOf(s engine.Settings, cloud cloudprovider.CloudProvider, clients *cacontext.AutoscalingKubeClients, client *fake.Clientset, p *provider) (expander.Strategy, error) {
	f := factory.NewFactory()
	f.RegisterDefaultExpanders(cloud, clients, client, "kube-system", "", "")
	f.RegisterFilter(expander.PriorityBasedExpanderName, func() expander.Filter { return priorityFilter(s) })
	f.RegisterFilter(expander.GRPCExpanderName, func() expander.Filter { return ourFilter{p.Provider} })
	names := s.Autoscaler.Expander
	if len(names) == 0 {
		names = []string{expander.LeastWasteExpanderName}
	}
	strategy, err := f.Build(names)
	if err != nil {
		return nil, fmt.Errorf("build the expander %v: %w", names, err)
	}
	return strategy, nil
}

// loop runs cluster-autoscaler's loops as its main program does, until done says so.
func (a *autoscaler) loop(ctx context.Context, done func() bool) {
	last, previous := time.Now(), time.Now()
	for !done() {
		if a.options.FrequentLoopsEnabled {
			a.trigger.Wait(previous)
			previous, last = last, time.Now()
		} else {
			time.Sleep(a.options.ScanInterval)
			last = time.Now()
		}
		if err := a.RunOnce(ctx, last); err != nil {
			a.failed = append(a.failed, fmt.Errorf("loop %d: %w", a.loops, err))
		}
		a.loops++
		a.client.ClearActions()
		time.Sleep(a.looped)
	}
}

// stop ends what cluster-autoscaler runs in the background; without the status
// ConfigMap its own clean-up would leave that running.
func (a *autoscaler) stop() {
	a.WriteStatusConfigMap = true
	a.ExitCleanUp()
}

// observe makes upstream's observer of unschedulable pods listen to the world. Its
// field has no setter: upstream fills it from a watch on kube-apiserver.
func observe(pods <-chan any) *loop.UnschedulablePodObserver {
	observer := &loop.UnschedulablePodObserver{}
	field := reflect.ValueOf(observer).Elem().FieldByName("unschedulablePodChan")
	*(*<-chan any)(unsafe.Pointer(field.UnsafeAddr())) = pods //nolint:gosec // the address is the field's own
	return observer
}
