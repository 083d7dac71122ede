package ess

import (
	"net/url"
	"regexp"
	"strings"
)

const (
	redacted = "[redacted]"
	// maxText is enough for every message of the documentation.
	maxText = 300
)

var (
	// The service quotes the whole signed request when a signature is wrong.
	stringToSign = regexp.MustCompile(`(?i)(server )?string ?to ?sign.*`)
	anyURL       = regexp.MustCompile(`(?i)\bhttps?:(//|%2f%2f|%252f%252f)\S*`)
	secretPair   = regexp.MustCompile(`(?i)(access_?key_?(id|secret)|security_?token|sts_?token|oidc_?token|signature(nonce)?|password)("?\s*(=|:|%3d|%253d)\s*"?)[^\s&,;"']+`)
	keyShape     = regexp.MustCompile(`\b(LTAI|STS\.|TMP\.)[A-Za-z0-9._-]{6,}`)
)

// redact makes a text of the cloud or of a transport fit for a log and a status: one
// line, bounded, without URLs and without anything of the key that signed.
func redact(text string, key Credentials) string {
	text = strings.Join(strings.Fields(text), " ")
	text = stringToSign.ReplaceAllString(text, redacted)
	// Longest first, so that a secret within another leaves no rest behind.
	for _, secret := range []string{key.SecurityToken, key.AccessKeySecret, key.AccessKeyID} {
		if secret == "" {
			continue
		}
		once := url.QueryEscape(secret)
		for _, form := range []string{url.QueryEscape(once), once, secret} {
			text = strings.ReplaceAll(text, form, redacted)
		}
	}
	text = anyURL.ReplaceAllString(text, "[url]")
	text = secretPair.ReplaceAllString(text, "${1}${4}"+redacted)
	text = keyShape.ReplaceAllString(text, redacted)
	if runes := []rune(text); len(runes) > maxText {
		text = string(runes[:maxText]) + "…"
	}
	return text
}
