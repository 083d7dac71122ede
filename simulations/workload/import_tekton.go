package workload

import (
	"bufio"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// taskRun is what a Tekton TaskRun says, of v1 and of v1beta1.
type taskRun struct {
	Kind     string   `json:"kind"`
	Metadata metadata `json:"metadata"`
	Spec     struct {
		TaskRef struct {
			Name string `json:"name"`
		} `json:"taskRef"`
		PodTemplate struct {
			NodeSelector map[string]string `json:"nodeSelector"`
		} `json:"podTemplate"`
		ComputeResources *resources `json:"computeResources"`
	} `json:"spec"`
	Status struct {
		CompletionTime time.Time `json:"completionTime"`
		Steps          []struct {
			Terminated *struct {
				StartedAt time.Time `json:"startedAt"`
			} `json:"terminated"`
		} `json:"steps"`
		TaskSpec struct {
			Steps    []tektonStep `json:"steps"`
			Sidecars []tektonStep `json:"sidecars"`
		} `json:"taskSpec"`
	} `json:"status"`
}

// tektonStep has its requests under another name in each version of the API.
type tektonStep struct {
	Image            string    `json:"image"`
	ComputeResources resources `json:"computeResources"`
	Resources        resources `json:"resources"`
}

func (s tektonStep) container() container {
	c := container{Image: s.Image, Resources: s.ComputeResources}
	if c.Resources.Requests == nil {
		c.Resources = s.Resources
	}
	return c
}

// readTekton reads TaskRuns, in lists or one after the other. The steps of a task are
// containers of one pod, which all run from its beginning. Tags are as for pods.
func readTekton(c *collector, source *bufio.Reader) error {
	e := newExporter(c)
	return objects(c, source, []string{"items", "object"}, func(at place, object jsontext.Value) {
		var t taskRun
		if f := decode(object, &t); f != nil {
			e.bad(at.line, at.column, f)
			return
		}
		switch t.Kind {
		case "TaskRun":
			e.taskRun(at, t)
		case "List", "TaskRunList", "Status":
		default:
			e.bad(at.line, at.column, &fault{"kind", "is no TaskRun", t.Kind, "export with kubectl get taskruns -o json"})
		}
	})
}

func (e *exporter) taskRun(at place, t taskRun) {
	var start time.Time
	for _, s := range t.Status.Steps {
		if s.Terminated != nil {
			start = earlier(start, s.Terminated.StartedAt)
		}
	}
	switch {
	case t.Metadata.CreationTimestamp.IsZero():
		e.bad(at.line, at.column, &fault{"metadata.creationTimestamp", "is missing", "", "export whole objects, with -o json"})
		return
	case t.Status.CompletionTime.IsZero():
		// Of a watch, which shows a run several times, only the last one is complete.
		e.skip(at, &fault{"", "it has not ended", "", ""})
		return
	case start.IsZero():
		e.skip(at, &fault{"", "it never ran", "", ""})
		return
	case e.again(at, t.Metadata.UID):
		return
	}
	spec := podSpec{NodeSelector: t.Spec.PodTemplate.NodeSelector}
	for _, s := range t.Status.TaskSpec.Steps {
		spec.Containers = append(spec.Containers, s.container())
	}
	for _, s := range t.Status.TaskSpec.Sidecars {
		spec.Containers = append(spec.Containers, s.container())
	}
	if r := t.Spec.ComputeResources; r != nil {
		spec.Resources = *r // of the pod, whatever the steps say
	}
	said, f := spec.said()
	if f != nil {
		e.bad(at.line, at.column, f)
		return
	}
	e.add(at, exported{
		job: t.job(e.mapping.JobLabel), tags: spec.tags(t.Metadata), said: said,
		arrival: t.Metadata.CreationTimestamp, start: start, end: t.Status.CompletionTime,
	})
}

// job is the pipeline and its task, else the task.
func (t taskRun) job(label string) string {
	task := t.Metadata.Labels["tekton.dev/pipelineTask"]
	switch {
	case label != "" && (t.Metadata.Labels[label] != "" || t.Metadata.Annotations[label] != ""):
		return t.Metadata.job(label)
	case task != "":
		return joined(t.Metadata.Labels["tekton.dev/pipeline"], task)
	case t.Metadata.Labels["tekton.dev/task"] != "":
		return t.Metadata.Labels["tekton.dev/task"]
	case t.Spec.TaskRef.Name != "":
		return t.Spec.TaskRef.Name
	}
	return t.Metadata.job("")
}
