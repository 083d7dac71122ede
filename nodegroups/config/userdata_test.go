package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
)

var spotTaint = Taint{Key: "class", Value: "spot", Effect: corev1.TaintEffectNoSchedule}
var bothFlags = Registration{
	Labels: map[string]string{"a": "b", "c": "d"}, Taints: []Taint{spotTaint},
	HasLabels: true, HasTaints: true,
}
var onlyLabels = Registration{Labels: map[string]string{"a": "b", "c": "d"}, HasLabels: true}
var noFlags = Registration{Labels: map[string]string{}}
var userDataTests = []struct {
	name, script string
	want         Registration
}{
	{"empty", "", noFlags},
	{"no flags", "#!/bin/sh\necho node-labels are elsewhere\n", noFlags},
	{"extra args", `KUBELET_EXTRA_ARGS="--node-labels=a=b,c=d --register-with-taints=class=spot:NoSchedule --max-pods=110"`, bothFlags},
	{"last on the line", "kubelet --register-with-taints=class=spot:NoSchedule --node-labels=a=b,c=d\n", bothFlags},
	{"blank instead of =", "kubelet --node-labels a=b,c=d --register-with-taints class=spot:NoSchedule", bothFlags},
	{"double quotes", `kubelet --node-labels="a=b,c=d" --register-with-taints "class=spot:NoSchedule"`, bothFlags},
	{"single quotes", `kubelet --node-labels='a=b,c=d' --register-with-taints 'class=spot:NoSchedule'`, bothFlags},
	{"quoted whole", `kubelet '--node-labels=a=b,c=d' "--register-with-taints=class=spot:NoSchedule"`, bothFlags},
	{"escaped quotes", `echo "X=\"--node-labels=a=b,c=d\"" '--register-with-taints=\"class=spot:NoSchedule\"'`, bothFlags},
	{"JSON list", `["--node-labels=a=b,c=d", "--register-with-taints", "class=spot:NoSchedule"]`, bothFlags},
	{"YAML list", "args: [--node-labels, 'a=b,c=d']", onlyLabels},
	{"systemd", "Environment=\"KUBELET_EXTRA_ARGS=--node-labels=a=b,c=d\"", onlyLabels},
	{"kubeadm", "  kubeletExtraArgs:\n    node-labels: \"a=b,c=d\"\n    register-with-taints: class=spot:NoSchedule\n", bothFlags},
	{"continued line", "kubelet \\\n  --node-labels \\\n  a=b,c=d", onlyLabels},
	{"twice", "kubelet --node-labels=a=x,c=d --node-labels=a=b", onlyLabels},
	{"spaces after commas", `--node-labels="a=b, c=d"`, onlyLabels},
	{"carriage returns", "--node-labels=a=b,c=d\r\n", onlyLabels},
	{"comment line", "  # kubelet --node-labels=x=y\nkubelet --node-labels=a=b,c=d", onlyLabels},
	{"comment after", "kubelet --node-labels=a=b,c=d # not --node-labels=x=y", onlyLabels},
	{"hash in quotes", `echo "a # b"; kubelet --node-labels=a=b,c=d`, onlyLabels},
	{"longer flags", "--node-labels-file=x=y --register-with-taints-x=a=b:NoSchedule", noFlags},
	{"variable", "LABELS=a=b,c=d\nkubelet --node-labels=$LABELS", onlyLabels},
	{"variable in braces and quotes", "export LABELS='a=b'\nkubelet --node-labels=\"${LABELS},c=d\"", onlyLabels},
	{"variable of variables", "A=a=b\nC=c=d\nALL=\"$A,$C\"\nkubelet --node-labels=$ALL", onlyLabels},
	{"variable that grows", "L=a=b\nL=\"$L,c=d\"\nkubelet --node-labels=$L", onlyLabels},
	{"longer variable name", "L=x=y\nLL=a=b,c=d\nkubelet --node-labels=$LL", onlyLabels},
	{"label without value", "--node-labels=a", Registration{Labels: map[string]string{"a": ""}, HasLabels: true}},
	{"flag without value", "--node-labels=", Registration{Labels: map[string]string{}, HasLabels: true}},
	{"taint without value", "--register-with-taints=class:NoSchedule", Registration{
		Labels: map[string]string{}, HasTaints: true,
		Taints: []Taint{{Key: "class", Effect: corev1.TaintEffectNoSchedule}},
	}},
	{"taint twice", "--register-with-taints=class=spot:NoSchedule,class=spot:NoSchedule", Registration{
		Labels: map[string]string{}, HasTaints: true, Taints: []Taint{spotTaint},
	}},
	{"unknown variable", "--node-labels=a=b,zone=$ZONE,c=d", Registration{
		Labels: map[string]string{"a": "b", "c": "d"}, HasLabels: true, Unclear: []string{"--node-labels zone=$ZONE"},
	}},
	{"command", "--node-labels=a=b,c=d,$(cat /labels)", Registration{
		Labels: map[string]string{"a": "b", "c": "d"}, HasLabels: true, Unclear: []string{"--node-labels $(cat"},
	}},
	{"taint without effect", "--register-with-taints=class=spot", Registration{
		Labels: map[string]string{}, HasTaints: true, Unclear: []string{"--register-with-taints class=spot"},
	}},
	{"circle", "A=$B\nB=$A\n--node-labels=$A", Registration{
		Labels: map[string]string{}, HasLabels: true, Unclear: []string{"--node-labels $A"},
	}},
}

func TestParseUserData(t *testing.T) {
	for _, test := range userDataTests {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, ParseUserData(test.script))
		})
	}
}

func FuzzParseUserData(f *testing.F) {
	for _, s := range []string{
		`KUBELET_EXTRA_ARGS="--node-labels=a=b,c=d --register-with-taints=x=y:NoSchedule"`,
		"A=$A$A\nA=$A$A\n--node-labels=$A", "--node-labels \"", "--node-labels=${", "node-labels: '", "--register-with-taints=:::",
		"A=${A}\\\n#\n --node-labels\t,", "$", "# --node-labels=a", " #",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, script string) {
		r := ParseUserData(script)
		for key := range r.Labels {
			assert.NotEmpty(t, key)
			assert.NotContains(t, key, ",")
		}
		assert.True(t, r.HasLabels || len(r.Labels) == 0)
		assert.True(t, r.HasTaints || len(r.Taints) == 0)
		for _, taint := range r.Taints {
			assert.NotEmpty(t, taint.Key)
			assert.NotEmpty(t, taint.Effect)
		}
		// What is found does not depend on comments.
		assert.Equal(t, r, ParseUserData("# --node-labels=x=y\n"+script))
	})
}

// Twenty lines that double a variable each must not fill the memory.
func TestVariablesDoNotExplode(t *testing.T) {
	script := "A=aaaaaaaaaaaaaaaa\n" + strings.Repeat("A=$A$A\n", 40) + "--node-labels=k=$A,$A,$A"
	r := ParseUserData(script)
	total := 0
	for k, v := range r.Labels {
		total += len(k) + len(v)
	}
	assert.Less(t, total, 8*maxValue)
}
