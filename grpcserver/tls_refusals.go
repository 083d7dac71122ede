package grpcserver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/time/rate"
	"k8s.io/utils/clock"
)

// The reasons why a handshake ended without a client, as the metric has them.
const (
	refusedNoCertificate = "no_certificate"    // the client showed none
	refusedUnknownCA     = "unknown_authority" // its certificate is of another authority
	refusedExpired       = "expired"           // or not valid yet
	refusedWrongUse      = "wrong_usage"       // a certificate that is not for clients
	refusedName          = "name_not_allowed"  // of our authority, but not on the list
	refusedCertificate   = "bad_certificate"   // anything else about the certificate
	refusedNotTLS        = "not_tls"           // plaintext or random bytes
	refusedVersion       = "old_version"       // a client without TLS 1.3
	refusedTimeout       = "timeout"           // half a handshake
	refusedByClient      = "client_refused"    // the client does not trust our certificate
	refusedClosed        = "closed"            // the client went: a port scan, a TCP probe
	refusedOther         = "other"
)

var refusedReasons = []string{
	refusedNoCertificate, refusedUnknownCA, refusedExpired, refusedWrongUse, refusedName, refusedCertificate,
	refusedNotTLS, refusedVersion, refusedTimeout, refusedByClient, refusedClosed, refusedOther,
}

// tlsMetrics are what the door counts.
type tlsMetrics struct {
	refused *prometheus.CounterVec
	reloads *prometheus.CounterVec
	expiry  prometheus.Gauge
}

func newTLSMetrics(registerer prometheus.Registerer) *tlsMetrics {
	register := promauto.With(registerer)
	m := &tlsMetrics{
		refused: register.NewCounterVec(prometheus.CounterOpts{
			Name: "buildpool_tls_refused_total",
			Help: "Connections that ended before the first RPC, by reason: " + strings.Join(refusedReasons, ", ") + ".",
		}, []string{"reason"}),
		reloads: register.NewCounterVec(prometheus.CounterOpts{
			Name: "buildpool_tls_reloads_total",
			Help: "Changes of the TLS files, by result: success or failure.",
		}, []string{"result"}),
		expiry: register.NewGauge(prometheus.GaugeOpts{
			Name: "buildpool_tls_certificate_expiry_timestamp_seconds",
			Help: "When the server certificate in use expires, in seconds since 1970.",
		}),
	}
	// The series exist from the start, so that the first event is an increase.
	for _, reason := range refusedReasons {
		m.refused.WithLabelValues(reason)
	}
	m.reloads.WithLabelValues("success")
	m.reloads.WithLabelValues("failure")
	return m
}

// refusals counts every connection that was refused and logs some: whoever knocks a
// thousand times a second must not fill the disk.
type refusals struct {
	log     *slog.Logger
	clock   clock.PassiveClock
	metrics *tlsMetrics
	limit   *rate.Limiter
}

// How many refusals are logged: so many at once, then so many per second.
const (
	refusalBurst     = 20
	refusalPerSecond = 1
)

func newRefusals(log *slog.Logger, c clock.PassiveClock, m *tlsMetrics) *refusals {
	return &refusals{log: log, clock: c, metrics: m, limit: rate.NewLimiter(refusalPerSecond, refusalBurst)}
}

func (r *refusals) tell(from net.Addr, err error) {
	reason, leaf := explainRefusal(err)
	r.metrics.refused.WithLabelValues(reason).Inc()
	if reason == refusedClosed {
		r.log.Debug("connection closed before TLS", "peer", from.String()) // probes do this all day
		return
	}
	if !r.limit.AllowN(r.clock.Now(), 1) {
		return
	}
	attributes := []any{"reason", reason, "peer", from.String(), "error", shorten(err.Error())}
	if leaf != nil {
		attributes = append(attributes,
			"subject", shorten(leaf.Subject.String()),
			"issuer", shorten(leaf.Issuer.String()),
			"names", shorten(strings.Join(clientNames(leaf), " ")))
	}
	r.log.Warn("client refused", attributes...)
}

// mostForeignText bounds what others can write into our log at a time.
const mostForeignText = 300

func shorten(text string) string {
	if len(text) > mostForeignText {
		return validText(text[:mostForeignText]) + "…"
	}
	return text
}

// explainRefusal names the reason for a failed handshake, and the certificate that
// was refused, if it came to that.
func explainRefusal(err error) (reason string, leaf *x509.Certificate) {
	var (
		unverified *tls.CertificateVerificationError
		notAllowed *notAllowedError
		notTLS     tls.RecordHeaderError
		op         *net.OpError
	)
	switch {
	case errors.As(err, &notAllowed):
		return refusedName, notAllowed.leaf
	case errors.As(err, &unverified):
		return explainCertificate(unverified.Err), unverified.UnverifiedCertificates[0]
	case errors.As(err, &notTLS):
		return refusedNotTLS, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refusedTimeout, nil
	case errors.As(err, &op) && op.Op == "remote error":
		return refusedByClient, nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, net.ErrClosed):
		return refusedClosed, nil
	}
	// The standard library has no types for these.
	for text, reason := range map[string]string{
		"didn't provide a certificate": refusedNoCertificate,
		"unsupported versions":         refusedVersion,
	} {
		if strings.Contains(err.Error(), text) {
			return reason, nil
		}
	}
	return refusedOther, nil
}

func explainCertificate(err error) string {
	var (
		invalid   x509.CertificateInvalidError
		authority x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &authority):
		return refusedUnknownCA
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return refusedExpired
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return refusedWrongUse
	}
	return refusedCertificate
}
