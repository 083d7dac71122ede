package grpcserver

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/buildpool/buildpool/cloudprovider"
)

// explainer says of every choice what was chosen and why, and what was not: one log
// line, and two counters.
type explainer struct {
	log     *slog.Logger
	choices *prometheus.CounterVec
	skipped *prometheus.CounterVec
}

func newExplainer(log *slog.Logger, registerer prometheus.Registerer) *explainer {
	register := promauto.With(registerer)
	return &explainer{
		log: log,
		choices: register.NewCounterVec(prometheus.CounterOpts{
			Name: "buildpool_expander_choices_total",
			Help: "Scale-ups for which the expander named the group, by what decided. A group that is not ours is \"foreign\", a veto \"none\".",
		}, []string{"node_group", "reason"}),
		skipped: register.NewCounterVec(prometheus.CounterOpts{
			Name: "buildpool_expander_skipped_total",
			Help: "Options that the expander passed over, by the worst reason against the group.",
		}, []string{"node_group", "reason"}),
	}
}

// What stands for a group in a metric's label where there is none of ours. Names that
// a client makes up must not become series.
const (
	labelForeign = "foreign"
	labelNone    = "none"
)

func (e *explainer) record(ctx context.Context, x cloudprovider.Expansion) {
	group := labelNone
	switch {
	case x.Reason == cloudprovider.ChosenForeign:
		group = labelForeign
	case len(x.Best) > 0:
		group = x.Best[0]
	}
	e.choices.WithLabelValues(group, string(x.Reason)).Inc()
	for _, option := range x.Ranked {
		if len(option.Skips) > 0 {
			e.skipped.WithLabelValues(option.GroupID, string(option.Skips[0].Reason)).Inc()
		}
	}
	level := slog.LevelInfo
	if x.Reason == cloudprovider.ChosenLeastBad || x.Reason == cloudprovider.ChosenNone {
		level = slog.LevelWarn
	}
	if e.log.Enabled(ctx, level) {
		e.log.LogAttrs(ctx, level, "expander chose", explanation(x)...)
	}
}

// mostOptionsInLog keeps a line readable in an account with hundreds of groups.
const mostOptionsInLog = 20

// explanation is the choice as one line: what was chosen and why, the options in
// order, and what speaks against each of those that were skipped.
func explanation(x cloudprovider.Expansion) []slog.Attr {
	var ranked, skipped []string
	for i, option := range x.Ranked {
		if i == mostOptionsInLog {
			ranked = append(ranked, fmt.Sprintf("and %d more", len(x.Ranked)-i))
			break
		}
		if len(option.Skips) == 0 {
			ranked = append(ranked, place(option))
		} else {
			skipped = append(skipped, option.GroupID+": "+reasons(option.Skips))
		}
	}
	attributes := []slog.Attr{
		slog.String("chosen", strings.Join(x.Best, ",")),
		slog.String("reason", string(x.Reason)),
	}
	if len(x.Best) > 0 {
		first := chosen(x)
		attributes = append(attributes, slog.Int("nodes", first.NodeCount))
		if !first.Foreign {
			attributes = append(attributes, slog.Int("tier", first.Tier))
		}
	}
	return append(attributes, slog.String("ranked", strings.Join(ranked, "; ")), slog.String("skipped", strings.Join(skipped, "; ")))
}

// chosen finds the first of the chosen options.
func chosen(x cloudprovider.Expansion) cloudprovider.RankedOption {
	for _, option := range x.Ranked {
		if option.GroupID == x.Best[0] {
			return option
		}
	}
	return cloudprovider.RankedOption{GroupID: x.Best[0], Foreign: true}
}

// place tells what an option's place was decided by.
func place(o cloudprovider.RankedOption) string {
	if o.Foreign {
		return o.GroupID + " (foreign)"
	}
	facts := []string{"tier " + strconv.Itoa(o.Tier)}
	if o.Priority != 0 {
		facts = append(facts, "priority "+strconv.Itoa(o.Priority))
	}
	if o.Waste != nil {
		facts = append(facts, fmt.Sprintf("waste %.3f", *o.Waste))
	}
	if o.PricePerPod != nil {
		facts = append(facts, fmt.Sprintf("price %.4f per pod and hour", *o.PricePerPod))
	}
	return o.GroupID + " (" + strings.Join(facts, ", ") + ")"
}

// reasons tells what speaks against a group, and until when.
func reasons(skips []cloudprovider.Skip) string {
	all := make([]string, len(skips))
	for i, skip := range skips {
		all[i] = string(skip.Reason)
		if skip.Code != "" {
			all[i] += " " + skip.Code
		}
		if !skip.Until.IsZero() {
			all[i] += " until " + skip.Until.UTC().Format("15:04:05Z")
		}
	}
	return strings.Join(all, ", ")
}
