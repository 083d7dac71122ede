package checks

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/deploy/checks/internal/definitions"
	"github.com/buildpool/buildpool/deploy/checks/internal/manifest"
)

// customKinds are the versions of the resources of others that we write.
var customKinds = sync.OnceValues(func() (map[string]manifest.Object, error) {
	found, err := definitions.Read(filepath.Join("testdata", "custom-resources.txt"))
	if err != nil {
		return nil, err
	}
	out := map[string]manifest.Object{}
	for _, o := range found {
		versions, _ := o.At("spec", "versions").([]any)
		for _, v := range versions {
			version, _ := v.(map[string]any)
			out[fmt.Sprintf("%v/%v %v", o.At("spec", "group"), version["name"], o.At("spec", "names", "kind"))] = version
		}
	}
	return out, nil
})

func requireCustomKinds(t *testing.T) map[string]manifest.Object {
	t.Helper()
	kinds, err := customKinds()
	require.NoError(t, err)
	return kinds
}
