package nodegroups

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

//go:embed prices/2024-12-31.csv
var shippedPrices string

// shippedDate is when the shipped prices held.
const shippedDate = "2024-12-31"

// shippedCurrency is the currency of every price of the shipped table.
const shippedCurrency = "CNY"

// priceTable holds on-demand prices per hour by region and instance type.
type priceTable struct {
	perHour  map[string]map[string]float64
	source   string
	currency string
	asOf     time.Time
}

// shippedTable is the table in the binary, read once.
var shippedTable = sync.OnceValues(func() (priceTable, error) {
	return parsePriceTable(strings.NewReader(shippedPrices), shippedDate, shippedCurrency)
})

// parsePriceTable reads a table whose first row names the regions and whose first
// column names the instance types. An empty cell is a type that the region lacks.
func parsePriceTable(from io.Reader, date, currency string) (priceTable, error) {
	asOf, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return priceTable{}, fmt.Errorf("read price table: %w", err)
	}
	rows := csv.NewReader(from)
	rows.Comment = '#'
	all, err := rows.ReadAll()
	if err != nil {
		return priceTable{}, fmt.Errorf("read price table of %s: %w", date, err)
	}
	t := priceTable{perHour: map[string]map[string]float64{}, source: "shipped table of " + date, currency: currency, asOf: asOf}
	for n, row := range all {
		for column, cell := range row {
			if n == 0 || column == 0 || cell == "" {
				continue
			}
			perHour, err := strconv.ParseFloat(cell, 64)
			if err != nil || !(perHour > 0) || math.IsInf(perHour, 1) {
				return priceTable{}, fmt.Errorf("read price table of %s: %s in %s costs %q", date, row[0], all[0][column], cell)
			}
			region := all[0][column]
			if t.perHour[region] == nil {
				t.perHour[region] = map[string]float64{}
			}
			t.perHour[region][row[0]] = perHour
		}
	}
	return t, nil
}

// price looks an on-demand price up. A size that is not listed has none, although
// prices of one family mostly grow with its size: what is not known is not made up.
func (t priceTable) price(region, instanceType string) (cloudprovider.Price, bool) {
	perHour, listed := t.perHour[region][instanceType]
	if !listed {
		return cloudprovider.Price{}, false
	}
	return cloudprovider.Price{PerHour: perHour, Currency: t.currency, Source: t.source, AsOf: t.asOf}, true
}
