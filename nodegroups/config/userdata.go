package config

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Registration is what the kubelet's flags in a start script say about the node.
type Registration struct {
	// Labels of --node-labels and Taints of --register-with-taints, wherever they
	// stand in the script. Of a label that is set twice the later value counts.
	Labels map[string]string
	Taints []Taint
	// HasLabels and HasTaints tell that the flag stands there at all.
	HasLabels, HasTaints bool
	// Unclear are flag values that could not be read, such as one that holds a shell
	// variable which the script does not set. What they hold is missing above.
	Unclear []string
}

const (
	labelsFlag = "node-labels"
	taintsFlag = "register-with-taints"
)

// ParseUserData finds the kubelet's registration flags in an instance's user data.
// The script is any text: a shell script, cloud-init, a systemd unit. Values may
// follow after = or a space, quoted or not, and may use variables that the script
// sets to a plain text before. Lines that are comments count for nothing.
func ParseUserData(script string) Registration {
	r := Registration{Labels: map[string]string{}}
	script = withoutComments(script)
	vars := assignments(script)
	for _, at := range flagValues(script, labelsFlag) {
		r.HasLabels = true
		r.addLabels(vars.expand(at))
	}
	for _, at := range flagValues(script, taintsFlag) {
		r.HasTaints = true
		r.addTaints(vars.expand(at))
	}
	return r
}

// withoutComments drops comment lines and joins continued ones.
func withoutComments(script string) string {
	script = strings.ReplaceAll(script, "\r\n", "\n")
	var kept []string
	for line := range strings.SplitSeq(script, "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			kept = append(kept, beforeTrailingComment(line))
		}
	}
	return strings.ReplaceAll(strings.Join(kept, "\n"), "\\\n", " ")
}

// beforeTrailingComment cuts a line at a # that follows a blank outside quotes.
func beforeTrailingComment(line string) string {
	var quote byte
	for i := range len(line) {
		switch c := line[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '#' && isBlank(line[i-1]): // the first byte of a line is never # here
			return line[:i]
		}
	}
	return line
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// flagValues returns the raw text of each value of the flag, named without dashes.
func flagValues(script, flag string) []string {
	var values []string
	for rest := script; ; {
		head, after, found := strings.Cut(rest, flag)
		if !found {
			return values
		}
		rest = after
		if value, ok := flagValue(after, strings.HasSuffix(head, "--")); ok {
			values = append(values, word(value))
		}
	}
}

// flagValue returns where the value begins in the text after a flag's name.
func flagValue(after string, dashed bool) (string, bool) {
	// In a list of arguments the flag's own quote may close first:
	// ["--node-labels", "a=b"] and '--node-labels' 'a=b'.
	value := strings.TrimLeft(after, `"'`)
	switch {
	case value == "":
		return "", false
	case !dashed: // kubeadm's kubeletExtraArgs: "node-labels: a=b"
		value, ok := strings.CutPrefix(value, ": ")
		return strings.TrimLeft(value, " "), ok
	case value[0] == '=':
		return value[1:], true
	case isBlank(value[0]) || value[0] == ',':
		return strings.TrimLeft(value, " \t,"), true
	default: // a longer flag, such as --node-labels-file
		return "", false
	}
}

// word returns the text up to where a value ends: its closing quote, or a blank or
// other end of a shell word.
func word(s string) string {
	s = strings.TrimPrefix(s, `\`)
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		if end := strings.IndexByte(s[1:], s[0]); end >= 0 {
			return strings.TrimSuffix(s[1:1+end], `\`)
		}
		s = s[1:]
	}
	if end := strings.IndexAny(s, " \t\n\"'`;|&)\\]"); end >= 0 {
		s = s[:end]
	}
	return s
}

// variables are the shell variables that a script sets to a plain text.
type variables map[string]string

// assignments reads NAME=value, also after export, and systemd's
// Environment="NAME=value". The last one of a name counts.
func assignments(script string) variables {
	vars := variables{}
	for line := range strings.SplitSeq(script, "\n") {
		line = strings.TrimSpace(line)
		for _, prefix := range []string{"export ", "readonly ", "local ", "declare ", "Environment=", `"`} {
			line = strings.TrimPrefix(line, prefix)
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || !isVariable(name) {
			continue
		}
		// A reference to itself (X="$X --flag") means what stood there before.
		vars[name] = variables{name: vars[name]}.expandOnce(word(value))
	}
	return vars
}

func isVariable(name string) bool {
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return false
	}
	return strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// maxExpansions bounds variables that refer to each other in a circle, maxValue
// what they can grow to (the whole user data of an instance is at most 32 KiB).
const (
	maxExpansions = 16
	maxValue      = 16 << 10
)

// expand replaces the variables that are known; others stay as they are.
func (vars variables) expand(s string) string {
	for range maxExpansions {
		next := vars.expandOnce(s)
		if next == s || len(next) > maxValue {
			break
		}
		s = next
	}
	return s
}

// expandOnce replaces each variable by its text, which may hold further ones.
func (vars variables) expandOnce(s string) string {
	var out strings.Builder
	for out.Len() <= maxValue {
		head, rest, found := strings.Cut(s, "$")
		out.WriteString(head)
		if !found {
			return out.String()
		}
		name, after := variableName(rest)
		if value, ok := vars[name]; ok {
			out.WriteString(value)
		} else {
			out.WriteString("$" + rest[:len(rest)-len(after)])
		}
		s = after
	}
	return out.String()
}

// variableName reads NAME or {NAME} at the beginning of s.
func variableName(s string) (name, after string) {
	if inner, ok := strings.CutPrefix(s, "{"); ok {
		if name, after, ok := strings.Cut(inner, "}"); ok && isVariable(name) {
			return name, after
		}
		return "", s
	}
	end := 0
	for end < len(s) && isVariable(s[:end+1]) {
		end++
	}
	return s[:end], s[end:]
}

// addLabels reads k=v,k=v.
func (r *Registration) addLabels(list string) {
	for _, item := range items(list) {
		key, value, _ := strings.Cut(item, "=")
		if isUnclear(item) || key == "" {
			r.Unclear = append(r.Unclear, "--"+labelsFlag+" "+item)
			continue
		}
		r.Labels[key] = value
	}
}

// addTaints reads k=v:Effect,k:Effect. A taint that stands twice counts once.
func (r *Registration) addTaints(list string) {
	for _, item := range items(list) {
		t, ok := parseTaint(item)
		if isUnclear(item) || !ok {
			r.Unclear = append(r.Unclear, "--"+taintsFlag+" "+item)
			continue
		}
		if !hasTaint(r.Taints, t) {
			r.Taints = append(r.Taints, t)
		}
	}
}

func items(list string) []string {
	var out []string
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.Trim(item, " \t\n\"'\\"); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// isUnclear reports whether something is left that only a shell can work out.
func isUnclear(item string) bool { return strings.ContainsAny(item, "$`{}()") }

// parseTaint reads key=value:Effect or key:Effect.
func parseTaint(s string) (Taint, bool) {
	head, effect, ok := strings.Cut(s, ":")
	key, value, _ := strings.Cut(head, "=")
	t := Taint{Key: key, Value: value, Effect: corev1.TaintEffect(effect)}
	return t, ok && key != "" && effect != "" && !strings.Contains(effect, ":")
}

func hasTaint(taints []Taint, t Taint) bool {
	for _, other := range taints {
		if other == t {
			return true
		}
	}
	return false
}
