package grpcserver

import "regexp"

// Errors come without secrets from the package that talks to the cloud. This is the
// last door they pass on their way to another process and to a log, so it looks once
// more for the shapes that a key, a token or a signature has there.
var (
	secretParameter = regexp.MustCompile(`(?i)\b(access_?key_?id|access_?key_?secret|security_?token|signature|x-acs-security-token|authorization|password)(["']?\s*[=:]\s*["']?)[^\s&"',;)}]+`)
	secretShape     = regexp.MustCompile(`\b(LTAI[0-9A-Za-z]{8,}|STS\.[0-9A-Za-z]{8,})`)
)

// redact replaces whatever looks like a credential.
func redact(text string) string {
	text = secretParameter.ReplaceAllString(text, "$1$2***")
	return secretShape.ReplaceAllString(text, "***")
}
