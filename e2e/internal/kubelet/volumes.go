package kubelet

import (
	"context"
	"fmt"
	"os"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// write makes a volume's directory and its files.
func (p *Pod) write(ctx context.Context, v corev1.Volume) error {
	if err := os.MkdirAll(p.path(v.Name), 0o750); err != nil {
		return err
	}
	switch {
	case v.EmptyDir != nil:
		return nil
	case v.ConfigMap != nil:
		return p.writeConfigMap(ctx, v.Name, v.ConfigMap.Name, v.ConfigMap.Items)
	case v.Secret != nil:
		return p.writeSecret(ctx, v.Name, v.Secret.SecretName, v.Secret.Items)
	case v.Projected != nil:
		return p.writeProjected(ctx, v.Name, v.Projected.Sources)
	}
	return fmt.Errorf("its kind is none that can be written: %+v", v.VolumeSource)
}

func (p *Pod) writeConfigMap(ctx context.Context, volume, name string, items []corev1.KeyToPath) error {
	read, err := p.cluster.Client.CoreV1().ConfigMaps(p.pod.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read ConfigMap: %w", err)
	}
	data := map[string][]byte{}
	for key, text := range read.Data {
		data[key] = []byte(p.here(text))
	}
	return p.writeKeys(volume, data, items)
}

func (p *Pod) writeSecret(ctx context.Context, volume, name string, items []corev1.KeyToPath) error {
	read, err := p.cluster.Client.CoreV1().Secrets(p.pod.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read Secret: %w", err)
	}
	return p.writeKeys(volume, read.Data, items)
}

// writeKeys writes the items, or every key if none are named.
func (p *Pod) writeKeys(volume string, data map[string][]byte, items []corev1.KeyToPath) error {
	if len(items) == 0 {
		for key := range data {
			items = append(items, corev1.KeyToPath{Key: key, Path: key})
		}
	}
	for _, item := range items {
		content, ok := data[item.Key]
		if !ok {
			return fmt.Errorf("find key %s: it is not there", item.Key)
		}
		if err := os.WriteFile(p.path(volume, item.Path), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pod) writeProjected(ctx context.Context, volume string, sources []corev1.VolumeProjection) error {
	for _, source := range sources {
		var err error
		switch {
		case source.ServiceAccountToken != nil:
			err = p.writeToken(ctx, volume, source.ServiceAccountToken)
		case source.ConfigMap != nil:
			err = p.writeConfigMap(ctx, volume, source.ConfigMap.Name, source.ConfigMap.Items)
		case source.Secret != nil:
			err = p.writeSecret(ctx, volume, source.Secret.Name, source.Secret.Items)
		case source.DownwardAPI != nil:
			err = p.writeFields(volume, source.DownwardAPI.Items)
		default:
			err = fmt.Errorf("its source is none that can be written: %+v", source)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeToken lets the API server make a token of the pod's service account, bound to
// the pod as a kubelet's are.
func (p *Pod) writeToken(ctx context.Context, volume string, source *corev1.ServiceAccountTokenProjection) error {
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: source.ExpirationSeconds,
		BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: p.pod.Name, UID: p.pod.UID},
	}}
	if source.Audience != "" {
		request.Spec.Audiences = []string{source.Audience}
	}
	made, err := p.cluster.Client.CoreV1().ServiceAccounts(p.pod.Namespace).CreateToken(ctx, p.pod.Spec.ServiceAccountName, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("make token of %s: %w", p.pod.Spec.ServiceAccountName, err)
	}
	if err := os.WriteFile(p.path(volume, source.Path), []byte(made.Status.Token), 0o600); err != nil {
		return err
	}
	return p.writeKubeconfig(volume)
}

func (p *Pod) writeFields(volume string, items []corev1.DownwardAPIVolumeFile) error {
	for _, item := range items {
		if item.FieldRef == nil || item.FieldRef.FieldPath != "metadata.namespace" {
			return fmt.Errorf("write field %+v: only metadata.namespace is known", item)
		}
		if err := os.WriteFile(p.path(volume, item.Path), []byte(p.pod.Namespace), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// environment is the container's, with what it takes from Secrets.
func (p *Pod) environment(ctx context.Context, c corev1.Container) ([]string, error) {
	var env []string
	for _, variable := range c.Env {
		value := p.here(variable.Value)
		if variable.ValueFrom != nil {
			from := variable.ValueFrom.SecretKeyRef
			if from == nil {
				return nil, fmt.Errorf("set %s: only keys of Secrets are known", variable.Name)
			}
			secret, err := p.cluster.Client.CoreV1().Secrets(p.pod.Namespace).Get(ctx, from.Name, metav1.GetOptions{})
			if err != nil {
				return nil, fmt.Errorf("set %s: %w", variable.Name, err)
			}
			content, ok := secret.Data[from.Key]
			if !ok {
				return nil, fmt.Errorf("set %s: Secret %s has no key %s", variable.Name, from.Name, from.Key)
			}
			value = string(content)
		}
		env = append(env, variable.Name+"="+value)
	}
	return env, nil
}
