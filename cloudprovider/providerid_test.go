package cloudprovider_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestParseProviderID(t *testing.T) {
	for s, want := range map[string]cloudprovider.ProviderIDForm{
		"cn-hangzhou.i-bp16abc":             cloudprovider.FormDot,
		"alicloud://cn-hangzhou.i-bp16abc":  cloudprovider.FormURL,
		"ap-southeast-1.i-t4n0":             cloudprovider.FormDot,
		"alicloud://ap-southeast-1.i-t4n0x": cloudprovider.FormURL,
	} {
		id, form, err := cloudprovider.ParseProviderID(s)
		require.NoError(t, err, s)
		assert.Equal(t, want, form, s)
		assert.Equal(t, s, id.Format(form))
	}
	for _, foreign := range []string{
		"", "virtual-kubelet", "ack-hybrid://cn-hangzhou.i-x", "aws:///eu-west-1a/i-0123", "cn-hangzhou.", ".i-x",
		"cn-hangzhou.i-", "cn-hangzhou.eci-bp1", "i-bp16abc", "alicloud://", "cn-hangzhou.i-a b", "buildpool://failed/asg-a/asa-1/0",
	} {
		_, _, err := cloudprovider.ParseProviderID(foreign)
		assert.ErrorIs(t, err, cloudprovider.ErrNotManaged, "%q", foreign)
	}
}

// Whatever CA sends as a provider ID is either spelt back letter for letter or not ours.
func FuzzParseProviderID(f *testing.F) {
	f.Add("cn-hangzhou.i-bp16abc")
	f.Add("alicloud://cn-hangzhou.i-bp16abc")
	f.Add("alicloud://alicloud://x.i-y")
	f.Fuzz(func(t *testing.T, s string) {
		id, form, err := cloudprovider.ParseProviderID(s)
		if err != nil {
			if !errors.Is(err, cloudprovider.ErrNotManaged) {
				t.Fatal(err)
			}
			return
		}
		if got := id.Format(form); got != s {
			t.Fatalf("%q became %q", s, got)
		}
	})
}

func TestCloudErrorNamesWhatAPersonLooksUp(t *testing.T) {
	err := error(&cloudprovider.CloudError{
		Kind: cloudprovider.ErrThrottled, API: "DescribeScalingGroups", Code: "Throttling.User",
		Message: "Request was denied due to user flow control.", RequestID: "473469C7",
	})
	assert.ErrorIs(t, err, cloudprovider.ErrThrottled)
	assert.Equal(t, "DescribeScalingGroups: throttled: Throttling.User: Request was denied due to user flow control. (request 473469C7)", err.Error())
}

func TestFakeNode(t *testing.T) {
	assert.False(t, cloudprovider.Node{Name: "x"}.Fake())
	assert.True(t, cloudprovider.Node{Annotations: map[string]string{cloudprovider.FakeNodeReason: "unregistered"}}.Fake())
}

func TestLaunchKnowsSpot(t *testing.T) {
	assert.False(t, cloudprovider.Launch{}.Spot())
	assert.False(t, cloudprovider.Launch{SpotStrategy: cloudprovider.NoSpot}.Spot())
	assert.True(t, cloudprovider.Launch{SpotStrategy: "SpotAsPriceGo"}.Spot())
}
