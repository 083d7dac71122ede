package config

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const warnedHead = "apiVersion: buildpool/v1alpha1\nkind: NodeGroups\nregion: cn-hangzhou\n"

func TestWarningsOfOptions(t *testing.T) {
	const withheld, accepted = "up to 1.28 and from 1.35 on gets no options", "count as unready"
	type warning struct{ group, field, tells string }
	for name, test := range map[string]struct {
		text string
		want []warning
	}{
		"no options": {
			`groups: [{name: a, class: normal, max: 1, scalingGroup: {id: asg-a}}]`, nil,
		},
		"the permission alone is no option": {
			"defaults: {options: {allowWithCA135: true}}\n" +
				`groups: [{name: a, class: normal, max: 1, scalingGroup: {id: asg-a}}]`, nil,
		},
		"a group's": {
			`groups: [{name: a, class: normal, max: 1, scalingGroup: {id: asg-a}}, {name: b, class: normal, max: 1, scalingGroup: {id: asg-b}, options: {scaleDownUnneededTime: 3m}}]`,
			[]warning{{"b", "groups[1].options", withheld}},
		},
		"a group's that is allowed": {
			`groups: [{name: a, class: normal, max: 1, scalingGroup: {id: asg-a}, options: {scaleDownUnneededTime: 3m, allowWithCA135: true}}]`,
			[]warning{{"a", "groups[0].options", accepted}},
		},
		"a group's that is not allowed on purpose": {
			`groups: [{name: a, class: normal, max: 1, scalingGroup: {id: asg-a}, options: {scaleDownUnneededTime: 3m, allowWithCA135: false}}]`,
			[]warning{{"a", "groups[0].options", withheld}},
		},
		"the defaults' are told of once, a group's own beside them": {
			"defaults: {options: {scaleDownUnneededTime: 3m}}\ngroups: [" +
				`{name: a, class: normal, max: 1, scalingGroup: {id: asg-a}, options: {allowWithCA135: true}}, ` +
				`{name: b, class: normal, max: 1, scalingGroup: {id: asg-b}}, {name: c, class: normal, max: 1, scalingGroup: {id: asg-c}}]`,
			[]warning{{"", "defaults.options", withheld}, {"a", "groups[0].options", accepted}},
		},
		"the defaults' that every group replaces are not told of": {
			"defaults: {options: {scaleDownUnneededTime: 3m}}\n" +
				`groups: [{name: a, class: normal, max: 1, scalingGroup: {id: asg-a}, options: {allowWithCA135: true}}]`,
			[]warning{{"a", "groups[0].options", accepted}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := Parse("nodegroups.yaml", []byte(warnedHead+test.text+"\n"))
			require.NoError(t, err)
			findings := Warnings(cfg)
			require.Len(t, findings, len(test.want))
			for i, want := range test.want {
				got := findings[i]
				assert.Equal(t, want.group, got.Group)
				assert.Equal(t, want.field, got.Field)
				assert.Equal(t, SeverityWarning, got.Severity)
				assert.Contains(t, got.Message, want.tells)
				assert.Contains(t, got.Message, "autoscaler#10245")
				assert.NotEmpty(t, got.Fix)
			}
		})
	}
}

// A build that moves before cluster-autoscaler has looked leaves a node behind.
func TestWarningsOfOverflow(t *testing.T) {
	for class, warned := range map[string]bool{
		"startWhen: {waitedFor: 9s}":                    true,
		"startWhen: {waitedFor: 10s}":                   false,
		"startWhen: {waitedFor: 1s}, scaleUpDelay: 40s": false,
		"startWhen: {noGroupCanGrow: true}":             false,
	} {
		cfg, err := Parse("nodegroups.yaml", []byte(warnedHead+"overflow: {scanInterval: 5s, classes: [{class: normal, podSelector: a, maxPods: 1, "+class+"}]}\n"+
			"groups: [{name: a, class: normal, max: 1, scalingGroup: {id: asg-a}}]\n"))
		require.NoError(t, err)
		findings := Warnings(cfg)
		if !warned {
			assert.Empty(t, findings, class)
			continue
		}
		require.Len(t, findings, 1, class)
		assert.Equal(t, "overflow.classes[0].startWhen.waitedFor", findings[0].Field)
		assert.Equal(t, SeverityWarning, findings[0].Severity)
		assert.Contains(t, findings[0].Fix, "10s or more")
	}
}
