package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/overflow"
)

// annotationSpecs names the sizes that a pod may get on the virtual node.
const annotationSpecs = cloudprovider.AnnotationsVirtual + "use-specs"

const podSelectorFix = `write a selector such as "app=build" or "jenkins/label"`

func (d *decoder) checkOverflow(cfg Config) {
	o := cfg.Overflow
	if at := "overflow.scanInterval"; d.sound(at) && *o.ScanInterval == 0 {
		d.complain(at, "cluster-autoscaler does not scan without a pause", `write its --scan-interval, such as "10s"`)
	}
	d.checkVirtualPrice(cfg)
	seen := map[Class]int{}
	for i, c := range o.Classes {
		at := itemPath("overflow.classes", i)
		d.checkOverflowBuilds(at, c)
		d.checkStart(at, c)
		d.checkOverflowLimits(at, c, o.Price)
		if !d.sound(at + ".class") {
			continue
		}
		if first, twice := seen[c.Class]; twice {
			d.complain(at+".class", fmt.Sprintf("the class %s stands twice, first as item %d", c.Class, first), "keep one")
			continue
		}
		seen[c.Class] = i
		if !slices.ContainsFunc(cfg.Groups, func(g Group) bool { return g.Class == c.Class }) {
			d.complain(at+".class", fmt.Sprintf("no group has the class %s", c.Class), "name the class of a group, or remove the item")
		}
	}
}

func (d *decoder) checkVirtualPrice(cfg Config) {
	p := cfg.Overflow.Price
	if p == nil {
		return
	}
	const path = "overflow.price"
	d.checkAmounts(path, *p)
	at := path + ".currency"
	d.checkForm(at, p.Currency, currencyForm, "no currency code", "write an ISO 4217 code such as CNY")
	for i, g := range cfg.Groups {
		if g.Price != nil && g.Price.Currency != "" && d.sound(at) && currencyForm.MatchString(p.Currency) && g.Price.Currency != p.Currency {
			d.complain(at, fmt.Sprintf("%s is another currency than %s of %s", quoted(p.Currency), quoted(g.Price.Currency), groupPath(i)), "write all prices in one currency: only numbers of one can be compared")
			return
		}
	}
}

// CheckAmounts complains of what no virtual node can cost, but not of its currency.
func (v VirtualPrice) CheckAmounts(c Checker, path string) { c.d.checkAmounts(path, v) }

func (d *decoder) checkAmounts(path string, p VirtualPrice) {
	for key, v := range map[string]float64{"perCPU": p.PerCPU, "perGiB": p.PerGiB} {
		if at := path + "." + key; d.sound(at) && v < 0 {
			d.complain(at, "the price is negative", "write what it costs per hour, 0 or more")
		}
	}
	if at := path; d.sound(at+".perCPU") && d.sound(at+".perGiB") && p.PerCPU == 0 && p.PerGiB == 0 {
		d.complain(at, "the virtual node costs nothing", "write its price, or remove it")
	}
	if at := path + ".spotDiscount"; d.sound(at) && (p.SpotDiscount < 0 || p.SpotDiscount > 0.99) {
		d.complain(at, fmt.Sprintf("%v is no share", p.SpotDiscount), "write a part of 1, such as 0.6 where a preemptible pod costs 40 % of others")
	}
	for i, t := range p.InstanceTypes {
		item := itemPath(path+".instanceTypes", i)
		if at := item + ".name"; d.sound(at) && !strings.HasPrefix(t.Name, "ecs.") {
			d.complain(at, fmt.Sprintf("%s is no instance type", quoted(t.Name)), "write it as the annotation does, such as ecs.gn6i-c4g1.xlarge")
		}
		if at := item + ".perHour"; d.sound(at) && t.PerHour <= 0 {
			d.complain(at, "the type costs nothing", "write what it costs per hour, more than 0")
		}
	}
}

// checkOverflowBuilds looks at which builds may move, and where to.
func (d *decoder) checkOverflowBuilds(path string, c OverflowClass) {
	d.checkSelector(path+".podSelector", c.PodSelector, podSelectorFix)
	d.checkSelector(path+".virtualNode.selector", c.VirtualNode.Selector, `write a selector such as "type=virtual-kubelet", or remove it`)
	if at := path + ".virtualNode.taintKey"; d.sound(at) && len(validation.IsQualifiedName(c.VirtualNode.TaintKey)) > 0 {
		d.complain(at, fmt.Sprintf("%s is no taint key", quoted(c.VirtualNode.TaintKey)), labelKeyFix)
	}
	for i, n := range c.Namespaces {
		if at := itemPath(path+".namespaces", i); d.sound(at) && len(validation.IsDNS1123Label(n)) > 0 {
			d.complain(at, fmt.Sprintf("%s is no namespace", quoted(n)), "use lower-case letters, digits and -, with a letter or digit at both ends, at most 63 characters")
		}
	}
	for _, key := range sortedKeys(c.Annotations) {
		if at := entry(path+".annotations", key); len(validation.IsQualifiedName(key)) > 0 {
			d.complain(at, fmt.Sprintf("%s is no annotation key", quoted(key)), labelKeyFix)
		}
	}
}

func (d *decoder) checkSelector(at, selector, fix string) {
	if !d.sound(at) {
		return
	}
	if selector == "" {
		d.complain(at, "the selector is empty", fix)
		return
	}
	if _, err := labels.Parse(selector); err != nil {
		d.complain(at, fmt.Sprintf("%s is no label selector: %v", quoted(selector), err), fix)
	}
}

// checkStart looks at when builds move.
func (d *decoder) checkStart(path string, c OverflowClass) {
	start := path + ".startWhen"
	waited := start + ".waitedFor"
	if d.sound(start) && c.StartWhen == (StartWhen{}) && !d.known(waited) && !d.known(start+".nodesLaterThan") {
		d.complain(start, "no build would ever move", `write "waitedFor: 5m", "nodesLaterThan: 3m" or "noGroupCanGrow: true"`)
	}
	for _, rule := range []struct {
		key   string
		after *Duration
	}{{"waitedFor", c.StartWhen.WaitedFor}, {"nodesLaterThan", c.StartWhen.NodesLaterThan}} {
		if at := start + "." + rule.key; d.sound(at) && *rule.after == 0 {
			d.complain(at, "0s leaves no build to real nodes", "write how long a build may wait for one, such as 5s or more")
		}
	}
	at := path + ".scaleUpDelay"
	switch {
	case !d.sound(at):
	case c.StartWhen.WaitedFor == nil:
		d.complain(at, "is only used with startWhen.waitedFor", `write "waitedFor: 5s" under startWhen, or remove it`)
	case d.sound(waited) && *c.ScaleUpDelay <= *c.StartWhen.WaitedFor:
		d.complain(at, fmt.Sprintf("cluster-autoscaler would add a node after %v, before the build moves after %v", time.Duration(*c.ScaleUpDelay), time.Duration(*c.StartWhen.WaitedFor)),
			"make it longer than startWhen.waitedFor, such as four times as long")
	}
}

func (d *decoder) checkOverflowLimits(path string, c OverflowClass, price *VirtualPrice) {
	if at := path + ".maxPods"; d.sound(at) && (c.MaxPods < 1 || c.MaxPods > maxVirtualPods) {
		d.complain(at, fmt.Sprintf("%d pods are no limit", c.MaxPods), fmt.Sprintf("write 1 to %d", maxVirtualPods))
	}
	at := path + ".maxCostPerHour"
	switch {
	case !d.sound(at):
	case *c.MaxCostPerHour <= 0:
		d.complain(at, fmt.Sprintf("%v lets no build move", *c.MaxCostPerHour), "write what the class may cost per hour, more than 0, or remove it")
	case d.known("overflow.price") && d.sound(path+".annotations") && c.Annotations[annotationSpecs] != "" && PriceOf(price).PerHour(overflow.Billed{Annotations: c.Annotations}) < 0:
		d.complain(entry(path+".annotations", annotationSpecs), fmt.Sprintf("what a pod of %s costs is not known, so that none would move", quoted(c.Annotations[annotationSpecs])),
			"write sizes such as 2-4Gi, or the price of each instance type under overflow.price.instanceTypes, or remove maxCostPerHour")
	case !d.known("overflow.price"):
		d.complain(at, "what a pod costs is not known, so that none would move", `write overflow.price, such as "{perCPU: 0.1764, perGiB: 0.02205, currency: CNY}", or remove the limit`)
	}
}
