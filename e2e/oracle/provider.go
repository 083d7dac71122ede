package oracle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess"
	"github.com/buildpool/buildpool/grpcserver"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
)

// provider is our side of the wire: door, decisions and server, as serve puts them
// together.
type provider struct {
	*nodegroups.Provider
	server *grpcserver.Server
	cloud  *ess.Cloud
}

func newProvider(s engine.Settings, transport http.RoundTripper, w *world) (*provider, error) {
	cloud, err := ess.New(ess.Options{
		Region:      regionOf(s),
		Credentials: ess.StaticCredentials(accessKeyID, accessKeySecret, ""),
		Endpoint:    "http://127.0.0.1:1",
		Transport:   transport,
		Clock:       clock.RealClock{}, // the bubble's
		Jitter:      func() float64 { return 0.5 },
		Limits:      ess.Limits{Default: ess.Rate{PerSecond: 1000, Burst: 1000}},
	})
	if err != nil {
		return nil, err
	}
	var tokens atomic.Int64
	decisions, err := nodegroups.New(configOf(s), nodegroups.Settings{
		Cloud: &steady{Cloud: cloud, world: w}, Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler),
		NewToken: func() string { return fmt.Sprintf("token-%d", tokens.Add(1)) },
	})
	if err != nil {
		return nil, err
	}
	server := grpcserver.New(grpcserver.Options{
		Provider: decisions, Clock: clock.RealClock{}, Registerer: prometheus.NewRegistry(),
	})
	return &provider{Provider: decisions, server: server, cloud: cloud}, nil
}

func (p *provider) inProcess() grpc.ClientConnInterface { return p.server.InProcess() }

func (p *provider) close() {
	_ = p.server.Stop(context.Background()) // without listeners nothing can hold it up
	p.Close()
	p.cloud.Close()
}

// configOf is the node-group file of the settings, its templates pinned so that the
// provider makes of the account's instance types exactly the nodes that the settings
// describe.
func configOf(s engine.Settings) config.Config {
	cfg := config.Config{APIVersion: config.APIVersion, Kind: config.Kind, Region: regionOf(s), Expander: s.Expander, Schedule: s.Schedule}
	for n, g := range s.Groups {
		c := g.Config
		c.ScalingGroup = config.ScalingGroup{ID: scalingGroupID(n)}
		c.Labels = maps.Clone(g.Template.Labels)
		none := 0
		c.Template.InstanceType, c.Template.MemoryOverheadPercent = "", &none
		c.Template.MaxPods = int(g.Template.Capacity.Pods().Value())
		c.Template.Reserved = config.Reserved{
			CPU:              reserved(g.Template, corev1.ResourceCPU),
			Memory:           reserved(g.Template, corev1.ResourceMemory),
			EphemeralStorage: reserved(g.Template, corev1.ResourceEphemeralStorage),
		}
		if disk, ok := g.Template.Capacity[corev1.ResourceEphemeralStorage]; ok {
			c.Template.EphemeralStorage = &disk
		}
		if gpus, ok := g.Template.Capacity[cloudprovider.GPUResource]; ok {
			c.Template.GPU = &config.GPU{Type: g.Template.Labels[cloudprovider.LabelGPU], Count: int(gpus.Value())}
		}
		c.Price = &config.Price{PerHour: g.PricePerHour, Currency: s.Currency}
		cfg.Groups = append(cfg.Groups, c)
	}
	return cfg
}

func reserved(t cloudprovider.NodeTemplate, name corev1.ResourceName) *resource.Quantity {
	capacity, ok := t.Capacity[name]
	if !ok {
		return nil
	}
	kept := capacity.DeepCopy()
	kept.Sub(t.Allocatable[name])
	return &kept
}

// errTemplate: the provider would promise other nodes than the settings describe.
var errTemplate = errors.New("the provider's template is not the settings' template")

// checkTemplates refreshes once and compares the provider's templates with the
// settings'.
func (p *provider) checkTemplates(ctx context.Context, s engine.Settings) error {
	if err := p.Refresh(ctx); err != nil {
		return fmt.Errorf("refresh the provider: %w", err)
	}
	for _, g := range s.Groups {
		made, err := p.TemplateNode(g.Config.Name)
		if err != nil {
			return err
		}
		if !maps.Equal(made.Labels, g.Template.Labels) || !equality.Semantic.DeepEqual(made.Allocatable, g.Template.Allocatable) {
			return fmt.Errorf("group %s: %w: %v %v, not %v %v", g.Config.Name, errTemplate,
				made.Labels, made.Allocatable, g.Template.Labels, g.Template.Allocatable)
		}
	}
	return nil
}
