package workload

import (
	"bufio"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// githubJob is what GitHub's API tells of a workflow's job.
type githubJob struct {
	ID           int64     `json:"id"`
	Name         string    `json:"name"`
	WorkflowName string    `json:"workflow_name"`
	Status       string    `json:"status"`
	Conclusion   string    `json:"conclusion"`
	CreatedAt    time.Time `json:"created_at"`
	StartedAt    time.Time `json:"started_at"`
	CompletedAt  time.Time `json:"completed_at"`
	Labels       []string  `json:"labels"`
	RunnerID     *int64    `json:"runner_id"`
}

// readGitHub reads pages of GET /repos/…/actions/runs/…/jobs, one after the other or in
// a list. Tags are the labels of runs-on and workflow=….
func readGitHub(c *collector, source *bufio.Reader) error {
	e := newExporter(c)
	return objects(c, source, []string{"jobs"}, func(at place, object jsontext.Value) {
		var j githubJob
		if f := decode(object, &j); f != nil {
			e.bad(at.line, at.column, f)
			return
		}
		switch {
		case j.ID == 0 || j.Status == "":
			e.bad(at.line, at.column, &fault{"", "is no GitHub job: it has no id or status", "", "export GET /repos/OWNER/REPO/actions/runs/ID/jobs"})
			return
		case e.again(at, strconv.FormatInt(j.ID, 10)):
			return
		case j.Status != "completed" || j.CompletedAt.IsZero():
			e.skip(at, &fault{"status", "means that it has not ended", j.Status, ""})
			return
		case j.Conclusion == "skipped", j.StartedAt.IsZero(), j.RunnerID == nil, *j.RunnerID == 0:
			// A job that was cancelled in the queue has times, but no runner ever had it.
			e.skip(at, &fault{"conclusion", "means that it never ran", j.Conclusion, ""})
			return
		}
		tags := j.Labels
		if j.WorkflowName != "" {
			tags = append(tags, "workflow="+j.WorkflowName)
		}
		e.add(at, exported{job: j.Name, tags: tags, arrival: j.CreatedAt, start: j.StartedAt, end: j.CompletedAt})
	})
}
