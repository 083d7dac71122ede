package nodegroups

import (
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// Options implements cloudprovider.Provider.
func (p *Provider) Options(groupID string, defaults cloudprovider.Options) (cloudprovider.Options, bool, error) {
	v, err := p.view(groupID)
	if err != nil {
		return cloudprovider.Options{}, false, err
	}
	set := v.config.Options
	if !set.Any() {
		return defaults, false, nil
	}
	o := defaults
	replace(&o.ScaleDownUtilizationThreshold, set.ScaleDownUtilizationThreshold)
	replace(&o.ScaleDownGPUUtilizationThreshold, set.ScaleDownGPUUtilizationThreshold)
	replaceDuration(&o.ScaleDownUnneededTime, set.ScaleDownUnneededTime)
	replaceDuration(&o.ScaleDownUnreadyTime, set.ScaleDownUnreadyTime)
	replaceDuration(&o.MaxNodeProvisionTime, set.MaxNodeProvisionTime)
	replace(&o.IgnoreDaemonSetsUtilization, set.IgnoreDaemonSetsUtilization)
	replace(&o.AllowWithCA135, set.AllowWithCA135)
	return o, true, nil
}

func replace[T any](value *T, set *T) {
	if set != nil {
		*value = *set
	}
}

func replaceDuration(value *time.Duration, set *config.Duration) {
	if set != nil {
		*value = time.Duration(*set)
	}
}
