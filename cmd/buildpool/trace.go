package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/buildpool/buildpool/simulations/workload"
)

func newTraceCommand(env environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trace",
		Short: "Convert, describe, scale and generate histories of builds",
		Long: `A trace is a history of builds: when each of them was asked for, how long it ran,
what it requested. "buildpool simulate" plays traces against node groups.

Traces are CSV or JSON lines with the columns arrival, duration, cpu, memory, gpu,
class, and if need be job, labels, image and wait. Exports of CI systems become
traces with a mapping file, which says what the export does not: the class and the
requests of each job. docs/workloads.md tells how exports are made.`,
	}
	cmd.AddCommand(
		newTraceConvertCommand(env),
		newTraceDescribeCommand(env),
		newTraceScaleCommand(env),
		newTraceGenerateCommand(env),
		newTraceMappingCommand(env),
	)
	return cmd
}

// traceSource is where a command reads builds: a file or the standard input, and how.
type traceSource struct {
	format, mapping, start, location string
	skipBad                          bool
}

func (s *traceSource) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&s.format, "from", "", "format of the source: "+formatList()+" (told from .csv and .jsonl)")
	flags.StringVar(&s.mapping, "mapping", "", "mapping file for an export; see buildpool trace mapping")
	flags.BoolVar(&s.skipBad, "skip-bad", false, "leave out builds that cannot be read, and say how many and why")
	flags.StringVar(&s.start, "start", "", "when the trace begins (RFC 3339), if the source has seconds only")
	flags.StringVar(&s.location, "location", "", "where the hours of the day are told, such as Asia/Shanghai")
}

func formatList() string {
	var names []string
	for _, f := range workload.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// read reads the named file, or the standard input for "-". What was left out is told
// on the error stream.
func (s *traceSource) read(env environment, name string) (workload.Trace, error) {
	o, err := s.options()
	if err != nil {
		return workload.Trace{}, err
	}
	var trace workload.Trace
	var dropped workload.Dropped
	if name == "-" {
		if o.Format == "" {
			o.Format = workload.CSV
		}
		name = "standard input"
		trace, dropped, err = workload.Read(name, env.stdin, o)
	} else {
		trace, dropped, err = workload.ReadFile(name, o)
	}
	tellDropped(env.stderr, dropped)
	if err != nil {
		return workload.Trace{}, err
	}
	if len(trace.Builds) == 0 {
		return trace, fmt.Errorf("%s: there is no build in it", name)
	}
	return trace, nil
}

func (s *traceSource) options() (workload.Options, error) {
	o := workload.Options{Format: workload.Format(s.format), SkipBad: s.skipBad}
	var err error
	if o.Start, o.Location, err = startAndLocation(s.start, s.location); err != nil {
		return o, err
	}
	if s.mapping == "" {
		return o, nil
	}
	if o.Format == "" || o.Format == workload.CSV || o.Format == workload.JSONLines {
		return o, fmt.Errorf("--mapping is for exports: say which with --from, or read a CSV file with --from %s", workload.Columns)
	}
	text, err := os.ReadFile(s.mapping)
	if err != nil {
		return o, fmt.Errorf("read mapping: %w", err)
	}
	o.Mapping, err = workload.ParseMapping(s.mapping, text)
	return o, err
}

// startAndLocation reads the two flags; each may be empty.
func startAndLocation(start, location string) (time.Time, *time.Location, error) {
	var at time.Time
	var in *time.Location
	var err error
	if location != "" {
		if in, err = time.LoadLocation(location); err != nil {
			return at, nil, fmt.Errorf("--location: %w", err)
		}
	}
	if start == "" {
		return at, in, nil
	}
	if at, err = time.Parse(time.RFC3339, start); err != nil {
		return at, in, fmt.Errorf("--start %q is no RFC 3339 time such as 2026-01-05T00:00:00Z", start)
	}
	if in != nil {
		at = at.In(in)
	}
	return at, in, nil
}

// shownReasons bounds what is told of builds that were left out.
const shownReasons = 10

func tellDropped(w io.Writer, d workload.Dropped) {
	if d.Count == 0 {
		return
	}
	fmt.Fprintf(w, "buildpool: %s left out:\n", plural(d.Count, "build"))
	for i, r := range d.Reasons {
		if i == shownReasons {
			fmt.Fprintf(w, "  and for %s\n", plural(len(d.Reasons)-i, "other reason"))
			break
		}
		fmt.Fprintf(w, "  %d: %s (first at %s:%d:%d)\n", r.Count, shown(r.Text), shown(r.First.File), r.First.Line, r.First.Column)
	}
}

// traceTarget is where a command writes a trace.
type traceTarget struct{ format, out string }

func (t *traceTarget) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&t.format, "to", "", "format of the trace: csv or jsonl (told from --out, else csv)")
	flags.StringVar(&t.out, "out", "", "file to write; the standard output if not given")
}

func (t *traceTarget) write(env environment, trace workload.Trace) error {
	format := workload.Format(t.format)
	if format == "" {
		format = workload.CSV
		if t.out != "" {
			var err error
			if format, err = workload.FormatOf(t.out); err != nil {
				return fmt.Errorf("--out: %w", err)
			}
		}
	}
	if t.out == "" {
		return workload.Write(env.stdout, trace, format)
	}
	f, err := os.Create(t.out)
	if err != nil {
		return fmt.Errorf("write trace: %w", err)
	}
	if err := workload.Write(f, trace, format); err != nil {
		_ = f.Close() // the first error is the one to tell
		return err
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("write trace: %w", err)
	}
	return nil
}

// sourceName is the command's argument, or the standard input.
func sourceName(args []string) string {
	if len(args) == 0 {
		return "-"
	}
	return args[0]
}
