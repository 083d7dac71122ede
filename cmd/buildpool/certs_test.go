package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// firstTry makes certificates as a user would and returns their directory and what
// was printed.
func firstTry(t *testing.T, arguments ...string) (dir, printed string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "certs")
	var w world
	require.Zero(t, w.run(t.Context(), append([]string{"certs", "--dir", dir}, arguments...)...), w.stderr.String())
	return dir, w.stdout.String()
}

func readCertificate(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	block, rest := pem.Decode(content)
	require.NotNil(t, block)
	require.Empty(t, rest)
	certificate, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	return certificate
}

func TestCertsMakesAWorkingSet(t *testing.T) {
	dir, _ := firstTry(t, "--host", "buildpool.kube-system.svc", "--host", "127.0.0.1", "--host", "::1", "--client", "ca-1", "--validity", "1h")
	authority := readCertificate(t, filepath.Join(dir, "ca.crt"))
	roots := x509.NewCertPool()
	roots.AddCert(authority)

	server := readCertificate(t, filepath.Join(dir, "server.crt"))
	for _, name := range []string{"buildpool.kube-system.svc", "127.0.0.1", "[::1]"} {
		_, err := server.Verify(x509.VerifyOptions{Roots: roots, DNSName: name})
		require.NoError(t, err, name)
	}
	_, err := server.Verify(x509.VerifyOptions{Roots: roots, DNSName: "buildpool"})
	require.Error(t, err)
	_, err = server.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	require.Error(t, err, "the server's certificate is no client's")

	client := readCertificate(t, filepath.Join(dir, "client.crt"))
	_, err = client.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	require.NoError(t, err)
	assert.Equal(t, "ca-1", client.Subject.CommonName)
	for _, certificate := range []*x509.Certificate{authority, server, client} {
		assert.Equal(t, time.Hour+clockSkew, certificate.NotAfter.Sub(certificate.NotBefore))
		assert.Equal(t, x509.ECDSA, certificate.PublicKeyAlgorithm)
	}
	for _, name := range []string{"ca", "server", "client"} {
		_, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"))
		require.NoError(t, err)
		info, err := os.Stat(filepath.Join(dir, name+".key"))
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), name)
	}
}

func TestCertsPrintsTheAutoscalersCloudConfig(t *testing.T) {
	dir, printed := firstTry(t, "--host", "buildpool.kube-system.svc", "--port", "9000")
	var cloudConfig map[string]string
	require.NoError(t, yaml.Unmarshal([]byte(printed), &cloudConfig), "what is printed is the file")
	assert.Equal(t, map[string]string{
		"address":      "buildpool.kube-system.svc:9000",
		"key":          filepath.Join(dir, "client.key"),
		"cert":         filepath.Join(dir, "client.crt"),
		"cacert":       filepath.Join(dir, "ca.crt"),
		"grpc_timeout": "30s",
	}, cloudConfig)
	for _, flag := range []string{
		"--address 0.0.0.0:9000", "--tls-cert " + filepath.Join(dir, "server.crt"), "--tls-key " + filepath.Join(dir, "server.key"),
		"--tls-client-ca " + filepath.Join(dir, "ca.crt"), "--allow-client cluster-autoscaler", "--grpc-expander-cert=" + filepath.Join(dir, "ca.crt"),
	} {
		assert.Contains(t, printed, flag)
	}
	assert.NotContains(t, printed, "PRIVATE KEY")
}

func TestCertsReplacesNothing(t *testing.T) {
	dir, _ := firstTry(t, "--host", "localhost")
	for _, left := range []string{"ca.crt", "ca.key", "server.crt", "server.key", "client.crt", "client.key"} {
		kept, err := os.ReadFile(filepath.Join(dir, left))
		require.NoError(t, err)
		alone := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(alone, left), kept, 0o600))
		var w world
		assert.Equal(t, 1, w.run(t.Context(), "certs", "--dir", alone, "--host", "localhost"))
		assert.Contains(t, w.stderr.String(), left+" is there already")
		files, err := os.ReadDir(alone)
		require.NoError(t, err)
		assert.Len(t, files, 1, "nothing beside it is written")
		now, err := os.ReadFile(filepath.Join(alone, left))
		require.NoError(t, err)
		assert.Equal(t, kept, now)
	}
}

func TestCertsRefusals(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct {
		arguments []string
		says      string
	}{
		"no directory":    {[]string{"--host", "localhost"}, "--dir DIR is required"},
		"no host":         {[]string{"--dir", dir}, "--host NAME is required"},
		"a port":          {[]string{"--dir", dir, "--host", "localhost:8086"}, "without port or scheme"},
		"an empty host":   {[]string{"--dir", dir, "--host", ""}, "--host \"\""},
		"no client":       {[]string{"--dir", dir, "--host", "h", "--client", ""}, "--client is empty"},
		"no time":         {[]string{"--dir", dir, "--host", "h", "--validity", "59s"}, "--validity is 59s"},
		"no place for it": {[]string{"--dir", "/proc/nowhere", "--host", "h"}, "/proc/nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			var w world
			assert.Equal(t, 1, w.run(t.Context(), append([]string{"certs"}, test.arguments...)...))
			assert.Contains(t, w.stderr.String(), test.says)
		})
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, files)
}
