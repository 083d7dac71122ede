package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// Facts are what an account tells of a group, in place of assumptions.
type Facts struct {
	Launch cloudprovider.Launch
	Types  []cloudprovider.InstanceType
	// Boot, Removal, Stock and PricePerHour; nil or 0: the account does not say.
	// Warm is how long a stopped instance takes to be Ready again, used where Recycles.
	Boot, Warm   *engine.Delay
	Recycles     bool
	Removal      *time.Duration
	Stock        int
	PricePerHour *float64
}

// What is assumed where nothing is said: of Alibaba Cloud's usual times, not measured.
const (
	defaultBoot       = 90 * time.Second
	defaultBootP95    = 150 * time.Second
	defaultWarm       = 40 * time.Second
	defaultWarmP95    = time.Minute
	defaultRemoval    = 30 * time.Second
	defaultRefusal    = 20 * time.Second
	defaultAgentStart = 5 * time.Second
	defaultProtected  = time.Hour
	defaultNotice     = 5 * time.Minute
	systemDiskGiB     = 120
)

// Settings makes the engine's settings for one variant of the simulation, without the
// builds and the seed; the zero Variant is the simulation itself. facts are by group
// name. The error joins what is wrong with each group.
func (s Simulation) Settings(cfg config.Config, facts map[string]Facts, v Variant, more Flags) (engine.Settings, error) {
	out := engine.Settings{
		Expander: cfg.Expander, Schedule: cfg.Schedule, Autoscaler: engine.DefaultAutoscaler(),
		Scheduler:  engine.Scheduler(cmp.Or(v.Scheduler, s.Scheduler, string(engine.LeastAllocated))),
		AgentStart: or(s.AgentStart, defaultAgentStart), Quota: s.Quota, Images: map[string]engine.Image{},
	}
	if err := s.autoscaler(&out.Autoscaler, v, more); err != nil {
		return engine.Settings{}, err
	}
	for _, image := range s.Images {
		out.Images[image.Name] = engine.Image{Pull: time.Duration(image.Pull), Baked: image.Baked}
	}
	var errs []error
	for _, o := range s.Stockouts {
		out.Stockouts = append(out.Stockouts, engine.Stockout{
			Group: o.Group, From: time.Duration(o.From), Until: time.Duration(o.Until), Stock: o.Stock,
		})
	}
	for _, g := range cfg.Groups {
		group, currency, err := s.group(cfg, g, facts)
		if err != nil {
			errs = append(errs, fmt.Errorf("group %q: %w", g.Name, err))
			continue
		}
		if out.Currency != "" && currency != "" && currency != out.Currency {
			errs = append(errs, fmt.Errorf("group %q: its price is in %s, others are in %s", g.Name, currency, out.Currency))
		}
		out.Currency = cmp.Or(out.Currency, currency)
		out.Groups = append(out.Groups, group)
	}
	if !v.WithoutOverflow {
		errs = append(errs, s.withOverflow(&out, cfg.Overflow))
	}
	if err := errors.Join(errs...); err != nil {
		return engine.Settings{}, err
	}
	return out, nil
}

// CheckGroups complains of groups that are assumed of and that none of the node-group
// files has: a slip of the pen would change nothing without a word.
func (s Simulation) CheckGroups(files []config.Config) error {
	known := func(name string) bool {
		return slices.ContainsFunc(files, func(cfg config.Config) bool {
			return slices.ContainsFunc(cfg.Groups, func(g config.Group) bool { return g.Name == name })
		})
	}
	var errs []error
	for i, g := range s.Groups {
		if !known(g.Name) {
			errs = append(errs, fmt.Errorf("groups[%d]: no node-group file has a group %q", i, g.Name))
		}
	}
	for i, o := range s.Stockouts {
		if !known(o.Group) {
			errs = append(errs, fmt.Errorf("stockouts[%d]: no node-group file has a group %q", i, o.Group))
		}
	}
	return errors.Join(errs...)
}

func (s Simulation) autoscaler(a *engine.Autoscaler, v Variant, more Flags) error {
	a.Release = cmp.Or(s.Autoscaler.Release, a.Release)
	// --frequent-loops-enabled is on by default since 1.35.
	a.FrequentLoops = a.Release >= 35
	a.EvictableBuilds = s.Autoscaler.EvictableBuilds
	a.LoopTime = time.Duration(s.Autoscaler.LoopTime)
	for _, args := range [][]string{s.Autoscaler.Flags, v.Flags} {
		f, err := ParseFlags(args)
		if err != nil {
			return err
		}
		f.Apply(a)
	}
	more.Apply(a)
	return nil
}

// group makes the settings of one group from the file, the assumptions and the facts.
func (s Simulation) group(cfg config.Config, g config.Group, facts map[string]Facts) (group engine.Group, currency string, err error) {
	var assumed Group
	if i := slices.IndexFunc(s.Groups, func(a Group) bool { return a.Name == g.Name }); i >= 0 {
		assumed = s.Groups[i]
	}
	known, told := facts[g.Name]
	launch, types := known.Launch, known.Types
	if !told || assumed.InstanceType != "" {
		t, err := assumed.instanceType(g)
		if err != nil {
			return engine.Group{}, "", err
		}
		launch, types = assumedLaunch(cfg, g, t), []cloudprovider.InstanceType{t}
	}
	if assumed.Recycles && launch.Spot() {
		return engine.Group{}, "", errors.New("recycles is assumed of it, but its instances are spot, which are released and never stopped: remove recycles")
	}
	group = engine.Group{
		Config: g, Recycles: assumed.Recycles || known.Recycles,
		Boot:    assumed.Boot.orElse(engine.Delay{Median: defaultBoot, P95: defaultBootP95}),
		Warm:    assumed.Warm.orElse(engine.Delay{Median: defaultWarm, P95: defaultWarmP95}),
		Removal: or(assumed.Removal, defaultRemoval), Refusal: or(assumed.Refusal, defaultRefusal),
		Stock: cmp.Or(assumed.Stock, known.Stock), Spot: assumed.market(launch),
	}
	if known.Boot != nil && assumed.Boot == nil {
		group.Boot = *known.Boot
	}
	if known.Warm != nil && assumed.Warm == nil {
		group.Warm = *known.Warm
	}
	if known.Removal != nil && assumed.Removal == nil {
		group.Removal = *known.Removal
	}
	if group.Template, err = nodegroups.TemplateFor(g, cfg.Region, launch, types); err != nil {
		return engine.Group{}, "", fmt.Errorf("make the node template: %w", err)
	}
	group.PricePerHour, currency, err = assumed.price(cfg, g, known, launch, types)
	return group, currency, err
}

// instanceType is what the group's nodes are taken to be.
func (a Group) instanceType(g config.Group) (cloudprovider.InstanceType, error) {
	name := cmp.Or(a.InstanceType, g.Template.InstanceType)
	if name == "" && (a.CPUs == 0 || a.MemoryGiB == 0) {
		return cloudprovider.InstanceType{}, fmt.Errorf("nobody says what its nodes are: "+
			"assume an instanceType such as ecs.c7.2xlarge (or cpus and memoryGiB) for it, or give an account file: %w", cloudprovider.ErrNoTemplate)
	}
	t, known := shapeOf(name)
	if !known && (a.CPUs == 0 || a.MemoryGiB == 0) {
		return cloudprovider.InstanceType{}, fmt.Errorf("the size of %s is not known: assume cpus and memoryGiB for it: %w", name, cloudprovider.ErrNoTemplate)
	}
	t.Name = cmp.Or(name, fmt.Sprintf("assumed-%dc", a.CPUs))
	t.CPUs, t.MemoryGiB = cmp.Or(a.CPUs, t.CPUs), cmp.Or(a.MemoryGiB, t.MemoryGiB)
	t.GPUs, t.Arch = a.GPUs, cmp.Or(a.Arch, t.Arch, "amd64")
	return t, nil
}

// assumedLaunch is how the group's instances are launched where no account says: as its
// class tells.
func assumedLaunch(cfg config.Config, g config.Group, t cloudprovider.InstanceType) cloudprovider.Launch {
	l := cloudprovider.Launch{
		Source: "assumptions", InstanceTypes: []string{t.Name}, Zones: []string{cfg.Region + "-a"},
		SystemDiskGiB: systemDiskGiB, SpotStrategy: cloudprovider.NoSpot,
	}
	if g.Class == config.ClassSpot {
		l.SpotStrategy = "SpotAsPriceGo"
	}
	return l
}

// market is the spot market of the group's instances, nil if they are not spot.
func (a Group) market(launch cloudprovider.Launch) *engine.Spot {
	if a.Spot == nil {
		if !launch.Spot() {
			return nil
		}
		a.Spot = &Spot{}
	}
	spot := &engine.Spot{
		Protected: or(a.Spot.Protected, defaultProtected), Notice: or(a.Spot.Notice, defaultNotice),
		ReclaimsPerHour: a.Spot.ReclaimsPerHour,
	}
	for _, m := range a.Spot.Mass {
		spot.Mass = append(spot.Mass, engine.MassReclaim{At: time.Duration(m.At), Share: m.Share})
	}
	return spot
}

// price of a node: as assumed, as the file says, as the account says, or as production
// would take it to be.
func (a Group) price(cfg config.Config, g config.Group, known Facts, launch cloudprovider.Launch, types []cloudprovider.InstanceType) (float64, string, error) {
	if a.PricePerHour != nil {
		return *a.PricePerHour, "", nil
	}
	if g.Price == nil && known.PricePerHour != nil {
		return *known.PricePerHour, "", nil
	}
	price, err := nodegroups.OfflinePrice(cfg, g, launch, types[0].Name)
	if err != nil {
		return 0, "", fmt.Errorf("its price is not known: assume pricePerHour for it, or write price.perHour in the node-group file: %w", err)
	}
	return price.PerHour, price.Currency, nil
}

func (d *Delay) orElse(other engine.Delay) engine.Delay {
	if d == nil {
		return other
	}
	return engine.Delay{Median: time.Duration(d.Median), P95: max(or(d.P95, 0), time.Duration(d.Median))}
}

func or(set *config.Duration, other time.Duration) time.Duration {
	if set == nil {
		return other
	}
	return time.Duration(*set)
}

// begin is when the profile's builds begin.
func (w Workload) begin() (time.Time, error) {
	location, err := time.LoadLocation(w.TimeZone)
	if err != nil {
		return time.Time{}, fmt.Errorf("time zone %q: %w", w.TimeZone, err)
	}
	if w.Start == "" {
		d := workload.DefaultStart
		return time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, location), nil
	}
	if at, err := time.Parse(time.RFC3339, w.Start); err == nil {
		return at.In(location), nil
	}
	at, err := time.ParseInLocation("2006-01-02T15:04:05", w.Start, location)
	if err != nil {
		return time.Time{}, fmt.Errorf("start %q: %w", w.Start, err)
	}
	return at, nil
}

// Generate makes the builds of the workload's profile. The seed is added to the
// workload's own.
func (w Workload) Generate(seed uint64) (workload.Trace, error) {
	start, err := w.begin()
	if err != nil {
		return workload.Trace{}, err
	}
	p := workload.Params{Days: w.Days, BuildsPerWeekday: w.BuildsPerWeekday, Seed: uint64(w.Seed) + seed, Start: start}
	for _, b := range w.Builds {
		share := 1.0
		if b.Share != nil {
			share = *b.Share
		}
		p.Classes = append(p.Classes, workload.ClassShare{
			Classes: b.Classes, Share: share, MilliCPU: b.CPU.MilliValue(), MemoryBytes: b.Memory.Value(),
			GPUs: int64(b.GPUs), Labels: b.Labels, Image: b.Image,
		})
	}
	return workload.Generate(w.Profile, p)
}
