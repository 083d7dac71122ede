package workload

import (
	"bufio"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// gitlabJob is what GitLab's jobs API tells of a job.
type gitlabJob struct {
	ID         int64     `json:"id"`
	Name       string    `json:"name"`
	Stage      string    `json:"stage"`
	Status     string    `json:"status"`
	StartedAt  time.Time `json:"started_at"`
	FinishedAt time.Time `json:"finished_at"`
	// QueuedDuration are the seconds between pending and running. A job is created with
	// its pipeline, and may wait for the jobs of earlier stages long before it is asked
	// for, so that created_at is not its arrival.
	QueuedDuration *float64 `json:"queued_duration"`
	TagList        []string `json:"tag_list"`
	Pipeline       struct {
		ProjectID int64 `json:"project_id"`
	} `json:"pipeline"`
}

// readGitLab reads pages of GET /projects/:id/jobs. Tags are the job's runner tags,
// stage=… and project=….
func readGitLab(c *collector, source *bufio.Reader) error {
	e := newExporter(c)
	return objects(c, source, nil, func(at place, object jsontext.Value) {
		var j gitlabJob
		if f := decode(object, &j); f != nil {
			e.bad(at.line, at.column, f)
			return
		}
		switch {
		case j.ID == 0 || j.Status == "":
			e.bad(at.line, at.column, &fault{"", "is no GitLab job: it has no id or status", "", "export GET /projects/:id/jobs"})
			return
		case e.again(at, strconv.FormatInt(j.ID, 10)):
			return
		case j.StartedAt.IsZero():
			e.skip(at, &fault{"status", "means that it never ran", j.Status, ""})
			return
		case j.FinishedAt.IsZero():
			e.skip(at, &fault{"status", "means that it has not ended", j.Status, ""})
			return
		}
		arrival := j.StartedAt
		if q := j.QueuedDuration; q != nil {
			if !(*q >= 0 && *q < float64(maxSeconds)) {
				e.bad(at.line, at.column, &fault{"queued_duration", "is no duration", strconv.FormatFloat(*q, 'g', -1, 64), "correct it, or skip bad builds"})
				return
			}
			arrival = arrival.Add(-time.Duration(*q * float64(time.Second)))
		}
		tags := append(j.TagList, "stage="+j.Stage)
		if j.Pipeline.ProjectID != 0 {
			tags = append(tags, "project="+strconv.FormatInt(j.Pipeline.ProjectID, 10))
		}
		e.add(at, exported{job: j.Name, tags: tags, arrival: arrival, start: j.StartedAt, end: j.FinishedAt})
	})
}
