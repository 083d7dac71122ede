package config

import (
	"fmt"
	"math"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/nodegroups/schedule"
)

// Headroom is spare room that a group keeps, so that the next builds start at once: as
// pods that give way to builds, or as cluster-autoscaler's own CapacityBuffer.
type Headroom struct {
	// Slot is what one build asks for.
	Slot Slot `json:"slot"`
	// Slots is how many builds' room to keep.
	Slots int `json:"slots,omitempty"`
	// Share is the same as a share of the builds that run in the group, rounded up.
	Share float64 `json:"share,omitempty"`
	// Hours are the times during which the room is kept. Default: always.
	Hours []Hours `json:"hours,omitempty"`
}

// Slot is the room of one build.
type Slot struct {
	// CPU it asks for, such as 2.
	CPU resource.Quantity `json:"cpu"`
	// Memory it asks for, such as 4Gi.
	Memory resource.Quantity `json:"memory"`
	// GPUs it asks for. Default: 0.
	GPUs int `json:"gpus,omitempty"`
}

// Hours are a recurring time.
type Hours struct {
	// Cron says when it begins: minute, hour, day of month, month, day of week.
	Cron string `json:"cron"`
	// Duration is how long it lasts, in time that passes.
	Duration Duration `json:"duration"`
	// TimeZone of the cron expression. Default: schedule.timeZone.
	TimeZone string `json:"timeZone,omitempty"`
	// Holidays beside those of schedule.holidays.
	Holidays []string `json:"holidays,omitempty"`
}

// HeadroomBy says by what headroom is kept.
type HeadroomBy string

// The values of headroom.by.
const (
	// HeadroomAuto: a CapacityBuffer where the cluster has that kind, else pods.
	HeadroomAuto HeadroomBy = "auto"
	// HeadroomPods: pods of a low priority, which the scheduler evicts for builds.
	HeadroomPods HeadroomBy = "pods"
	// HeadroomBuffer: a CapacityBuffer, which cluster-autoscaler reads if it was started
	// with --capacity-buffer-controller-enabled and --capacity-buffer-pod-injection-enabled.
	HeadroomBuffer HeadroomBy = "capacity-buffer"
)

// HeadroomKeeping is what holds for the headroom of every group.
type HeadroomKeeping struct {
	// By says what keeps the room. Default: auto.
	By HeadroomBy `json:"by,omitempty"`
	// Namespace of the pods or buffers. Default: buildpool.
	Namespace string `json:"namespace,omitempty"`
	// Image of the pods, which do nothing. Default: registry.k8s.io/pause:3.10.
	Image string `json:"image,omitempty"`
	// PriorityClass of the pods: below every build's, and not below cluster-autoscaler's
	// --expendable-pods-priority-cutoff of -10. Default: buildpool-headroom.
	PriorityClass string `json:"priorityClass,omitempty"`
}

// maxSlots is more room than a scaling group can have nodes for by a wide margin.
const maxSlots = 10_000

// Least is how many slots are kept beside so many running builds.
func (h Headroom) Least(running int) int {
	if h.Share > 0 {
		return int(math.Ceil(h.Share*float64(running) - 1e-9))
	}
	return h.Slots
}

// Times compiles the cron expression, time zone, duration and holidays.
func (h Hours) Times() (schedule.Window, error) {
	return Window{Cron: h.Cron, Duration: h.Duration, TimeZone: h.TimeZone, Holidays: h.Holidays}.Times()
}

func headroomWithDefaults(h *Headroom, s Schedule) *Headroom {
	if h == nil {
		return nil
	}
	out := *h
	out.Hours = nil
	for _, hours := range h.Hours {
		if hours.TimeZone == "" {
			hours.TimeZone = s.TimeZone
		}
		hours.Holidays = slices.Concat(s.Holidays, hours.Holidays)
		slices.Sort(hours.Holidays)
		hours.Holidays = slices.Compact(hours.Holidays)
		out.Hours = append(out.Hours, hours)
	}
	return &out
}

func keepingWithDefaults(k HeadroomKeeping) HeadroomKeeping {
	if k.By == "" {
		k.By = HeadroomAuto
	}
	if k.Namespace == "" {
		k.Namespace = "buildpool"
	}
	if k.Image == "" {
		k.Image = "registry.k8s.io/pause:3.10"
	}
	if k.PriorityClass == "" {
		k.PriorityClass = "buildpool-headroom"
	}
	return k
}

func (d *decoder) checkHeadroom(path string, g Group) {
	h := g.Headroom
	if h == nil || !d.sound(path) {
		return
	}
	slotsAt, shareAt := path+".slots", path+".share"
	switch {
	case d.known(slotsAt) && d.known(shareAt):
		d.complain(path, "has both slots and share", "keep one of them")
	case !d.known(slotsAt) && !d.known(shareAt):
		d.complain(path, "keeps nothing", "write slots, a number of builds, or share, a part of the running ones")
	}
	if d.sound(slotsAt) && d.known(slotsAt) && (h.Slots < 1 || h.Slots > maxSlots) {
		d.complain(slotsAt, fmt.Sprintf("%d slots cannot be kept", h.Slots), fmt.Sprintf("write 1 to %d, or remove the headroom", maxSlots))
	}
	if d.sound(shareAt) && d.known(shareAt) && (h.Share < minShare || h.Share > 1) {
		d.complain(shareAt, fmt.Sprintf("%v is no share of the running builds", h.Share), "write a number from 0.01 to 1, such as 0.2")
	}
	d.checkSlot(path+".slot", g)
	for i, hours := range h.Hours {
		d.checkTimes(itemPath(path+".hours", i), Window{Cron: hours.Cron, Duration: hours.Duration, TimeZone: hours.TimeZone, Holidays: hours.Holidays})
	}
}

func (d *decoder) checkSlot(path string, g Group) {
	s := g.Headroom.Slot
	if !d.sound(path) {
		return
	}
	if at := path + ".cpu"; d.sound(at) && d.known(at) && s.CPU.Sign() <= 0 {
		d.complain(at, "a build asks for some cpu", "write what one asks for, such as 2 or 500m")
	}
	if at := path + ".memory"; d.sound(at) && d.known(at) {
		if s.Memory.Sign() <= 0 {
			d.complain(at, "a build asks for some memory", "write what one asks for, such as 4Gi")
		}
		d.checkReserved(at, &s.Memory, true)
	}
	at := path + ".gpus"
	switch {
	case !d.known(at) || !d.sound(at):
	case s.GPUs < 0:
		d.complain(at, fmt.Sprintf("%d GPUs cannot be kept", s.GPUs), "write 0 or more")
	case s.GPUs > 0 && g.Class != ClassGPU:
		d.complain(at, fmt.Sprintf("a group of class %s has no GPU", g.Class), "remove it, or move the headroom to a group of class gpu")
	}
}
