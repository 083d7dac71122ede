package account

import (
	"fmt"
	"slices"
)

// What an instance that cannot be created fails with (messages: the API's error
// tables, where they are documented).
var (
	elasticQuota = ActivityError{
		Code:    "QuotaExceed.ElasticQuota",
		Message: "The number of vCPUs assigned to the ECS instances has exceeded the quota in the zone. Please sign-on to Alibaba Cloud Console, and submit the quota increase application.",
	}
	afterpayQuota       = ActivityError{Code: "QuotaExceed.AfterpayInstance", Message: "Living afterpay instances quota exceeded."}
	addressQuota        = ActivityError{Code: "QuotaExceeded.PrivateIpAddress", Message: "Insufficient private IP addresses are available in the specified vSwitch."}
	insufficientBalance = ActivityError{Code: "InsufficientBalance", Message: "Your account does not have enough balance."}
	lowPriceLimit       = ActivityError{
		Code:    "InvalidSpotPriceLimit.LowerThanPublicPrice",
		Message: "The specified parameter \"spotPriceLimit\" can't be lower than current public price.",
	}
)

// addReasons adds those reasons that are not there yet.
func addReasons(reasons, more []ActivityError) []ActivityError {
	for _, one := range more {
		if !slices.ContainsFunc(reasons, func(x ActivityError) bool { return x.Code == one.Code }) {
			reasons = append(reasons, one)
		}
	}
	return reasons
}

// reserve takes one instance of a pool for a group, or says why it cannot be had.
func (a *Account) reserve(g *group, p pool) *ActivityError {
	if capacity, ok := a.capacityOf(p.vSwitch); ok && a.stock.addresses[p.vSwitch] >= capacity {
		return &addressQuota
	}
	if refused := a.refusal(g, p); refused != nil {
		return refused
	}
	a.stock.take(p)
	a.stock.addresses[p.vSwitch]++
	return nil
}

// refusal is why one more instance cannot run in a pool: the balance, the price
// limit, a quota or the stock; nil if it can.
func (a *Account) refusal(g *group, p pool) *ActivityError {
	limit, limited := g.launch.priceLimit(p)
	switch {
	case a.quotas.Broke:
		return &insufficientBalance
	case limited && a.spotPrice(p.zone, p.itype, a.now) > limit:
		return &lowPriceLimit
	case a.beyondVCPUs(p):
		return &elasticQuota
	case a.quotas.Instances != nil && a.runningInstances() >= *a.quotas.Instances:
		return &afterpayQuota
	case !a.stock.has(p):
		return &noStock
	}
	return nil
}

func (a *Account) capacityOf(vSwitch string) (addresses int, bounded bool) {
	for _, v := range a.config.VSwitches {
		if v.ID == vSwitch && v.Addresses > 0 {
			return v.Addresses, true
		}
	}
	return 0, false
}

func (a *Account) beyondVCPUs(p pool) bool {
	quota := a.quotas.OnDemandVCPUs
	if p.charge == Spot {
		quota = a.quotas.SpotVCPUs
	}
	if quota == nil {
		return false
	}
	used := p.itype.CPUs
	for key, n := range a.stock.used {
		if key.charge == p.charge {
			used += n * a.types[key.itype].CPUs
		}
	}
	return used > *quota
}

func (a *Account) runningInstances() int {
	n := 0
	for _, used := range a.stock.used {
		n += used
	}
	return n
}

// SetQuotas replaces the account's quotas; what runs keeps running.
func (a *Account) SetQuotas(q Quotas) error {
	leave, err := a.enterToChange("SetQuotas", q)
	if err != nil {
		return err
	}
	defer leave()
	p := &problems{}
	q.validate(p)
	if len(p.errs) > 0 {
		return fmt.Errorf("set quotas: %w", p.errs[0])
	}
	a.quotas = q
	return nil
}
