package workload

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// jenkinsBuild is what Jenkins' API tells of a build, all times in milliseconds.
type jenkinsBuild struct {
	Number    int64  `json:"number"`
	URL       string `json:"url"`
	Timestamp int64  `json:"timestamp"`
	Duration  int64  `json:"duration"`
	Building  bool   `json:"building"`
	QueueID   int64  `json:"queueId"`
	BuiltOn   string `json:"builtOn"`
	// Actions have the times of the metrics plugin in one of them.
	Actions []jenkinsTimes `json:"actions"`
}

// jenkinsTimes are what the metrics plugin adds: the build's own time in the queue, that
// together with its sub-tasks', which are a pipeline's agents, and how long these ran.
type jenkinsTimes struct {
	QueuingDuration *int64 `json:"queuingDurationMillis"`
	QueuingTime     int64  `json:"queuingTimeMillis"`
	ExecutingTime   int64  `json:"executingTimeMillis"`
	SubTasks        int64  `json:"subTaskCount"`
}

// jenkinsItem is an item of Jenkins' queue.
type jenkinsItem struct {
	ID           int64 `json:"id"`
	InQueueSince int64 `json:"inQueueSince"`
}

// jenkins reads jobs within folders within folders, and queue items. Builds wait until
// all is read, because their queue item may stand behind them.
type jenkins struct {
	*exporter
	stream *jsonStream
	since  map[int64]int64
	builds []jenkinsFound
}

type jenkinsFound struct {
	job string
	at  place
	jenkinsBuild
}

// readJenkins reads answers of /api/json and /queue/api/json, one after the other.
// Tags are node=… where the answers have builtOn.
func readJenkins(c *collector, source *bufio.Reader) error {
	j := &jenkins{exporter: newExporter(c), stream: newJSONStream(source), since: map[int64]int64{}}
	err := j.documents()
	for _, b := range j.builds {
		j.build(b)
	}
	return err
}

func (j *jenkins) documents() error {
	for {
		kind := j.stream.PeekKind()
		var err error
		switch kind {
		case 0:
			if _, err = j.stream.ReadToken(); errors.Is(err, io.EOF) {
				return nil
			}
		case '{':
			err = j.job("")
		case '[':
			err = j.each(func() error { return j.job("") })
		default:
			err = j.stream.SkipValue()
		}
		if err != nil {
			j.stream.report(j.collector, err)
			return failure(err)
		}
	}
}

// each goes through a list of objects; what is no object is passed over.
func (j *jenkins) each(visit func() error) error {
	if j.stream.PeekKind() != '[' {
		return j.stream.SkipValue()
	}
	if _, err := j.stream.ReadToken(); err != nil {
		return err
	}
	for j.stream.PeekKind() != ']' {
		var err error
		if j.stream.PeekKind() == '{' {
			err = visit()
		} else {
			err = j.stream.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	_, err := j.stream.ReadToken()
	return err
}

// job reads a job, a folder, or a list of queue items.
func (j *jenkins) job(folder string) error {
	if _, err := j.stream.ReadToken(); err != nil {
		return err
	}
	first := len(j.builds)
	var name, fullName string
	for j.stream.PeekKind() != '}' {
		key, err := j.stream.ReadToken()
		if err != nil {
			return err
		}
		switch key.String() {
		case "name":
			name, err = j.text()
		case "fullName":
			fullName, err = j.text()
		case "jobs":
			within := fullName
			if within == "" {
				within = joined(folder, name)
			}
			err = j.each(func() error { return j.job(within) })
		case "builds", "allBuilds":
			err = j.each(j.found)
		case "items":
			err = j.each(j.item)
		default:
			err = j.stream.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	if fullName == "" {
		fullName = joined(folder, name)
	}
	for i := first; i < len(j.builds); i++ {
		if j.builds[i].job == "" {
			j.builds[i].job = fullName
		}
	}
	_, err := j.stream.ReadToken()
	return err
}

func joined(folder, name string) string {
	if folder == "" {
		return name
	}
	return folder + "/" + name
}

func (j *jenkins) text() (string, error) {
	if j.stream.PeekKind() != '"' {
		return "", j.stream.SkipValue()
	}
	t, err := j.stream.ReadToken()
	if err != nil {
		return "", err
	}
	return t.String(), nil
}

func (j *jenkins) found() error {
	at, value, err := j.value()
	if err != nil {
		return err
	}
	b := jenkinsFound{at: at}
	if f := decode(value, &b.jenkinsBuild); f != nil {
		j.bad(at.line, at.column, f)
		return nil
	}
	j.builds = append(j.builds, b)
	return nil
}

func (j *jenkins) item() error {
	at, value, err := j.value()
	if err != nil {
		return err
	}
	var i jenkinsItem
	if f := decode(value, &i); f != nil {
		j.bad(at.line, at.column, f)
		return nil
	}
	if i.ID != 0 && i.InQueueSince != 0 {
		j.since[i.ID] = i.InQueueSince
	}
	return nil
}

func (j *jenkins) value() (place, jsontext.Value, error) {
	at := j.stream.next()
	value, err := j.stream.ReadValue()
	return at, value, err
}

// build works out a build's times: timestamp is when it left the queue, unless nothing
// is known of the queue.
func (j *jenkins) build(b jenkinsFound) {
	id := b.URL
	if id == "" {
		id = b.job + "#" + strconv.FormatInt(b.Number, 10)
	}
	switch {
	case b.Timestamp == 0 || b.Number == 0:
		j.bad(b.at.line, b.at.column, &fault{"", "is no Jenkins build: it has no number or timestamp", "", "export with tree=…builds[number,timestamp,duration,building,queueId]"})
		return
	case j.again(b.at, id):
		return
	case b.Building:
		j.skip(b.at, &fault{"", "it has not ended", "", ""})
		return
	case b.Duration < 0 || b.Duration > maxSeconds:
		j.bad(b.at.line, b.at.column, &fault{"duration", "is no duration", strconv.FormatInt(b.Duration, 10), "correct it, or skip bad builds"})
		return
	}
	var tags []string
	if b.BuiltOn != "" {
		tags = append(tags, "node="+b.BuiltOn)
	}
	for _, times := range j.times(b.jenkinsBuild) {
		times.job, times.tags = b.job, tags
		j.add(b.at, times)
	}
}

// maxAgents is how many agents of one pipeline are believed.
const maxAgents = 10_000

// times are when the build asked for agents, and had them. A pipeline itself needs no
// agent, and its duration holds the waits for those that it asks for. If there are
// several, it is not told when each of them began: they are taken to have run side by
// side, each for its part of the work.
func (j *jenkins) times(b jenkinsBuild) []exported {
	const ms = time.Millisecond
	start := time.UnixMilli(b.Timestamp)
	arrival := start
	if since, ok := j.since[b.QueueID]; ok && b.QueueID != 0 {
		arrival = time.UnixMilli(since)
	}
	for _, t := range b.Actions {
		switch q := t.QueuingDuration; {
		case q == nil || *q < 0 || *q > maxSeconds || t.QueuingTime > maxSeconds:
		case t.SubTasks > 0 && t.SubTasks <= maxAgents && t.ExecutingTime >= 0 && t.ExecutingTime <= maxSeconds:
			agents := time.Duration(t.SubTasks)
			began := start.Add(max(time.Duration(t.QueuingTime-*q)*ms/agents, 0))
			one := exported{arrival: start, start: began, end: began.Add(time.Duration(t.ExecutingTime) * ms / agents)}
			return slices.Repeat([]exported{one}, int(t.SubTasks))
		default:
			arrival = start.Add(-time.Duration(*q) * ms)
		}
	}
	return []exported{{arrival: arrival, start: start, end: start.Add(time.Duration(b.Duration) * ms)}}
}
