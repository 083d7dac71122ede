package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc"
	caconfig "k8s.io/autoscaler/cluster-autoscaler/config"
	coreoptions "k8s.io/autoscaler/cluster-autoscaler/core/options"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/ess"
	"github.com/buildpool/buildpool/grpcserver"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// nodeGroupFile names every group like its scaling group. Prices are given, so that
// none are asked of ECS.
func (f fleet) nodeGroupFile() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "apiVersion: buildpool/v1alpha1\nkind: NodeGroups\nregion: %s\ngroups:\n", region)
	for n := range f.groups {
		fmt.Fprintf(&b, "  - {name: %[1]s, class: normal, scalingGroup: {id: %[1]s}, max: %[2]d, labels: {group: %[1]s}, price: {perHour: 1.6308, currency: CNY}}\n",
			groupID(n), maxSize)
	}
	return []byte(b.String())
}

// openBuildpool makes buildpool's provider over the simulated account, serves it on
// loopback as "buildpool serve" does, and returns upstream's client of it.
func openBuildpool(f fleet, s *simulation) (provider cloudprovider.CloudProvider, end func() error, err error) {
	cfg, err := config.Parse("nodegroups.yaml", f.nodeGroupFile())
	if err != nil {
		return nil, nil, err
	}
	credentials, err := ess.NewCredentials(ess.CredentialOptions{
		Source: ess.SourceStatic, Static: ess.Credentials{AccessKeyID: accessKey, AccessKeySecret: accessSecret},
	})
	if err != nil {
		return nil, nil, err
	}
	cloud, err := ess.New(ess.Options{Region: region, Credentials: credentials, Endpoint: "http://" + s.address(), Clock: clock.RealClock{}})
	if err != nil {
		return nil, nil, err
	}
	groups, err := nodegroups.New(cfg, nodegroups.Settings{
		Cloud: cloud, Clock: s.clock, Log: slog.New(slog.DiscardHandler), NewToken: rand.Text,
	})
	if err != nil {
		return nil, nil, err
	}
	// As serve does, before it says that it is ready.
	if err := groups.Refresh(context.Background()); err != nil {
		return nil, nil, err
	}
	server := grpcserver.New(grpcserver.Options{Provider: groups, Clock: s.clock})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, fmt.Errorf("listen for the provider: %w", err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	end = func() error {
		err := errors.Join(server.Stop(context.Background()), <-served)
		groups.Close()
		cloud.Close()
		return err
	}
	provider, err = connect(listener.Addr().String())
	if err != nil {
		return nil, nil, errors.Join(err, end())
	}
	return provider, end, nil
}

// connect makes upstream's client, which takes its settings from a file: those that
// README.md recommends.
func connect(address string) (cloudprovider.CloudProvider, error) {
	dir, err := os.MkdirTemp("", "buildpool-alicloud-")
	if err != nil {
		return nil, fmt.Errorf("make room for the cloud-config: %w", err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "cloud-config")
	if err := os.WriteFile(file, fmt.Appendf(nil, "address: %q\ngrpc_timeout: 10s\n", address), 0o600); err != nil {
		return nil, fmt.Errorf("write the cloud-config: %w", err)
	}
	options := &coreoptions.AutoscalerOptions{AutoscalingOptions: caconfig.AutoscalingOptions{CloudConfig: file}}
	return externalgrpc.BuildExternalGrpc(options, cloudprovider.NodeGroupDiscoveryOptions{}, nil), nil
}
