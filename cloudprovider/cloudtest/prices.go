package cloudtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

func priceReads() []conformance {
	return []conformance{
		{"an on-demand price", expected(0, 1, 0), func(t *testing.T, a Account) {
			small, err := a.Cloud().OnDemandPrice(t.Context(), InstanceType)
			require.NoError(t, err)
			large, err := a.Cloud().OnDemandPrice(t.Context(), OverrideType)
			require.NoError(t, err)
			for _, p := range []cloudprovider.Price{small, large} {
				assert.Positive(t, p.PerHour)
				assert.Len(t, p.Currency, 3)
				assert.NotEmpty(t, p.Source)
				assert.False(t, p.AsOf.IsZero())
				assert.False(t, p.Assumed)
			}
			assert.InEpsilon(t, 2*small.PerHour, large.PerHour, 1e-3, "twice the machine")
			assert.Equal(t, small.Currency, large.Currency)
		}},
		{"spot prices by zone", expected(0, 1, 0), func(t *testing.T, a Account) {
			list, err := a.Cloud().OnDemandPrice(t.Context(), InstanceType)
			require.NoError(t, err)
			a.Advance(3 * time.Hour)
			prices, err := a.Cloud().SpotPrices(t.Context(), InstanceType)
			require.NoError(t, err)
			require.Contains(t, prices, Zone)
			spot := prices[Zone]
			assert.Positive(t, spot.PerHour)
			assert.Less(t, spot.PerHour, list.PerHour)
			assert.Equal(t, list.Currency, spot.Currency)
			assert.NotEmpty(t, spot.Source)
			assert.NotEqual(t, list.Source, spot.Source)
			assert.False(t, spot.AsOf.IsZero())

			a.Advance(2 * time.Hour)
			later, err := a.Cloud().SpotPrices(t.Context(), InstanceType)
			require.NoError(t, err)
			assert.True(t, later[Zone].AsOf.After(spot.AsOf), "the latest price of the history counts")
		}},
		{"a type that is not sold has no price", expected(0, 1, 0), func(t *testing.T, a Account) {
			_, err := a.Cloud().OnDemandPrice(t.Context(), "ecs.unknown")
			require.ErrorIs(t, err, cloudprovider.ErrNoPrice)
			assert.ErrorContains(t, err, "ecs.unknown")
			_, err = a.Cloud().SpotPrices(t.Context(), "ecs.unknown")
			require.ErrorIs(t, err, cloudprovider.ErrNoPrice)
			assert.ErrorContains(t, err, "ecs.unknown")
		}},
	}
}
