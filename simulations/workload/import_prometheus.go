package workload

import (
	"bufio"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// series is one of a range query's answer.
type series struct {
	Metric map[string]string   `json:"metric"`
	Values [][2]jsontext.Value `json:"values"`
	Value  *[2]jsontext.Value  `json:"value"` // of an instant query
	// Status and the like are an answer's that has no series.
	Status string `json:"status"`
	Error  string `json:"error"`
}

// sample is a value at a time.
type sample struct {
	at    time.Time
	value float64
}

// readPrometheus reads answers of /api/v1/query_range, one after the other. Of pods it
// takes kube-state-metrics' times and requests, which are exact however coarse the
// query's step is. A curve that counts builds says neither when each of them came nor
// how long it ran; it is taken only if the mapping says so.
func readPrometheus(c *collector, source *bufio.Reader) error {
	p := prometheus{exporter: newExporter(c), pods: map[string]*podSeries{}}
	err := objects(c, source, []string{"data", "result"}, func(at place, object jsontext.Value) {
		var s series
		if f := decode(object, &s); f != nil {
			p.bad(at.line, at.column, f)
			return
		}
		if s.Metric == nil {
			if s.Status != "" && s.Status != "success" {
				p.bad(at.line, at.column, &fault{"status", "the query failed: " + s.Error, "", "mend the query and export it again"})
			}
			return
		}
		samples, f := s.samples()
		if f != nil {
			p.bad(at.line, at.column, f)
			return
		}
		if len(samples) > 0 {
			p.series(at, s.Metric, samples)
		}
	})
	for _, pod := range p.order {
		p.build(pod)
	}
	return err
}

type prometheus struct {
	*exporter
	pods  map[string]*podSeries
	order []*podSeries
	// until is the last sample of all.
	until time.Time
}

// podSeries is what the series say of a pod.
type podSeries struct {
	at                               place
	name, namespace                  string
	created, started, begun, ended   time.Time
	last                             time.Time
	owner                            string
	labels, selector                 map[string]string
	milliCPU, memory, gpus           float64
	asksCPU, asksMemory, asksForGPUs bool
}

func (s series) samples() ([]sample, *fault) {
	values := s.Values
	if s.Value != nil {
		values = append(values, *s.Value)
	}
	samples := make([]sample, 0, len(values))
	for _, v := range values {
		at, err := strconv.ParseFloat(strings.Trim(string(v[0]), `"`), 64)
		value, err2 := strconv.ParseFloat(strings.Trim(string(v[1]), `"`), 64)
		t, ok := unixTime(at)
		if err != nil || err2 != nil || !ok {
			return nil, &fault{"values", "has a sample that is no [time, \"number\"]", string(v[0]) + ", " + string(v[1]), "export the answer as it is"}
		}
		if !math.IsNaN(value) { // a stale series
			samples = append(samples, sample{t, value})
		}
	}
	return samples, nil
}

// unixTime is a Unix time in seconds within the years that a trace can have.
func unixTime(seconds float64) (time.Time, bool) {
	if !(seconds >= 0 && seconds < 7e9) {
		return time.Time{}, false
	}
	return time.Unix(0, int64(seconds*1e9)).Round(time.Microsecond), true
}

func (p *prometheus) series(at place, metric map[string]string, samples []sample) {
	last := samples[len(samples)-1]
	p.until = later(p.until, last.at)
	name := metric["__name__"]
	if !strings.HasPrefix(name, "kube_pod_") || metric["pod"] == "" {
		if p.mapping.Curve == nil {
			p.bad(at.line, at.column, &fault{"__name__", "is no series of a pod", name, "query kube_pod_created and the others of the docs, or let the mapping take it as a curve of builds"})
			return
		}
		p.curve(at, metric, samples)
		return
	}
	pod := p.pod(at, metric)
	pod.last = later(pod.last, last.at)
	instant, ok := unixTime(last.value)
	moment := func(to *time.Time, choose func(a, b time.Time) time.Time) {
		if ok && last.value > 0 {
			*to = choose(*to, instant)
		}
	}
	switch name {
	case "kube_pod_created":
		moment(&pod.created, earlier)
	case "kube_pod_container_state_started":
		moment(&pod.started, earlier)
	case "kube_pod_start_time":
		moment(&pod.begun, earlier)
	case "kube_pod_completion_time":
		moment(&pod.ended, later)
	case "kube_pod_container_resource_requests":
		pod.request(metric["resource"], last.value)
	case "kube_pod_labels":
		pod.labels = metric
	case "kube_pod_nodeselectors":
		pod.selector = metric
	case "kube_pod_owner":
		pod.owner = metric["owner_kind"]
	}
}

func (p *prometheus) pod(at place, metric map[string]string) *podSeries {
	key := metric["uid"]
	if key == "" {
		key = metric["namespace"] + "/" + metric["pod"]
	}
	pod, ok := p.pods[key]
	if !ok {
		pod = &podSeries{at: at, name: metric["pod"], namespace: metric["namespace"]}
		p.pods[key] = pod
		p.order = append(p.order, pod)
	}
	return pod
}

// request adds a container's.
func (s *podSeries) request(resource string, value float64) {
	if !(value >= 0) {
		return
	}
	switch resource {
	case "cpu":
		s.milliCPU, s.asksCPU = s.milliCPU+value*1000, true
	case "memory":
		s.memory, s.asksMemory = s.memory+value, true
	case "nvidia_com_gpu":
		s.gpus, s.asksForGPUs = s.gpus+value, true
	}
}

func (p *prometheus) build(s *podSeries) {
	if s.started.IsZero() {
		s.started = s.begun
	}
	if s.ended.IsZero() && s.last.Before(p.until) {
		s.ended = s.last // it is gone: deleted within a step of then
	}
	switch {
	case s.created.IsZero():
		p.bad(s.at.line, s.at.column, &fault{"pod", "has no kube_pod_created", s.name, "add that query to the export"})
		return
	case s.owner == "DaemonSet" || s.owner == "Node":
		p.skip(s.at, &fault{"", "it belongs to its node: no build", "", ""})
		return
	case s.started.IsZero():
		p.skip(s.at, &fault{"", "it never ran", "", ""})
		return
	case s.ended.IsZero():
		p.skip(s.at, &fault{"", "it has not ended", "", ""})
		return
	}
	job := s.labels[p.mapping.JobLabel]
	if job == "" {
		job = withoutSuffix(s.name)
	}
	tags := tagsOf(s.labels, "label_")
	tags = append(tags, tagsOf(s.selector, "nodeselector_")...)
	tags = append(tags, "namespace="+s.namespace)
	p.add(s.at, exported{job: job, tags: tags, said: s.said(), arrival: s.created, start: s.started, end: s.ended})
}

// tagsOf are a series' labels that begin with what is given.
func tagsOf(metric map[string]string, prefix string) []string {
	var tags []string
	for _, k := range slices.Sorted(maps.Keys(metric)) {
		if strings.HasPrefix(k, prefix) {
			tags = append(tags, k+"="+metric[k])
		}
	}
	return tags
}

func (s *podSeries) said() Requests {
	var r Requests
	amount := func(asked bool, value, most float64) *int64 {
		if !asked || value > most {
			return nil
		}
		v := int64(math.Round(value))
		return &v
	}
	r.MilliCPU = amount(s.asksCPU, s.milliCPU, maxMilliCPU)
	r.MemoryBytes = amount(s.asksMemory, s.memory, maxMemory)
	r.GPUs = amount(s.asksForGPUs, s.gpus, maxGPUs)
	return r
}
