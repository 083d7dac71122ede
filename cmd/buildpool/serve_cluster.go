package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/spf13/pflag"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/cluster"
)

// clusterFlags say whether we look at the Kubernetes cluster, and how it is reached.
type clusterFlags struct {
	watch      string
	kubeconfig string
}

// The values of --watch-cluster.
const (
	watchAuto   = "auto"
	watchAlways = "always"
	watchNever  = "never"
)

func (f *clusterFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.watch, "watch-cluster", watchAuto,
		"follow the cluster's pods and nodes, so that no build's node is removed: always, never, or auto, where --kubeconfig is given or a service account's token is mounted")
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "how to reach the cluster whose nodes we scale, which also holds the lease; default: the cluster we run in")
}

func (f *clusterFlags) check() error {
	switch f.watch {
	case watchAuto, watchAlways, watchNever:
		return nil
	}
	return fmt.Errorf("--watch-cluster is %q, want %s, %s or %s", f.watch, watchAuto, watchAlways, watchNever)
}

// kubernetes is the client of the cluster, made when it is first asked for.
func (s *serving) kubernetes() (kubernetes.Interface, error) {
	if s.client != nil {
		return s.client, nil
	}
	settings, err := restConfigOf(s.flags.cluster.kubeconfig, s.log)
	if err != nil {
		return nil, err
	}
	s.restConfig = settings
	s.client, err = kubernetes.NewForConfig(settings)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	return s.client, nil
}

// restConfigOf is how a kubeconfig says the cluster is reached; empty: the one we run in.
func restConfigOf(kubeconfig string, log *slog.Logger) (*rest.Config, error) {
	settings, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	settings.UserAgent = "buildpool/" + thisBuild().Version
	klog.SetSlogLogger(log) // client-go has no other way to be given a log
	return settings, nil
}

// openCluster prepares the cache of pods and nodes; nothing is read before run.
func (s *serving) openCluster() error {
	f := s.flags.cluster
	if f.watch == watchNever {
		return nil
	}
	if f.watch == watchAuto && f.kubeconfig == "" {
		// Outside a cluster, and in a pod that was given no token, there is none to see.
		if _, err := rest.InClusterConfig(); errors.Is(err, rest.ErrNotInCluster) || errors.Is(err, fs.ErrNotExist) {
			s.log.Info("the cluster is not watched: a delete is not checked for builds that began since", "why", err)
			return nil
		}
	}
	client, err := s.kubernetes()
	if err != nil {
		return fmt.Errorf("watch the cluster: %w", err)
	}
	s.cluster, err = cluster.NewCache(client, s.env.clock, s.log)
	return err
}

// seen is the cluster as the provider sees it; nil if it is not watched.
func (s *serving) seen() cloudprovider.Cluster {
	if s.cluster == nil {
		return nil
	}
	return s.cluster
}

// nodeWriters delete and reopen Node objects; nil if the cluster is not watched.
func (s *serving) nodeWriters() (cloudprovider.NodeDeleter, cloudprovider.NodeReopener) {
	if s.cluster == nil {
		return nil, nil
	}
	nodes := cluster.NewNodes(s.client)
	return nodes, nodes
}

// watchCluster keeps the cache until ctx ends.
func (s *serving) watchCluster(ctx context.Context) error {
	if s.cluster != nil {
		s.cluster.Run(ctx)
	}
	return nil
}
