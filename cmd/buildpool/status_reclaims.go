package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/buildpool/buildpool/nodegroups"
)

// noticeReport is a spot instance that the cloud takes back within minutes. One that was
// let go has left the scaling group, and another is created in its place.
type noticeReport struct {
	Instance string    `json:"instance"`
	Since    time.Time `json:"since"`
	LetGo    bool      `json:"letGo"`
}

// reclaimsReport is how often spot instances are taken back.
type reclaimsReport struct {
	// Notices are those since the server began.
	Notices int `json:"notices"`
	// PerHour is what is to be expected of one instance in an hour, of all pools together.
	PerHour float64 `json:"perHour"`
	// LosesMore: builds that are lost cost more than spot saves, and the expander prefers
	// other groups.
	LosesMore bool         `json:"losesMore"`
	Pools     []poolReport `json:"pools"`
}

// poolReport is an instance type in a zone. Reclaims and Hours are of the last days, the
// older the less they count.
type poolReport struct {
	InstanceType string  `json:"instanceType"`
	Zone         string  `json:"zone"`
	Reclaims     float64 `json:"reclaims"`
	Hours        float64 `json:"hours"`
	PerHour      float64 `json:"perHour"`
}

func noticesOf(notices []nodegroups.Notice) []noticeReport {
	out := make([]noticeReport, 0, len(notices))
	for _, n := range notices {
		out = append(out, noticeReport{Instance: n.InstanceID, Since: n.Since.UTC(), LetGo: n.LetGo})
	}
	return out
}

// reclaimsOf is null for a group of which nothing is known: it has no spot instances.
func reclaimsOf(g nodegroups.GroupStatus) *reclaimsReport {
	if len(g.Pools) == 0 && len(g.Noticed) == 0 {
		return nil
	}
	r := &reclaimsReport{PerHour: g.ReclaimsPerHour, LosesMore: g.LosesMore, Pools: make([]poolReport, 0, len(g.Pools))}
	for _, n := range g.Noticed {
		r.Notices += n
	}
	for _, p := range g.Pools {
		r.Pools = append(r.Pools, poolReport{InstanceType: p.InstanceType, Zone: p.Zone, Reclaims: p.Reclaims, Hours: p.Hours, PerHour: p.PerHour()})
	}
	return r
}

// noticesText says which instances are being taken back; empty: none is.
func noticesText(g groupReport) string {
	if len(g.Notices) == 0 {
		return ""
	}
	const few = 3
	var ids []string
	replaced := 0
	for _, n := range g.Notices {
		if n.LetGo {
			replaced++
		}
		if len(ids) < few {
			ids = append(ids, shown(n.Instance))
		}
	}
	if more := len(g.Notices) - len(ids); more > 0 {
		ids = append(ids, fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("the cloud takes back %s (%s), %d replaced ahead", plural(len(g.Notices), "spot instance"), strings.Join(ids, ", "), replaced)
}

// reclaimsText says how often spot instances are taken back; empty: as far as is known,
// none was.
func reclaimsText(r *reclaimsReport) string {
	if r == nil || r.PerHour == 0 {
		return ""
	}
	var pools []string
	for _, p := range r.Pools {
		if p.Reclaims >= 0.1 {
			pools = append(pools, fmt.Sprintf("%.1f in %.0f hours of %s in %s", p.Reclaims, p.Hours, shown(p.InstanceType), shown(p.Zone)))
		}
	}
	text := fmt.Sprintf("a spot instance is to be expected to be taken back %.2g times an hour", r.PerHour)
	if len(pools) > 0 {
		text += ": of late " + strings.Join(pools, ", ")
	}
	if r.LosesMore {
		text += "; lost builds would cost more than spot saves, and the expander prefers other groups"
	}
	return text
}
