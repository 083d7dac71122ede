package esssim

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the protocol's own algorithm
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// sign computes the signature of an RPC request: HMAC-SHA1 over the method and all
// parameters but Signature (Alibaba Cloud, "Auto Scaling: Signatures").
func sign(method string, p parameters, secret string) string {
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(stringToSign(method, p)))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func stringToSign(method string, p parameters) string {
	names := make([]string, 0, len(p))
	for name := range p {
		if name != "Signature" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	pairs := make([]string, len(names))
	for i, name := range names {
		pairs[i] = percentEncode(name) + "=" + percentEncode(p[name])
	}
	return method + "&%2F&" + percentEncode(strings.Join(pairs, "&"))
}

var rfc3986 = strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~")

// percentEncode escapes as RFC 3986 asks, which is not what a form does.
func percentEncode(s string) string { return rfc3986.Replace(url.QueryEscape(s)) }
