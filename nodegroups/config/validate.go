package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// validate reports what is wrong with the values that could be decoded. A value
// whose decoding failed is not looked at again.
func (d *decoder) validate(cfg Config) {
	d.checkHeader(cfg)
	d.checkAccount(cfg.Account)
	d.checkDefaults(cfg.Defaults)
	d.checkSpot("defaults.spot", cfg.Defaults.Spot)
	d.checkExpander(cfg.Expander)
	d.checkSchedule(cfg.Schedule)
	d.checkLastLook(cfg.LastLook)
	d.checkNodeCleanup(cfg.NodeCleanup)
	if d.sound("groups") && len(cfg.Groups) == 0 {
		d.complain("groups", "the list is empty", "name at least one group")
	}
	for i, g := range cfg.Groups {
		d.checkGroup(groupPath(i), g, cfg.Defaults)
		d.checkWindows(groupPath(i)+".schedules", g)
		d.checkHeadroom(groupPath(i)+".headroom", g)
		d.checkSpot(groupPath(i)+".spot", g.Spot)
	}
	d.checkDistinct(cfg.Groups)
	d.checkPricing(cfg)
	d.checkOverflow(cfg)
}

func groupPath(i int) string { return itemPath("groups", i) }

// sound reports whether the file sets the field and nothing is wrong with it yet.
func (d *decoder) sound(path string) bool {
	p, ok := d.places[path]
	return ok && !p.broken
}

// complain reports a problem of a field where its value stands, or, if the file
// does not set it, where the nearest field around it does.
func (d *decoder) complain(path, message, fix string) {
	at := d.find(path)
	d.report(at.line, at.column, path, message, fix)
}

// find returns where the field stands, or the nearest field around it.
func (d *decoder) find(path string) place {
	for {
		if p, ok := d.places[path]; ok || path == "" {
			return p
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}

// checkForm complains unless the field is unset or of the form.
func (d *decoder) checkForm(path, value string, form *regexp.Regexp, what, fix string) {
	if d.sound(path) && !form.MatchString(value) {
		d.complain(path, fmt.Sprintf("%s is %s", quoted(value), what), fix)
	}
}

func (d *decoder) checkHeader(cfg Config) {
	if d.sound("apiVersion") && cfg.APIVersion != APIVersion {
		d.complain("apiVersion", "unknown version "+quoted(cfg.APIVersion), "write "+APIVersion)
	}
	if d.sound("kind") && cfg.Kind != Kind {
		d.complain("kind", "unknown kind "+quoted(cfg.Kind), "write "+Kind)
	}
	if !d.sound("region") {
		return
	}
	if m := zoneForm.FindStringSubmatch(cfg.Region); m != nil {
		d.complain("region", quoted(cfg.Region)+" is a zone, want a region", fmt.Sprintf("write %q", excerpt(m[1]+m[2])))
		return
	}
	d.checkForm("region", cfg.Region, regionForm, "no region", "write a region such as cn-hangzhou")
}

func (d *decoder) checkAccount(a Account) {
	source := a.Credentials
	if source == "" {
		source = CredentialsDefault
	}
	if d.sound("account.roleName") && source != CredentialsInstanceRole {
		d.complain("account.roleName", "is only used with the credentials instance-role", "set account.credentials to instance-role, or remove it")
	}
	if d.sound("account.oidc") && source != CredentialsOIDC && source != CredentialsDefault {
		d.complain("account.oidc", fmt.Sprintf("is not used with the credentials %s", source), "set account.credentials to oidc, or remove it")
	}
	const roleFix = "write acs:ram::<account number>:role/<name>"
	d.checkForm("account.assumeRoleArn", a.AssumeRoleARN, roleForm, "no role ARN", roleFix)
	if a.OIDC != nil {
		d.checkForm("account.oidc.roleArn", a.OIDC.RoleARN, roleForm, "no role ARN", roleFix)
		d.checkForm("account.oidc.providerArn", a.OIDC.ProviderARN, oidcProviderForm, "no OIDC provider ARN", "write acs:ram::<account number>:oidc-provider/<name>")
		d.checkForm("account.oidc.tokenFile", a.OIDC.TokenFile, absolutePathForm, "no absolute path", "write the path from the root, starting with /")
	}
}

func (d *decoder) checkDefaults(defaults Defaults) {
	d.checkLabels("defaults.labels", defaults.Labels)
	d.checkTemplate("defaults.template", defaults.Template)
	d.checkOptions("defaults.options", defaults.Options)
}

// checkDistinct complains of groups that share a name or a scaling group.
func (d *decoder) checkDistinct(groups []Group) {
	names, ids, tags := map[string]string{}, map[string]string{}, map[string]string{}
	for i, g := range groups {
		path := groupPath(i)
		if d.sound(path + ".name") {
			d.distinct(names, g.Name, path+".name", fmt.Sprintf("the name %s is taken", quoted(g.Name)), "give each group a name of its own")
		}
		const fix = "give each group a scaling group of its own"
		at := path + ".scalingGroup"
		if d.sound(at + ".id") {
			d.distinct(ids, g.ScalingGroup.ID, at+".id", fmt.Sprintf("the scaling group %s is taken", quoted(g.ScalingGroup.ID)), fix)
		}
		if d.sound(at+".tags") && len(g.ScalingGroup.Tags) > 0 {
			d.distinct(tags, tagSet(g.ScalingGroup.Tags), at+".tags", "the same tags are taken", fix)
		}
	}
}

// distinct complains if the value was seen before, and remembers it.
func (d *decoder) distinct(seen map[string]string, value, path, message, fix string) {
	if first, twice := seen[value]; twice {
		d.complain(path, message+" by "+first, fix)
		return
	}
	owner, _, _ := strings.Cut(path, ".")
	seen[value] = owner
}

// tagSet spells a set of tags so that equal sets are equal strings.
func tagSet(tags map[string]string) string {
	spelled := make([]string, 0, len(tags))
	for k, v := range tags {
		spelled = append(spelled, fmt.Sprintf("%q=%q", k, v))
	}
	slices.Sort(spelled)
	return strings.Join(spelled, ",")
}
