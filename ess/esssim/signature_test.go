package esssim

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The example of "Auto Scaling: Signatures" in Alibaba's documentation; it spells
// the key TimeStamp.
const officialQuery = "TimeStamp=2014-08-15T11%3A10%3A07Z&Format=xml&AccessKeyId=testid&Action=DescribeScalingGroups" +
	"&SignatureMethod=HMAC-SHA1&RegionId=cn-qingdao&SignatureNonce=1324fd0e-e2bb-4bb1-917c-bd6e437f1710&SignatureVersion=1.0&Version=2014-08-28"

const officialSignature = "SmhZuLUnXmqxSEZ/GqyiwGqmf+M="

func TestOfficialSignatureVector(t *testing.T) {
	values, err := url.ParseQuery(officialQuery)
	require.NoError(t, err)
	p := newParameters(values)
	assert.Equal(t, officialSignature, sign("GET", p, "testsecret"))
	p["Signature"] = officialSignature
	assert.Equal(t, officialSignature, sign("GET", p, "testsecret"), "the signature itself is not signed")
	assert.NotEqual(t, officialSignature, sign("POST", p, "testsecret"))
}

func TestPercentEncode(t *testing.T) {
	assert.Equal(t, "a-_.~%20%2A%2B%2F%3D%25%E4%B8%AD", percentEncode("a-_.~ *+/=%中"))
}

func TestParameterLists(t *testing.T) {
	p := parameters{"Id.2": "b", "Id.10": "c", "Id.1": "a", "Id.01": "x", "Id.0": "x", "Id.x": "x", "Id": "x", "Tag.1.Key": "k", "Tag.1.Value": "v", "Tag.2.Key": "any"}
	assert.Equal(t, []string{"a", "b", "c"}, p.list("Id"))
	tags, err := p.tags("Tag")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"k": "v", "any": ""}, tags)
	_, err = parameters{"Tag.1.Value": "v"}.tags("Tag")
	require.Error(t, err)
}
