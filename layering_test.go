package buildpool_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/buildpool/buildpool"

// layers is the architecture: which packages of ours each package may import. A
// package that is not here fails the test, so that its place is decided on purpose.
var layers = map[string][]string{
	"cloudprovider":               {},
	"cloudprovider/cloudtest":     {"cloudprovider"},
	"nodegroups/schedule":         {},
	"nodegroups/config":           {"cloudprovider", "nodegroups/schedule", "overflow"},
	"nodegroups/expander":         {"cloudprovider", "nodegroups/config"},
	"nodegroups/floor":            {"nodegroups/config", "nodegroups/schedule"},
	"nodegroups/explain":          {"cloudprovider"},
	"nodegroups/usage":            {"cloudprovider"},
	"nodegroups/headroom":         {"nodegroups/config", "nodegroups/schedule"},
	"nodegroups/spot":             {"nodegroups/config"},
	"nodegroups":                  {"cloudprovider", "nodegroups/config", "nodegroups/expander", "nodegroups/floor", "nodegroups/headroom", "nodegroups/spot"},
	"ess":                         {"cloudprovider"},
	"ess/esssim":                  {"ess/esssim/account"},
	"ess/esssim/account":          {},
	"ess/esssim/statefile":        {"ess/esssim/account"},
	"ess/esssim/kubenodes":        {"ess/esssim", "ess/esssim/account"},
	"grpcserver":                  {"cloudprovider", "grpcserver/dialect"},
	"grpcserver/dialect":          {"cloudprovider"},
	"timeline":                    {"cloudprovider"},
	"cluster":                     {"cloudprovider"},
	"overflow":                    {"cloudprovider"},
	"overflow/controller":         {"overflow", "nodegroups/config", "nodegroups/explain", "cloudprovider"},
	"simulations/workload":        {},
	"simulations/engine":          {"simulations/workload", "nodegroups", "nodegroups/config", "nodegroups/expander", "nodegroups/floor", "nodegroups/spot", "cloudprovider", "overflow"},
	"simulations/baseline":        {"simulations/engine", "simulations/workload", "cloudprovider"},
	"simulations/report":          {"simulations/baseline", "simulations/engine", "simulations/workload", "nodegroups/config", "overflow"},
	"simulations/recommend":       {"simulations/baseline", "simulations/engine", "simulations/report", "simulations/workload", "nodegroups/config", "cloudprovider", "overflow"},
	"simulations/scenario":        {"simulations/engine", "simulations/workload", "nodegroups", "nodegroups/config", "cloudprovider", "overflow"},
	"simulations/scenarios":       {"simulations/scenario"},
	"cmd/buildpool/internal/demo": {"ess/esssim", "ess/esssim/account"},
	"cmd/buildpool":               {"*"},
}

// owners says which of our packages may import a dependency that shapes whoever
// touches it. Tests are not bound by it.
var owners = map[string][]string{
	"github.com/aliyun/alibaba-cloud-sdk-go": {"ess"},
	"k8s.io/client-go":                       {"cluster", "ess/esssim/kubenodes", "cmd/buildpool"},
	"google.golang.org/grpc":                 {"grpcserver", "cmd/buildpool"},
	"k8s.io/autoscaler":                      {"grpcserver", "grpcserver/dialect", "cmd/buildpool", "cmd/buildpool/internal/demo"},
	"github.com/spf13/cobra":                 {"cmd/buildpool"},
	"sigs.k8s.io/yaml":                       {"ess/esssim/account", "cmd/buildpool"},
	"github.com/robfig/cron":                 {"nodegroups/schedule"},
	"github.com/fsnotify/fsnotify":           {"nodegroups/config"},
	"go.opentelemetry.io/otel":               {"ess", "grpcserver", "cmd/buildpool"},
	"go.opentelemetry.io/otel/sdk":           {"cmd/buildpool"},
	"go.opentelemetry.io/otel/exporters":     {"cmd/buildpool"},
	"go.opentelemetry.io/contrib":            {"grpcserver"},
}

type goPackage struct {
	ImportPath string
	Imports    []string
}

func TestImportsRunOneWay(t *testing.T) {
	packages := listPackages(t)
	require.NotEmpty(t, packages)
	for _, p := range packages {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if name == "" {
			continue
		}
		allowed, known := layers[name]
		if !known {
			t.Errorf("package %s has no place in the layers: add it on purpose", name)
			continue
		}
		for _, imported := range p.Imports {
			if ours, ok := strings.CutPrefix(imported, module+"/"); ok {
				if !slices.Contains(allowed, "*") && !slices.Contains(allowed, ours) {
					t.Errorf("%s imports %s, which its layer may not", name, ours)
				}
				continue
			}
			for dependency, who := range owners {
				if within(imported, dependency) && !slices.Contains(who, name) {
					t.Errorf("%s imports %s, which only %v may", name, imported, who)
				}
			}
		}
	}
}

func within(imported, dependency string) bool {
	return imported == dependency || strings.HasPrefix(imported, dependency+"/")
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	require.NoError(t, err)
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
