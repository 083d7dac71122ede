package esssim

import "github.com/buildpool/buildpool/ess/esssim/account"

type templatesReply struct {
	pageHead
	LaunchTemplateVersionSets struct{ LaunchTemplateVersionSet []wireTemplate }
}

type wireTemplate struct {
	LaunchTemplateID   string `json:"LaunchTemplateId"`
	LaunchTemplateName string
	VersionNumber      int
	DefaultVersion     bool
	LaunchTemplateData wireTemplateData
}

type wireTemplateData struct {
	InstanceType       string
	InstanceChargeType string
	SpotStrategy       string
	SystemDiskCategory string `json:"SystemDisk.Category"`
	SystemDiskSize     int    `json:"SystemDisk.Size,omitempty"`
	UserData           string
	Tags               struct{ InstanceTag []templateTag }
}

type templateTag struct{ Key, Value string }

func (s *Simulator) describeLaunchTemplateVersions(p parameters) (reply, error) {
	paging, err := p.paging()
	if err != nil {
		return nil, err
	}
	standard, err := p.boolean("DefaultVersion", false)
	if err != nil {
		return nil, err
	}
	page, err := s.account.LaunchTemplateVersions(account.TemplateQuery{
		ID:          p["LaunchTemplateId"],
		Name:        p["LaunchTemplateName"],
		Versions:    p.list("LaunchTemplateVersion"),
		DefaultOnly: standard,
		Paging:      paging,
	})
	if err != nil {
		return nil, err
	}
	answer := &templatesReply{pageHead: headOf(page)}
	answer.LaunchTemplateVersionSets.LaunchTemplateVersionSet = []wireTemplate{}
	for _, t := range page.Items {
		w := wireTemplate{
			LaunchTemplateID:   t.ID,
			LaunchTemplateName: t.Name,
			VersionNumber:      t.Version,
			DefaultVersion:     t.Default,
			LaunchTemplateData: wireTemplateData{
				InstanceType:       t.InstanceTypes[0],
				InstanceChargeType: "PostPaid",
				SpotStrategy:       string(t.SpotStrategy),
				SystemDiskCategory: "cloud_essd",
				SystemDiskSize:     t.SystemDiskGiB,
				UserData:           encodeUserData(t.UserData),
			},
		}
		for _, tag := range wireTags(t.Tags) {
			w.LaunchTemplateData.Tags.InstanceTag = append(w.LaunchTemplateData.Tags.InstanceTag, templateTag{tag.Key, tag.Value})
		}
		answer.LaunchTemplateVersionSets.LaunchTemplateVersionSet = append(answer.LaunchTemplateVersionSets.LaunchTemplateVersionSet, w)
	}
	return answer, nil
}
