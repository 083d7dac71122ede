package account

import "fmt"

// Rule is a simple scaling rule, executed by its ARI.
type Rule struct {
	ARI            string         `yaml:"ari"`
	AdjustmentType AdjustmentType `yaml:"adjustmentType"`
	Value          int            `yaml:"value"`
	MinMagnitude   int            `yaml:"minMagnitude"`
}

func validateRules(p *problems, path string, rules []Rule) {
	seen := map[string]bool{}
	for i, r := range rules {
		at := fmt.Sprintf("%s.scalingRules[%d]", path, i)
		p.unique(seen, at+".ari", r.ARI)
		if err := (Adjustment{Type: r.AdjustmentType, Value: r.Value}).check(); err != nil {
			p.add(at, "%v", err)
		}
	}
}

// ExecuteRule carries out a scaling rule by hand, which the group's cooldown does not
// forbid.
func (a *Account) ExecuteRule(ari, token string) (Result, error) {
	leave, err := a.enterToChange("ExecuteScalingRule", ruleExecution{ari, token})
	if err != nil {
		return Result{}, err
	}
	defer leave()
	for _, g := range a.groups {
		for _, r := range g.rules {
			if r.ARI != ari {
				continue
			}
			wanted := Adjustment{GroupID: g.id, Type: r.AdjustmentType, Value: r.Value, MinMagnitude: r.MinMagnitude, Token: token}
			return a.once(token, wanted, func() (Result, error) { return a.adjust(wanted) })
		}
	}
	return Result{}, &Error{404, "InvalidScalingRuleAri.NotFound", "The specified scaling rule Ari does not exist."}
}
