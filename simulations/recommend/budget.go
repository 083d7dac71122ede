package recommend

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ErrBudget is returned for a text that is no budget.
var ErrBudget = errors.New("no budget")

// Budget is what may be spent, in the settings' currency. The zero Budget bounds nothing.
type Budget struct {
	Amount float64
	// Per is the time that the amount is for; 0: for all builds of the trace.
	Per time.Duration
}

var budgetTimes = map[string]time.Duration{
	"hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour, "month": 30 * 24 * time.Hour,
}

// ParseBudget reads an amount, alone or per hour, day, week or month of 30 days, such as
// 1200/week. It returns ErrBudget if the text is none.
func ParseBudget(text string) (Budget, error) {
	amount, unit, per := strings.Cut(strings.TrimSpace(text), "/")
	var b Budget
	var err error
	if b.Amount, err = strconv.ParseFloat(amount, 64); err != nil || !(b.Amount > 0) || math.IsInf(b.Amount, 0) {
		return Budget{}, fmt.Errorf("%q: write an amount above 0 such as 900 or 1200/week: %w", text, ErrBudget)
	}
	if per {
		var known bool
		if b.Per, known = budgetTimes[unit]; !known {
			return Budget{}, fmt.Errorf("%q: write it per hour, day, week or month: %w", text, ErrBudget)
		}
	}
	return b, nil
}

// Over is what may be spent in so much time; +Inf where there is no budget.
func (b Budget) Over(span time.Duration) float64 {
	switch {
	case b.Amount == 0:
		return math.Inf(1)
	case b.Per == 0:
		return b.Amount
	}
	return b.Amount * span.Hours() / b.Per.Hours()
}
