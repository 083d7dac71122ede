package config

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	keyFound    = "a credential stands in the file"
	keyFoundFix = "remove it, and revoke it if the file was shared; give keys in ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET with account.credentials: environment, or use instance-role or oidc"
	redaction   = "[redacted]"
)

// credentialText matches what only a credential looks like: an access key ID
// begins with LTAI, a temporary one with STS.
var credentialText = regexp.MustCompile(`\b(LTAI|STS\.)[0-9A-Za-z]{8,}`)

// secretText matches the shape of an access key secret: 30 letters and digits.
// Alone it proves nothing, so it is only kept out of messages.
var secretText = regexp.MustCompile(`\b[0-9A-Za-z]{30}\b`)

// isCredentialKey reports whether a key's name promises a credential, in any
// spelling: accessKeyId, access-key-secret, ALIBABA_CLOUD_SECURITY_TOKEN.
func isCredentialKey(name string) bool {
	plain := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(name))
	for _, word := range []string{"accesskey", "secretkey", "keysecret", "accesssecret", "securitytoken", "sessiontoken", "ststoken"} {
		if strings.Contains(plain, word) {
			return true
		}
	}
	return false
}

// findCredentials reports every key that promises a credential and remembers what
// stands under it, so that no other message repeats it.
func (d *decoder) findCredentials(root *yaml.Node) {
	d.walkKeys(root, "", func(key, value *yaml.Node, path string) {
		if isCredentialKey(key.Value) {
			d.remember(value)
			d.report(key.Line, key.Column, path, keyFound, keyFoundFix)
		}
	})
}

// walkKeys visits every key of the tree as it was written, aliases not followed.
func (d *decoder) walkKeys(n *yaml.Node, path string, visit func(key, value *yaml.Node, path string)) {
	if n.Kind != yaml.MappingNode {
		for i, item := range n.Content {
			d.walkKeys(item, itemPath(path, i), visit)
		}
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := join(path, printable(key.Value))
		if key.Kind == yaml.ScalarNode {
			visit(key, value, at)
		}
		d.walkKeys(value, at, visit)
	}
}

// remember keeps the scalars of a node as secrets.
func (d *decoder) remember(n *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	// Shorter texts are no credential, and would blank out words of the messages.
	if n.Kind == yaml.ScalarNode && len(n.Value) >= 8 {
		d.secrets[n.Value] = true
	}
	for _, item := range n.Content {
		if item.Kind != yaml.AliasNode {
			d.remember(item)
		}
	}
}

// findCredentialText reports lines with a text that can only be a credential,
// comments included. A line whose key was reported already is not repeated.
func (d *decoder) findCredentialText(data []byte) {
	reported := map[int]bool{}
	for _, p := range d.problems {
		reported[p.Line] = reported[p.Line] || p.Message == keyFound
	}
	fields := d.fieldsByLine()
	for i, line := range strings.Split(string(data), "\n") {
		if at := credentialText.FindStringIndex(line); at != nil && !reported[i+1] {
			column := 1 + len([]rune(line[:at[0]]))
			d.report(i+1, column, fields[i+1], keyFound, keyFoundFix)
		}
	}
}

// fieldsByLine returns the path of the innermost field whose value begins in a line.
func (d *decoder) fieldsByLine() map[int]string {
	fields := map[int]string{}
	for path, p := range d.places {
		other, ok := fields[p.line]
		column := d.places[other].column
		if !ok || p.column > column || p.column == column && path > other {
			fields[p.line] = path
		}
	}
	return fields
}

// redacted returns the problems with everything blanked that is, or may be, a
// credential.
func (d *decoder) redacted() Errors {
	clean := make(Errors, len(d.problems))
	for i, p := range d.problems {
		p.Field, p.Message = d.redact(p.Field), d.redact(p.Message)
		if p.Fix != keyFoundFix {
			p.Fix = d.redact(p.Fix)
		}
		clean[i] = p
	}
	return clean
}

func (d *decoder) redact(s string) string {
	secrets := sortedKeys(d.secrets)
	// The longest first: a short secret may be part of a long one.
	slices.SortStableFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	for _, secret := range secrets {
		// A message repeats the beginning of a long value only.
		s = strings.ReplaceAll(s, excerpt(secret), redaction)
		s = strings.ReplaceAll(s, printable(secret), redaction)
	}
	s = credentialText.ReplaceAllString(s, redaction)
	return secretText.ReplaceAllStringFunc(s, func(word string) string {
		if strings.ContainsAny(word, "0123456789") && strings.ToLower(word) != word && strings.ToUpper(word) != word {
			return redaction
		}
		return word
	})
}
