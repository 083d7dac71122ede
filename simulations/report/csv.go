package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// buildColumns begin with the columns of a trace, so that the file can be played again
// with its waits as the observed ones.
var buildColumns = []string{
	"arrival", "duration", "wait", "class", "cpu", "memory", "gpu", "job", "labels", "image",
	"started", "ended", "group", "node", "interruptions", "lost", "cause",
}

// virtualGroup stands for a group where a build ran on the virtual node: no group can
// have this name.
const virtualGroup = "(virtual)"

// WriteBuildsCSV writes when the trace starts, where that is known, and one line per
// build. Times are in seconds; what did
// not happen is empty, and so is the wait of a build that never started.
func WriteBuildsCSV(w io.Writer, settings engine.Settings, result engine.Result) error {
	if _, err := io.WriteString(w, workload.CSVStart(settings.Trace.Start)); err != nil {
		return fmt.Errorf("write builds: %w", err)
	}
	out := csv.NewWriter(w)
	if err := out.Write(buildColumns); err != nil {
		return fmt.Errorf("write builds: %w", err)
	}
	shapes := make([][]string, len(settings.Trace.Shapes))
	for n, s := range settings.Trace.Shapes {
		shapes[n] = shapeCells(s)
	}
	line := make([]string, 0, len(buildColumns))
	for n, did := range result.Builds {
		b := settings.Trace.Builds[n]
		wait, group, node := "", "", ""
		if did.Started != engine.Never {
			wait = secondsText(did.Started - b.Arrival)
		}
		if did.Group >= 0 {
			group = settings.Groups[did.Group].Config.Name
		}
		if did.Virtual {
			group = virtualGroup
		}
		if did.Node >= 0 {
			node = strconv.Itoa(int(did.Node))
		}
		line = append(line[:0], secondsText(b.Arrival), secondsText(b.Duration), wait)
		line = append(line, shapes[b.Shape]...)
		line = append(line, instantText(did.Started), instantText(did.Ended), group, node,
			strconv.Itoa(int(did.Interruptions)), secondsText(did.Lost), did.Cause.String())
		if err := out.Write(line); err != nil {
			return fmt.Errorf("write builds: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write builds: %w", err)
	}
	return nil
}

// shapeCells are the columns from class to image.
func shapeCells(s workload.Shape) []string {
	var labels []string
	for key, value := range s.Labels {
		labels = append(labels, key+"="+value)
	}
	slices.Sort(labels)
	return []string{
		ClassName(s), strconv.FormatInt(s.MilliCPU, 10) + "m", strconv.FormatInt(s.MemoryBytes, 10),
		strconv.FormatInt(s.GPUs, 10), s.Job, strings.Join(labels, ","), s.Image,
	}
}

// WriteTimelineCSV writes one line per point of the run's timeline: builds by class,
// then each group.
func WriteTimelineCSV(w io.Writer, settings engine.Settings, result engine.Result) error {
	out := csv.NewWriter(w)
	line := []string{"at", "pending", "running"}
	for _, class := range settings.Classes() {
		line = append(line, "class."+class+".pending", "class."+class+".running")
	}
	for _, g := range settings.Groups {
		for _, column := range []string{"min", "target", "billed", "ready", "busy", "cpu_used", "cpu_ready"} {
			line = append(line, "group."+g.Config.Name+"."+column)
		}
	}
	if settings.Overflow != nil {
		line = append(line, "virtual.pods")
	}
	if err := out.Write(line); err != nil {
		return fmt.Errorf("write timeline: %w", err)
	}
	for _, p := range result.Timeline {
		line = append(line[:0], secondsText(p.At), countText(p.AllPending), countText(p.AllRunning))
		for n := range p.Pending {
			line = append(line, countText(p.Pending[n]), countText(p.Running[n]))
		}
		for _, g := range p.Groups {
			line = append(line, countText(g.Min), countText(g.Target), countText(g.Billed), countText(g.Ready), countText(g.Busy),
				coresText(g.UsedMilliCPU), coresText(g.ReadyMilliCPU))
		}
		if settings.Overflow != nil {
			line = append(line, countText(p.Virtual))
		}
		if err := out.Write(line); err != nil {
			return fmt.Errorf("write timeline: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write timeline: %w", err)
	}
	return nil
}

func countText(n int32) string { return strconv.Itoa(int(n)) }

func coresText(milli int64) string { return strconv.FormatFloat(float64(milli)/1000, 'f', -1, 64) }

func secondsText(d time.Duration) string { return strconv.FormatFloat(seconds(d), 'f', -1, 64) }

func instantText(d time.Duration) string {
	if d == engine.Never {
		return ""
	}
	return secondsText(d)
}
