package workload

import "time"

// Profile is a kind of demand that Generate can make.
type Profile struct {
	Name string
	// Summary says in a sentence whose demand it is.
	Summary string
	// BuildsPerWeekday is how many builds it has unless the caller wants another number.
	BuildsPerWeekday float64

	// weekend is the share of a week's builds that fall on Saturday and Sunday.
	weekend float64
	offices []office
	// jobs, fewest and most: a push starts between so many of the jobs.
	jobs         []job
	fewest, most int
	// spread is the time within which the jobs of a push arrive.
	spread time.Duration
	// again is the chance that a push is followed by another within soon: a fix of a
	// fix, a merge train, a rebase of what depends on it.
	again float64
	soon  time.Duration
	// nightly builds start at an hour of the night, whether somebody works or not.
	nightly *nightly
}

// office is where a part of the people work.
type office struct {
	share float64
	// ahead is what its clock is before that of the trace's location.
	ahead time.Duration
	// day has the weight of each hour of its day.
	day [24]float64
}

// job is a kind of build: log-normal durations about a median.
type job struct {
	name   string
	median time.Duration
	// tail is the 95th percentile of the durations in medians.
	tail float64
}

type nightly struct {
	// share of a weekday's builds that are nightly ones.
	share float64
	hour  int
	jobs  []job
}

// officeHours is a day of people who work from nine to six and have lunch at noon.
var officeHours = [24]float64{
	0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 0.5, 1.5,
	4, 7.5, 10, 9.5, 4.5, 7, 10, 10.5,
	10, 8, 4.5, 2.5, 1.5, 1, 0.7, 0.4,
}

// afternoonPeak is flat but for the two hours from three o'clock.
var afternoonPeak = [24]float64{
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 13, 13, 1, 1, 1, 1, 1, 1, 1,
}

// pipeline is what a push to a service of middling size starts.
var pipeline = []job{
	{"compile", 5 * time.Minute, 2.5},
	{"lint", 3 * time.Minute, 2.5},
	{"unit", 6 * time.Minute, 3},
	{"unit-race", 9 * time.Minute, 3},
	{"unit-arm64", 8 * time.Minute, 3},
	{"integration-api", 10 * time.Minute, 3.5},
	{"integration-database", 11 * time.Minute, 3.5},
	{"integration-queue", 9 * time.Minute, 3.5},
	{"end-to-end-chrome", 12 * time.Minute, 4},
	{"end-to-end-firefox", 13 * time.Minute, 4},
	{"image", 4 * time.Minute, 4},
	{"image-debug", 4 * time.Minute, 4},
	{"package-deb", 5 * time.Minute, 3},
	{"package-rpm", 5 * time.Minute, 3},
	{"docs", 3 * time.Minute, 3},
	{"licences", 3 * time.Minute, 2.5},
	{"vulnerabilities", 4 * time.Minute, 5},
	{"upgrade", 14 * time.Minute, 4},
	{"fuzz", 12 * time.Minute, 6},
	{"load", 15 * time.Minute, 6},
}

// affected are the targets of a large repository: many, and mostly quick.
var affected = []job{
	{"build-service", 4 * time.Minute, 3},
	{"test-service", 6 * time.Minute, 3.5},
	{"test-library", 3 * time.Minute, 3},
	{"test-frontend", 5 * time.Minute, 3},
	{"integration", 10 * time.Minute, 4},
	{"end-to-end", 14 * time.Minute, 4.5},
	{"image", 4 * time.Minute, 4},
	{"migration", 8 * time.Minute, 6},
}

// longSuites are what is too slow for a push.
var longSuites = []job{
	{"nightly-regression", 14 * time.Minute, 3.5},
	{"nightly-compatibility", 12 * time.Minute, 3.5},
	{"nightly-performance", 10 * time.Minute, 5},
	{"nightly-fuzz", 12 * time.Minute, 3},
	{"nightly-images", 8 * time.Minute, 3},
}

var profiles = []Profile{
	{
		Name:             "afternoon",
		Summary:          "flat all day, and from three to five in the afternoon a peak that needs 30 to 40 machines",
		BuildsPerWeekday: 2800,
		weekend:          0.06,
		offices:          []office{{share: 1, day: afternoonPeak}},
		jobs:             pipeline, fewest: 10, most: 16, spread: 40 * time.Second,
	},
	{
		Name:             "single-timezone",
		Summary:          "one office: morning and afternoon, a lunch dip, quiet nights and weekends",
		BuildsPerWeekday: 400,
		weekend:          0.06,
		offices:          []office{{share: 1, day: officeHours}},
		jobs:             pipeline, fewest: 10, most: 20, spread: 40 * time.Second,
		again: 0.1, soon: 10 * time.Minute,
	},
	{
		Name:             "follow-the-sun",
		Summary:          "three offices, in Asia, Europe and America: as one goes home the next one comes",
		BuildsPerWeekday: 1200,
		weekend:          0.03, // and America's Friday evening, which is Saturday in Asia
		offices: []office{
			{share: 0.4, day: officeHours},
			{share: 0.4, ahead: -7 * time.Hour, day: officeHours},
			{share: 0.2, ahead: -13 * time.Hour, day: officeHours},
		},
		jobs: pipeline, fewest: 10, most: 20, spread: 40 * time.Second,
		again: 0.1, soon: 10 * time.Minute,
	},
	{
		Name:             "monorepo-fan-out",
		Summary:          "one large repository: a push starts 20 to 200 quick builds in the same minute",
		BuildsPerWeekday: 5000,
		weekend:          0.04,
		offices:          []office{{share: 1, day: officeHours}},
		jobs:             affected, fewest: 20, most: 200, spread: 50 * time.Second,
	},
	{
		Name:             "nightly",
		Summary:          "a small office by day, and at two at night all the long suites at once",
		BuildsPerWeekday: 500,
		weekend:          0.07,
		offices:          []office{{share: 1, day: officeHours}},
		jobs:             pipeline, fewest: 10, most: 20, spread: 40 * time.Second,
		again: 0.1, soon: 10 * time.Minute,
		nightly: &nightly{share: 0.5, hour: 2, jobs: longSuites},
	},
}

// Profiles are all kinds of demand, in the order in which they are told of.
func Profiles() []Profile { return append([]Profile(nil), profiles...) }
