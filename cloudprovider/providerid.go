package cloudprovider

import (
	"fmt"
	"strings"
)

// ProviderID is the identity that joins a Kubernetes node to a cloud instance.
// CA compares spec.providerID with our instance IDs as strings, so the form
// matters: a mismatch makes CA delete running nodes after 15 minutes.
type ProviderID struct {
	Region     string
	InstanceID string
}

// ProviderIDForm is how a cluster spells provider IDs.
type ProviderIDForm string

// Two spellings are alive on Alibaba clusters.
const (
	// FormDot is "<region>.<instance>", set by the cloud-controller-manager.
	FormDot ProviderIDForm = "<region>.<id>"
	// FormURL is "alicloud://<region>.<instance>".
	FormURL ProviderIDForm = "alicloud://<region>.<id>"
)

const urlScheme = "alicloud://"

// ParseProviderID reads either form. It returns ErrNotManaged for an ID that is
// empty or belongs to something else, such as a virtual or hybrid node.
func ParseProviderID(s string) (ProviderID, ProviderIDForm, error) {
	form, rest := FormDot, s
	if after, ok := strings.CutPrefix(s, urlScheme); ok {
		form, rest = FormURL, after
	}
	region, id, ok := strings.Cut(rest, ".")
	if !ok || region == "" || !strings.HasPrefix(id, "i-") || len(id) == len("i-") || strings.ContainsAny(rest, "/: ") {
		return ProviderID{}, "", fmt.Errorf("parse provider ID %q: %w", s, ErrNotManaged)
	}
	return ProviderID{Region: region, InstanceID: id}, form, nil
}

// Format spells the ID in the given form.
func (p ProviderID) Format(form ProviderIDForm) string {
	if form == FormURL {
		return urlScheme + p.Region + "." + p.InstanceID
	}
	return p.Region + "." + p.InstanceID
}
