package objects

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
)

// owner is whom the API server takes for the one who applies.
const owner = "buildpool-e2e"

// Applier applies objects on the server's side. Fields that the server does not know
// are an error.
type Applier struct {
	client dynamic.Interface
	mapper meta.ResettableRESTMapper
}

// NewApplier makes an applier. Kinds that are installed later are found, too.
func NewApplier(kinds discovery.DiscoveryInterface, client dynamic.Interface) *Applier {
	return &Applier{client: client, mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(kinds))}
}

// Apply makes the object or changes it to be as it is written.
func (a *Applier) Apply(ctx context.Context, o Object) error {
	return a.apply(ctx, o)
}

// DryRun goes all the way of Apply through the server, admission among it, and stores
// nothing.
func (a *Applier) DryRun(ctx context.Context, o Object) error {
	return a.apply(ctx, o, metav1.DryRunAll)
}

func (a *Applier) apply(ctx context.Context, o Object, dryRun ...string) error {
	resource, err := a.resource(o)
	if err != nil {
		return err
	}
	content, err := o.MarshalJSON()
	if err != nil {
		return fmt.Errorf("encode %s: %w", Name(o), err)
	}
	_, err = resource.Patch(ctx, o.GetName(), "application/apply-patch+yaml", content, metav1.PatchOptions{
		DryRun: dryRun, FieldManager: owner, FieldValidation: metav1.FieldValidationStrict,
	})
	if err != nil {
		return fmt.Errorf("apply %s: %w", Name(o), err)
	}
	return nil
}

// Get reads the object as it is now.
func (a *Applier) Get(ctx context.Context, o Object) (Object, error) {
	resource, err := a.resource(o)
	if err != nil {
		return nil, err
	}
	now, err := resource.Get(ctx, o.GetName(), metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", Name(o), err)
	}
	return now, nil
}

// Delete deletes the object.
func (a *Applier) Delete(ctx context.Context, o Object) error {
	resource, err := a.resource(o)
	if err != nil {
		return err
	}
	if err := resource.Delete(ctx, o.GetName(), metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("delete %s: %w", Name(o), err)
	}
	return nil
}

// resource is where objects of the kind are in the API. A namespaced one that names no
// namespace is meant for the default one, as with kubectl.
func (a *Applier) resource(o Object) (dynamic.ResourceInterface, error) {
	kind := o.GroupVersionKind()
	mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) { // it may have been defined since the kinds were read
		a.mapper.Reset()
		mapping, err = a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	if err != nil {
		return nil, fmt.Errorf("find the kind of %s: %w", Name(o), err)
	}
	resource := a.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return resource, nil
	}
	namespace := o.GetNamespace()
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	return resource.Namespace(namespace), nil
}
