package grpcserver

import (
	"crypto/x509"
	"fmt"
	"path"
	"strings"
)

// allowList holds patterns of client names; an empty one admits everybody.
type allowList []string

func newAllowList(patterns []string) (allowList, error) {
	for _, pattern := range patterns {
		if pattern == "" {
			return nil, fmt.Errorf("allow client %q: the pattern is empty", pattern)
		}
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, fmt.Errorf("allow client %q: %w", pattern, err)
		}
	}
	return patterns, nil
}

// admits reports whether one of the certificate's names matches one of the patterns.
// An asterisk matches anything but a slash, so that it stands for one segment of a
// URI.
func (l allowList) admits(leaf *x509.Certificate) bool {
	if len(l) == 0 {
		return true
	}
	for _, name := range clientNames(leaf) {
		for _, pattern := range l {
			if match, err := path.Match(pattern, name); match && err == nil {
				return true
			}
		}
	}
	return false
}

// clientNames are the names by which a certificate may be let in, the most telling
// first: URIs, DNS names, the common name.
func clientNames(leaf *x509.Certificate) []string {
	names := make([]string, 0, len(leaf.URIs)+len(leaf.DNSNames)+1)
	for _, uri := range leaf.URIs {
		names = append(names, uri.String())
	}
	for _, dns := range leaf.DNSNames {
		names = append(names, strings.ToLower(dns))
	}
	if leaf.Subject.CommonName != "" {
		names = append(names, leaf.Subject.CommonName)
	}
	return names
}

// notAllowedError refuses a certificate that is of an authority and not expired.
type notAllowedError struct {
	leaf *x509.Certificate
}

func (e *notAllowedError) Error() string {
	return fmt.Sprintf("client %q is not on the list of allowed clients", clientNames(e.leaf))
}
