package nodegroups_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

// aliases name instances, activities and placeholders in the order of their
// appearance: the account's own IDs say nothing to a reader.
type aliases struct {
	byReal, byAlias map[string]string
	count           map[string]int
}

func newAliases() aliases {
	return aliases{byReal: map[string]string{}, byAlias: map[string]string{}, count: map[string]int{}}
}

func (a *aliases) add(kind, id string) string {
	if known, ok := a.byReal[id]; ok {
		return known
	}
	a.count[kind]++
	alias := kind + "-" + strconv.Itoa(a.count[kind])
	a.byReal[id], a.byAlias[alias] = alias, id
	return alias
}

// learn names what is new in the account, oldest first.
func (a *aliases) learn(state account.State) {
	for _, g := range state.Groups {
		for _, i := range g.Instances {
			a.add("node", i.ID)
		}
		for _, act := range slices.Backward(g.Activities) {
			a.add("activity", act.ID)
		}
	}
}

// real is the ID of an alias; what is none stands for itself.
func (a *aliases) real(alias string) string {
	if id, ok := a.byAlias[alias]; ok {
		return id
	}
	return alias
}

var (
	realID    = regexp.MustCompile(`(cn-hangzhou\.)?\b(i|asa)-[0-9a-z]{8,}`)
	requestID = regexp.MustCompile(` \(request [0-9A-F-]+\)`)
	// Which of the two a server sees first, its client's deadline or its hanging up at
	// it, is chance.
	outOfTime = regexp.MustCompile(`context (deadline exceeded|canceled)`)
	failedID  = regexp.MustCompile(`buildpool://failed/[^ "]+`)
)

// replace puts aliases in the place of IDs.
func (a *aliases) replace(line string) string {
	line = requestID.ReplaceAllString(line, "")
	line = outOfTime.ReplaceAllString(line, "out of time")
	line = failedID.ReplaceAllStringFunc(line, func(id string) string { return cmp.Or(a.byReal[id], id) })
	return realID.ReplaceAllStringFunc(line, func(id string) string {
		return cmp.Or(a.byReal[strings.TrimPrefix(id, "cn-hangzhou.")], id)
	})
}

// list tells a group's instances in the order of their aliases, neighbours of one
// state in one line, with how they are spelt when that is not the usual way.
func (a *aliases) list(instances []cloudprovider.InstanceStatus) []string {
	var lines []string
	var nodes []listed
	for _, i := range instances {
		if i.Failure != nil {
			continue
		}
		id, form, err := cloudprovider.ParseProviderID(i.ID)
		if err != nil {
			lines = append(lines, "  ? "+i.ID)
			continue
		}
		text := i.State.String()
		if form != cloudprovider.FormDot {
			text += ", as " + string(form)
		}
		nodes = append(nodes, listed{a.add("node", id.InstanceID), text})
	}
	slices.SortFunc(nodes, func(x, y listed) int { return cmp.Compare(x.number(), y.number()) })
	for n := 0; n < len(nodes); {
		end := n + 1
		for end < len(nodes) && nodes[end].text == nodes[n].text && nodes[end].number() == nodes[end-1].number()+1 {
			end++
		}
		name := nodes[n].alias
		if end-n > 1 {
			name += ".." + nodes[end-1].alias
		}
		lines = append(lines, "  "+name+" "+nodes[n].text)
		n = end
	}
	for _, i := range instances {
		if f := i.Failure; f != nil {
			class := map[cloudprovider.FailureClass]string{cloudprovider.OutOfResources: "OutOfResources", cloudprovider.OtherFailure: "Other"}[f.Class]
			lines = append(lines, fmt.Sprintf("  %s %s, %s %s: %s (%s)", a.add("failed", i.ID), i.State, class, f.Code, f.Message, a.activityOf(i.ID)))
		}
	}
	return lines
}

// activityOf names the activity that a placeholder's ID tells.
func (a *aliases) activityOf(id string) string {
	parts := strings.Split(id, "/")
	return cmp.Or(a.byReal[parts[len(parts)-2]], "?")
}

type listed struct{ alias, text string }

func (l listed) number() int {
	n, _ := strconv.Atoi(l.alias[strings.LastIndex(l.alias, "-")+1:])
	return n
}

// spread writes node-2..node-4 out.
func spread(name string) []string {
	first, last, ranged := strings.Cut(name, "..")
	if !ranged {
		return []string{name}
	}
	var names []string
	for n := (listed{alias: first}).number(); n <= (listed{alias: last}).number(); n++ {
		names = append(names, first[:strings.LastIndex(first, "-")+1]+strconv.Itoa(n))
	}
	return names
}

// shownReads are the reads that a transcript tells; those of prices and launch
// settings come at their own pace and would hide the story.
var shownReads = []string{"DescribeScalingGroups", "DescribeScalingInstances", "DescribeScalingActivities"}

// newCalls tells the calls since the last command: reads that follow one another in
// one line, every write in its own.
func (s *stage) newCalls() []string {
	all := s.account.Transcript()
	calls := all[min(s.seenCalls, len(all)):]
	s.seenCalls = len(all)
	var lines, reads []string
	flush := func() {
		if len(reads) > 0 {
			slices.SortStableFunc(reads, func(x, y string) int { return cmp.Compare(readRank(x), readRank(y)) })
			lines = append(lines, "ess read "+strings.Join(counted(reads), ", "))
			reads = nil
		}
	}
	for _, c := range calls {
		switch {
		case slices.Contains(shownReads, c.API):
			reads = append(reads, describeRead(c))
		case strings.HasPrefix(c.API, "Describe"):
		default:
			flush()
			lines = append(lines, s.describeWrite(c))
		}
	}
	flush()
	return counted(lines)
}

// readRank orders the reads that several goroutines made at the same moment: by what
// was read, and not by how it ended, so that repetitions stay in their order.
func readRank(read string) string {
	what, _, _ := strings.Cut(read, " (")
	return map[string]string{"groups": "1", "instances": "2", "activities": "3"}[strings.Fields(what)[0]] + what
}

func describeRead(c esssim.Call) string {
	text := strings.ToLower(strings.TrimPrefix(c.API, "DescribeScaling"))
	if group := c.Params["ScalingGroupId"]; group != "" {
		text += " of " + strings.TrimPrefix(group, "asg-")
	}
	if c.Code != "" || c.Fault != "" {
		text += " (" + outcomeOf(c) + ")"
	}
	return text
}

func (s *stage) describeWrite(c esssim.Call) string {
	text := "ess " + c.API + " " + c.Params["ScalingGroupId"]
	if c.Params["AdjustmentType"] != "" {
		text += " " + c.Params["AdjustmentType"] + "=" + c.Params["AdjustmentValue"]
	}
	var removed []string
	for n := 1; c.Params["InstanceId."+strconv.Itoa(n)] != ""; n++ {
		removed = append(removed, c.Params["InstanceId."+strconv.Itoa(n)])
	}
	if len(removed) > 5 {
		text += fmt.Sprintf(" %d instances", len(removed))
	} else {
		slices.SortFunc(removed, func(x, y string) int {
			return cmp.Compare(listed{alias: s.aliases.byReal[x]}.number(), listed{alias: s.aliases.byReal[y]}.number())
		})
		text = strings.TrimRight(text+" "+strings.Join(removed, " "), " ")
		text += " (" + c.Params["ClientToken"] + ")"
	}
	return text + ": " + outcomeOf(c)
}

// outcomeOf is how a call ended, and whether it took effect all the same.
func outcomeOf(c esssim.Call) string {
	switch c.Status {
	case 200:
		return "ok"
	case 0:
		return cmp.Or(c.Code, "no answer")
	}
	return strconv.Itoa(c.Status) + " " + c.Code
}

// counted puts equal neighbours into one line.
func counted(lines []string) []string {
	var out []string
	for n := 0; n < len(lines); {
		end := n + 1
		for end < len(lines) && lines[end] == lines[n] {
			end++
		}
		text := lines[n]
		if end-n > 1 {
			text += fmt.Sprintf(" x%d", end-n)
		}
		out = append(out, text)
		n = end
	}
	return out
}

// eventLog keeps the provider's log lines as a reader wants them: the message and
// what matters of the rest.
type eventLog struct {
	mu    sync.Mutex
	lines []string
	with  []slog.Attr
	root  *eventLog
}

// silentKeys are left out of a transcript: they repeat what is told already.
var silentKeys = []string{"token", "scaling_group", "provider_id"}

func (l *eventLog) logger() *slog.Logger { return slog.New(l) }

func (l *eventLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

func (l *eventLog) WithGroup(string) slog.Handler { return l }

func (l *eventLog) WithAttrs(more []slog.Attr) slog.Handler {
	return &eventLog{with: append(slices.Clip(l.with), more...), root: cmp.Or(l.root, l)}
}

func (l *eventLog) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, "price ") {
		return nil // prices come at their own pace
	}
	text := "log " + r.Level.String() + " " + r.Message + ":"
	show := func(a slog.Attr) bool {
		if value := a.Value.String(); !slices.Contains(silentKeys, a.Key) {
			if ids, ok := a.Value.Any().([]string); ok && len(ids) > 5 {
				value = fmt.Sprintf("%d of them", len(ids))
			}
			text += " " + a.Key + "=" + strings.ReplaceAll(value, "\n", "; ")
		}
		return true
	}
	for _, a := range l.with {
		show(a)
	}
	r.Attrs(show)
	root := cmp.Or(l.root, l)
	root.mu.Lock()
	defer root.mu.Unlock()
	root.lines = append(root.lines, text)
	return nil
}

// take returns the lines since the last one.
func (l *eventLog) take(names *aliases) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	l.lines = nil
	for n, line := range lines {
		lines[n] = names.replace(line) // request IDs would make equal lines differ
	}
	return counted(lines)
}
