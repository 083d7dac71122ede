package esssim

import (
	"time"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

const currency = "CNY"

type priceReply struct {
	answered
	PriceInfo struct{ Price wirePrice }
}

type wirePrice struct {
	OriginalPrice float64
	DiscountPrice float64
	TradePrice    float64
	Currency      string
}

func (s *Simulator) describePrice(p parameters) (reply, error) {
	name, err := p.required("InstanceType")
	if err != nil {
		return nil, err
	}
	price, err := s.account.Price(name, p["ZoneId"], account.SpotStrategy(p["SpotStrategy"]))
	if err != nil {
		return nil, err
	}
	answer := &priceReply{}
	answer.PriceInfo.Price = wirePrice{
		OriginalPrice: price.List,
		DiscountPrice: price.List - price.Trade,
		TradePrice:    price.Trade,
		Currency:      currency,
	}
	return answer, nil
}

type spotPricesReply struct {
	answered
	Currency   string
	NextOffset int
	SpotPrices struct{ SpotPriceType []wireSpotPrice }
}

type wireSpotPrice struct {
	ZoneID       string `json:"ZoneId"`
	InstanceType string
	NetworkType  string
	IoOptimized  string
	SpotPrice    float64
	OriginPrice  float64
	Timestamp    string
}

func (s *Simulator) describeSpotPriceHistory(p parameters) (reply, error) {
	name, err := p.required("InstanceType")
	if err != nil {
		return nil, err
	}
	from, err := p.instant("StartTime")
	if err != nil {
		return nil, err
	}
	to, err := p.instant("EndTime")
	if err != nil {
		return nil, err
	}
	offset, err := p.number("Offset")
	if err != nil {
		return nil, err
	}
	prices, next, err := s.account.SpotPriceHistory(name, p["ZoneId"], from, to, offset)
	if err != nil {
		return nil, err
	}
	answer := &spotPricesReply{Currency: currency, NextOffset: next}
	answer.SpotPrices.SpotPriceType = []wireSpotPrice{}
	for _, price := range prices {
		answer.SpotPrices.SpotPriceType = append(answer.SpotPrices.SpotPriceType, wireSpotPrice{
			ZoneID:       price.Zone,
			InstanceType: price.Type,
			NetworkType:  "vpc",
			IoOptimized:  "optimized",
			SpotPrice:    price.Spot,
			OriginPrice:  price.List,
			Timestamp:    toSecond(price.At),
		})
	}
	return answer, nil
}

// instant returns a time, or the zero time when there is none.
func (p parameters) instant(name string) (time.Time, error) {
	text := p[name]
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, account.ErrInvalid(name, "it is not a time such as 2026-08-01T12:00:00Z")
	}
	return at, nil
}
