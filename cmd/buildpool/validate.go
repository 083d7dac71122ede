package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/buildpool/buildpool/nodegroups/config"
)

func newValidateCommand(env environment) *cobra.Command {
	v := validation{env: env}
	cmd := &cobra.Command{
		Use:   "validate FILE…",
		Short: "Check node-group files, and compare them with the account",
		Long: `Check node-group files. Every problem is printed on a line of its own:

  file:line:column: field: what is wrong; how to mend it

The exit code is 1 if there is any error, 0 if there are only warnings and advice.

With --live each file is also compared with the account it names, with the
credentials of its account section. That reads only: scaling groups, their launch
settings and instance types. With --kubeconfig too the section overflow is compared with
the cluster: whether the virtual node is there, is what cluster-autoscaler takes for one,
and could run the pods that opt in.

-o json prints an array with one object for each problem, in the order of the files
and lines; it is empty if all is well. Every object has the keys
  file      the name as given
  line      from 1; 0 if the problem has no place in the file
  column    from 1; 0 likewise
  severity  "error", "warning" or "advice"
  group     the node group's name in a warning, an advice or a comparison with the account, else ""
  field     the path of the value, such as groups[2].taints[0].effect, or ""
  message   what is wrong
  fix       what to do about it, or ""`,
		Example: `  buildpool validate nodegroups.yaml
  buildpool validate -o json deploy/*.yaml
  buildpool validate --live nodegroups.yaml`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error { return v.run(cmd.Context(), files) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&v.output, "output", "o", "text", "how to print: text or json")
	flags.BoolVar(&v.live, "live", false, "compare with the account as well")
	flags.StringVar(&v.kubeconfig, "kubeconfig", "", "how to reach the cluster, for --live: compare the section overflow with it; default: it is not looked at")
	flags.StringVar(&v.endpoint, "ess-endpoint", "", "URL of a simulated account, for --live")
	return cmd
}

// validation is one run of the command.
type validation struct {
	env      environment
	output   string
	live     bool
	endpoint string

	kubeconfig string
}

// complaint is one problem as -o json prints it. The keys are a promise.
type complaint struct {
	File     string          `json:"file"`
	Line     int             `json:"line"`
	Column   int             `json:"column"`
	Severity config.Severity `json:"severity"`
	Group    string          `json:"group"`
	Field    string          `json:"field"`
	Message  string          `json:"message"`
	Fix      string          `json:"fix"`
}

func (c complaint) String() string {
	s := c.File + ": "
	if c.Line > 0 {
		s = fmt.Sprintf("%s:%d:%d: ", c.File, c.Line, c.Column)
	}
	if c.Severity != config.SeverityError {
		s += string(c.Severity) + ": "
	}
	if c.Field != "" {
		s += c.Field + ": "
	}
	s += c.Message
	if c.Fix != "" {
		s += "; " + c.Fix
	}
	return s
}

// verdict is what came out for one file.
type verdict struct {
	file       string
	groups     int
	complaints []complaint
}

func (v verdict) count(severity config.Severity) int {
	n := 0
	for _, c := range v.complaints {
		if c.Severity == severity {
			n++
		}
	}
	return n
}

func (v *validation) run(ctx context.Context, files []string) error {
	if v.output != "text" && v.output != "json" {
		return fmt.Errorf("unknown output %q: use text or json", v.output)
	}
	if v.endpoint != "" && !v.live {
		return errors.New("--ess-endpoint is only used with --live")
	}
	if v.kubeconfig != "" && !v.live {
		return errors.New("--kubeconfig is only used with --live")
	}
	verdicts := make([]verdict, len(files))
	faulty, faults := 0, 0
	for i, file := range files {
		verdicts[i] = v.judge(ctx, file)
		if n := verdicts[i].count(config.SeverityError); n > 0 {
			faulty, faults = faulty+1, faults+n
		}
	}
	show := printText
	if v.output == "json" {
		show = printJSON
	}
	if err := show(v.env.stdout, verdicts); err != nil {
		return fmt.Errorf("print problems: %w", err)
	}
	if faults > 0 {
		return fmt.Errorf("%s in %d of %s", plural(faults, "error"), faulty, plural(len(files), "file"))
	}
	return nil
}

// judge checks one file, and compares it with the account if it is good and that
// is wanted.
func (v *validation) judge(ctx context.Context, file string) verdict {
	result := verdict{file: file}
	data, err := os.ReadFile(file)
	if err != nil {
		result.complaints = []complaint{{File: file, Severity: config.SeverityError, Message: err.Error(), Fix: "check the path"}}
		return result
	}
	cfg, err := config.Parse(file, data)
	var problems config.Errors
	if errors.As(err, &problems) {
		for _, p := range problems {
			result.complaints = append(result.complaints, complaint{
				File: file, Line: p.Line, Column: p.Column, Severity: config.SeverityError,
				Field: p.Field, Message: p.Message, Fix: p.Fix,
			})
		}
		return result
	}
	result.groups = len(cfg.Groups)
	result.complaints = located(file, data, config.Warnings(cfg))
	if v.live {
		result.complaints = append(result.complaints, v.compare(ctx, file, data, cfg)...)
		result.complaints = append(result.complaints, v.compareCluster(ctx, file, data, cfg)...)
	}
	return result
}

// compare holds a good file against the account.
func (v *validation) compare(ctx context.Context, file string, data []byte, cfg config.Config) []complaint {
	cloud, err := openCloud(v.env, cfg, v.endpoint, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		return unread(file, err)
	}
	findings, err := config.Compare(ctx, cfg, cloud)
	return append(located(file, data, findings), unread(file, err)...)
}

// located gives findings their places in the file.
func located(file string, data []byte, findings []config.Finding) []complaint {
	var complaints []complaint
	for _, f := range findings {
		line, column := config.Locate(data, f.Field)
		complaints = append(complaints, complaint{
			File: file, Line: line, Column: column, Severity: f.Severity,
			Group: f.Group, Field: f.Field, Message: f.Message, Fix: f.Fix,
		})
	}
	return complaints
}

// unread tells what of the account could not be read, one complaint for each of
// the errors joined in err.
func unread(file string, err error) []complaint {
	if err == nil {
		return nil
	}
	errs := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		errs = joined.Unwrap()
	}
	complaints := make([]complaint, len(errs))
	for i, err := range errs {
		complaints[i] = complaint{
			File: file, Severity: config.SeverityError, Message: "the account cannot be read: " + err.Error(),
			Fix: "check the credentials, their permissions and the way to the account",
		}
	}
	return complaints
}

func printText(w io.Writer, verdicts []verdict) error {
	for _, v := range verdicts {
		for _, c := range v.complaints {
			if _, err := fmt.Fprintln(w, c); err != nil {
				return err
			}
		}
		if v.count(config.SeverityError) > 0 {
			continue
		}
		summary := plural(v.groups, "group")
		if n := v.count(config.SeverityWarning); n > 0 {
			summary += ", " + plural(n, "warning")
		}
		if n := v.count(config.SeverityAdvice); n > 0 {
			summary += fmt.Sprintf(", %d advice", n)
		}
		if _, err := fmt.Fprintf(w, "%s: OK (%s)\n", v.file, summary); err != nil {
			return err
		}
	}
	return nil
}

func printJSON(w io.Writer, verdicts []verdict) error {
	complaints := []complaint{} // an array even if empty
	for _, v := range verdicts {
		complaints = append(complaints, v.complaints...)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(complaints)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
