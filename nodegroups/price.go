package nodegroups

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

// sourceConfigured is the source of a price from the node-group file.
const sourceConfigured = "configuration"

// priceOf finds what a node of the view's group costs: by the configuration, else what
// the instance that its template promises costs.
func (p *Provider) priceOf(v *view) (cloudprovider.Price, error) {
	if set := v.config.Price; set != nil {
		return cloudprovider.Price{PerHour: set.PerHour, Currency: set.Currency, Source: sourceConfigured}, nil
	}
	if v.templateErr != nil {
		return cloudprovider.Price{}, fmt.Errorf("%w: %w", cloudprovider.ErrNoPrice, v.templateErr)
	}
	return p.prices.price(v.goods, p.Clock.Now())
}

// goodsOf is what a member buys by its template. The caller holds mu.
func (p *Provider) goodsOf(m *member, template cloudprovider.NodeTemplate) merchandise {
	share := AssumedSpotShare
	if set := p.cfg.Pricing.AssumedSpotShare; set != nil {
		share = *set
	}
	names := make([]string, 0, len(m.launch.types))
	for _, t := range m.launch.types {
		names = append(names, t.Name)
	}
	return merchandise{
		others: names,
		region: p.cfg.Region, instanceType: template.Labels[corev1.LabelInstanceTypeStable],
		zones: m.launch.launch.Zones, spot: m.launch.launch.Spot(), spotShare: share,
	}
}

// currencyOf is the currency in which prices are compared: the configuration's, else
// the account's own. A price in another currency than the shipped table's can only be
// the account's.
func currencyOf(order []*view) string {
	account := ""
	for _, v := range order {
		if v.priceErr != nil || v.price.Currency == "" {
			continue
		}
		if v.config.Price != nil {
			return v.price.Currency
		}
		if account == "" && v.price.Currency != shippedCurrency {
			account = v.price.Currency
		}
	}
	return cmp.Or(account, shippedCurrency)
}

// PricePerHour implements cloudprovider.Provider.
func (p *Provider) PricePerHour(groupID string) (cloudprovider.Price, error) {
	v, err := p.view(groupID)
	if err != nil {
		return cloudprovider.Price{}, err
	}
	if v.priceErr != nil {
		return cloudprovider.Price{}, fmt.Errorf("price of group %q: %w", groupID, v.priceErr)
	}
	price := v.price
	price.Currency = cmp.Or(price.Currency, p.current.Load().currency)
	return price, nil
}

// NodePrice implements cloudprovider.Provider. It answers from memory.
func (p *Provider) NodePrice(node cloudprovider.Node, start, end time.Time) (float64, error) {
	period, err := periodOf(start, end)
	if err != nil {
		return 0, fmt.Errorf("price node %q: %w", node.Name, err)
	}
	s := p.current.Load()
	if s == nil {
		return 0, cloudprovider.ErrNotReady
	}
	v := s.groupOfPriced(node)
	if v == nil {
		return 0, fmt.Errorf("price node %q: %w", node.Name, cloudprovider.ErrNotManaged)
	}
	price, err := p.priceOfNode(v, node)
	if err == nil {
		err = s.comparable(price)
	}
	if err != nil {
		return 0, fmt.Errorf("price node %q of group %q: %w", node.Name, v.group.ID, err)
	}
	return price.For(period), nil
}

// priceOfNode is the group's price, unless the node is of another instance type or in
// another zone than its template: then that is what is priced.
func (p *Provider) priceOfNode(v *view, node cloudprovider.Node) (cloudprovider.Price, error) {
	goods := v.goods
	if t := node.Labels[corev1.LabelInstanceTypeStable]; t != "" {
		goods.instanceType = t
	}
	zone := node.Labels[corev1.LabelTopologyZone]
	same := goods.instanceType == v.goods.instanceType && (zone == "" || len(goods.zones) > 0 && zone == goods.zones[0])
	if v.config.Price != nil || same {
		return v.price, v.priceErr
	}
	if zone != "" {
		goods.zones = append([]string{zone}, goods.zones...)
	}
	return p.prices.price(goods, p.Clock.Now())
}

// periodOf measures a period that is not empty.
func periodOf(start, end time.Time) (time.Duration, error) {
	if start.IsZero() || end.IsZero() || !start.Before(end) {
		return 0, fmt.Errorf("%w: the period has to begin before it ends", cloudprovider.ErrInvalidArgument)
	}
	return end.Sub(start), nil
}

// comparable refuses a price in another currency than the others': a number without
// its currency would be compared all the same.
func (s *snapshot) comparable(price cloudprovider.Price) error {
	if price.Currency != "" && price.Currency != s.currency {
		return fmt.Errorf("%w in %s: the %s has it in %s", cloudprovider.ErrNoPrice, s.currency, price.Source, price.Currency)
	}
	return nil
}

// caTemplateName begins the names that CA gives to its copies of a group's template
// or of one of its nodes; the group's ID, a dash and a random number follow.
const caTemplateName = "template-node-for-"

// groupOfPriced finds the group of a node whose price is asked: mostly a copy of a
// template, with a name of CA's making and perhaps the provider ID of the real node
// that it was copied from.
func (s *snapshot) groupOfPriced(node cloudprovider.Node) *view {
	if rest, made := strings.CutPrefix(node.Name, caTemplateName); made {
		var found *view
		for _, v := range s.order {
			if strings.HasPrefix(rest, v.group.ID+"-") && (found == nil || len(v.group.ID) > len(found.group.ID)) {
				found = v
			}
		}
		if found != nil {
			return found
		}
	}
	if id, _, err := cloudprovider.ParseProviderID(node.ProviderID); err == nil {
		if owner, ok := s.owner[id.InstanceID]; ok {
			return s.byID[owner]
		}
	}
	return s.groupByLabels(node)
}

// groupByLabels finds the dearest of the groups whose labels the node carries: where
// they cannot be told apart, a node is not to look cheaper than it is.
func (s *snapshot) groupByLabels(node cloudprovider.Node) *view {
	var found *view
	for _, v := range s.order {
		if !carries(node.Labels, v) {
			continue
		}
		if found == nil || v.priceErr == nil && (found.priceErr != nil || v.price.PerHour > found.price.PerHour) {
			found = v
		}
	}
	return found
}

// carries reports whether labels are those of a node of the group.
func carries(labels map[string]string, v *view) bool {
	if labels[cloudprovider.LabelClass] != string(v.config.Class) || labels[cloudprovider.LabelClass] == "" {
		return false
	}
	if t := labels[corev1.LabelInstanceTypeStable]; t != "" && t != v.goods.instanceType && !slices.Contains(v.goods.others, t) {
		return false
	}
	for key, value := range v.config.Labels {
		if labels[key] != value {
			return false
		}
	}
	return true
}

// PodPrice implements cloudprovider.Provider. It answers from memory.
//
// CA's price expander divides what an option's nodes cost by what its pods cost, and
// takes a pod's price as the least it could cost on a machine that fits it well. So a
// pod costs its share of a node, by the resource it takes most of, and on the group
// where that is cheapest.
func (p *Provider) PodPrice(requests corev1.ResourceList, start, end time.Time) (float64, error) {
	period, err := periodOf(start, end)
	if err != nil {
		return 0, fmt.Errorf("price pod: %w", err)
	}
	s := p.current.Load()
	if s == nil {
		return 0, cloudprovider.ErrNotReady
	}
	best := newBargain(requests)
	for _, v := range s.order {
		if v.priceErr == nil && v.templateErr == nil && s.comparable(v.price) == nil {
			best.consider(v.offer, v.price.PerHour)
		}
	}
	perHour, err := best.perHour()
	if err != nil {
		return 0, fmt.Errorf("price pod: %w", err)
	}
	return perHour * period.Hours(), nil
}
