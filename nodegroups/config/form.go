package config

import (
	"reflect"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// The forms of values, shared by Parse and the JSON schema so that they agree.
const (
	regionPattern       = `^[a-z]+(-[a-z0-9]+)+$`
	namePattern         = `^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`
	scalingGroupPattern = `^asg-[A-Za-z0-9_-]+$`
	rolePattern         = `^acs:ram::[0-9]+:role/[A-Za-z0-9._-]+$`
	oidcProviderPattern = `^acs:ram::[0-9]+:oidc-provider/[A-Za-z0-9._-]+$`
	currencyPattern     = `^[A-Z]{3}$`
	absolutePathPattern = `^/`
	dayPattern          = `^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
	// A Go duration without sign.
	durationPattern = `^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$`
	// A Kubernetes quantity without sign, its exponent bounded.
	quantityPattern = `^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?$`
	// A qualified name: a DNS subdomain, a slash, and a name of up to 63 characters.
	labelKeyPattern   = `^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`
	labelValuePattern = `^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`
)

// maxQuantityLength keeps a quantity's digits few enough to compute with.
const maxQuantityLength = 32

var (
	regionForm       = regexp.MustCompile(regionPattern)
	scalingGroupForm = regexp.MustCompile(scalingGroupPattern)
	roleForm         = regexp.MustCompile(rolePattern)
	oidcProviderForm = regexp.MustCompile(oidcProviderPattern)
	currencyForm     = regexp.MustCompile(currencyPattern)
	absolutePathForm = regexp.MustCompile(absolutePathPattern)
	durationForm     = regexp.MustCompile(durationPattern)
	quantityForm     = regexp.MustCompile(quantityPattern)
	// Zones are the region and one letter: cn-hangzhou-h, us-west-1a.
	zoneForm = regexp.MustCompile(`^(.+)-[a-z]$|^(.+-[0-9]+)[a-z]$`)
)

// The bounds of ESS.
const (
	// maxSize is the largest MaxSize of a scaling group.
	maxSize = 2000
	// maxTags is how many tags one query for scaling groups takes.
	maxTags = 20
)

// enums are the values of the types that have a fixed set of them.
var enums = map[reflect.Type][]string{
	reflect.TypeFor[ProviderIDForm]():     texts(ProviderIDAuto, ProviderIDDot, ProviderIDURL),
	reflect.TypeFor[CredentialSource]():   texts(CredentialsDefault, CredentialsEnvironment, CredentialsInstanceRole, CredentialsOIDC),
	reflect.TypeFor[Class]():              texts(ClassNormal, ClassGPU, ClassSpot),
	reflect.TypeFor[ScheduleMode]():       texts(ScheduleByAutoscaler, ScheduleByProvider),
	reflect.TypeFor[HeadroomBy]():         texts(HeadroomAuto, HeadroomPods, HeadroomBuffer),
	reflect.TypeFor[OnReclaimNotice]():    texts(ReclaimReplaced, ReclaimCordoned, ReclaimIgnored),
	reflect.TypeFor[WhenAllSkipped]():     texts(LeastBad, Veto),
	reflect.TypeFor[WhenUnseen]():         texts(RefuseUnseen, RemoveUnseen),
	reflect.TypeFor[PodNetwork]():         texts(PodNetworkFlannel, PodNetworkTerway),
	reflect.TypeFor[corev1.TaintEffect](): texts(corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoExecute),
}

func texts[T ~string](values ...T) []string {
	s := make([]string, len(values))
	for i, v := range values {
		s[i] = string(v)
	}
	return s
}

func contains(values []string, s string) bool { return slices.Contains(values, s) }

// missingFix says what to write for a required field.
func missingFix(f field) string {
	switch f.key {
	case "apiVersion":
		return `write "apiVersion: ` + APIVersion + `"`
	case "kind":
		return `write "kind: ` + Kind + `"`
	case "region":
		return `write the account's region, such as "region: cn-hangzhou"`
	case "groups":
		return "name at least one group"
	}
	if values, ok := enums[f.typ]; ok {
		return "write one of " + strings.Join(values, ", ")
	}
	return "add it"
}
