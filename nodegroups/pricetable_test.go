package nodegroups

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestShippedTable(t *testing.T) {
	table, err := shippedTable()
	require.NoError(t, err)
	for _, test := range []struct {
		region, instanceType string
		want                 float64
	}{
		{"cn-hangzhou", "ecs.c7.2xlarge", 1.630796},
		{"us-west-1", "ecs.c7.2xlarge", 1.89837},
		{"cn-shanghai", "ecs.gn7-c12g1.3xlarge", 31.583333},
		{"eu-central-1", "ecs.gn5-c4g1.xlarge", 11.236},
	} {
		p, ok := table.price(test.region, test.instanceType)
		require.True(t, ok, "%s in %s", test.instanceType, test.region)
		assert.InDelta(t, test.want, p.PerHour, 1e-9)
		assert.Equal(t, "CNY", p.Currency)
		assert.Equal(t, "shipped table of 2024-12-31", p.Source)
		assert.Equal(t, "2024-12-31", p.AsOf.Format("2006-01-02"))
	}
	for region, instanceType := range map[string]string{
		"cn-hangzhou":    "ecs.c7.16xlarge", // the family is listed, the size is not
		"us-west-1":      "ecs.c7a.xlarge",  // an empty cell
		"cn-qingdao":     "ecs.c7.2xlarge",  // no such column
		"ap-southeast-1": "",
	} {
		_, ok := table.price(region, instanceType)
		assert.False(t, ok, "%s in %s", instanceType, region)
	}
}

func TestPriceTableRefusesWhatIsNoPrice(t *testing.T) {
	for name, table := range map[string]string{
		"a word":       "type,r\na,much\n",
		"zero":         "type,r\na,0\n",
		"a short row":  "type,r,s\na,1\n",
		"a debt":       "type,r\na,-1\n",
		"not a number": "type,r\na,NaN\n",
		"infinite":     "type,r\na,+Inf\n",
	} {
		_, err := parsePriceTable(strings.NewReader(table), "2024-12-31", "CNY")
		assert.Error(t, err, name)
	}
	_, err := parsePriceTable(strings.NewReader("type,r\n"), "yesterday", "CNY")
	require.Error(t, err)
}
