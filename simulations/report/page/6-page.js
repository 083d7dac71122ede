// The page, for one run or for several side by side.

const runs = JSON.parse(document.getElementById("runs").textContent);
const figures = JSON.parse(document.getElementById("figures").textContent);
const several = runs.length > 1;
const clock = runs.length ? clockOf(runs[0]) : null;
const money = x => units.number(x) + (runs[0].currency ? " " + runs[0].currency : "");
// A class has one colour wherever it occurs: first come those of the groups.
const classes = [...new Set(runs.flatMap(r => r.timeline ? r.timeline.classes.map(c => c.class) : []).concat(runs.flatMap(r => r.curves.slice(1).map(c => c.name))))];
const classColour = name => colour(Math.max(classes.indexOf(name), 0));
const nameOf = (run, n) => run.name || "run " + (n + 1);

function tile(name, value, more, mark) {
  return el("div", { class: "tile" }, el("div", { class: "name" }, name), el("div", { class: "value " + (mark || "") }, value), el("div", { class: "more" }, more || ""));
}

function head(page) {
  const r = runs[0];
  page.append(el("h1", {}, several ? "Capacity simulations compared" : nameOf(r, 0)));
  page.append(el("p", { class: "meta" }, `${units.number(r.builds.arrived)} builds, ${clock.full(0)} to ${clock.full(r.endSeconds)} (${clock.zone}), seed ${r.settings.seed}`));
  if (several) return page.append(comparison());
  const slo = r.sloSeconds, c = r.capacity;
  const causes = r.causes.filter(c => c.cause !== "none").sort((a, b) => b.totalSeconds - a.totalSeconds);
  let lead = `19 of 20 builds started within ${units.wait(r.waits.p95)}`;
  if (slo) lead += r.waits.p95 > slo ? `, later than the SLO of ${units.wait(slo)}` : `, inside the SLO of ${units.wait(slo)}`;
  if (causes.length) lead += `. ${units.percent(causes[0].share)} of all waiting had one cause: ${causeTexts[causes[0].cause] || causes[0].cause}`;
  page.append(el("p", { class: "lead" }, lead + "."));
  const tiles = [
    tile("Wait p95", units.wait(r.waits.p95), `p50 ${units.wait(r.waits.p50)}, p99 ${units.wait(r.waits.p99)}`, slo ? (r.waits.p95 > slo ? "bad" : "good") : ""),
    slo ? tile("Builds over the SLO", units.percent(r.waits.overSLO), `SLO ${units.wait(slo)}`) : tile("Longest wait", units.wait(r.waits.max), ""),
    tile("Cost", money(c.cost.total), `${money(c.cost.perBuild)} a build`),
    tile("Waste", units.percent(c.cost.waste), `idle ${money(c.cost.idle)}, boot ${money(c.cost.boot)}`),
    tile("Peak", units.number(c.peakNodes) + " nodes", `${units.hours(c.nodeHours.billed)} node-hours`),
    tile("CPU in use", units.percent(c.utilisation.cpu), "of ready nodes"),
  ];
  const b = r.builds;
  if (b.interruptions) tiles.push(tile("Interruptions", units.number(b.interruptions), `${units.number(b.lostMinutes)} min of work lost`));
  if (b.unfinished) tiles.push(tile("Not done", units.number(b.unfinished), `${units.number(b.unstarted)} never started`, "bad"));
  page.append(el("div", { class: "tiles" }, ...tiles));
}

// better says whether less of a figure is better, more, or neither.
function better(f) {
  if (/^(wait|cost|builds|failed|interrupt|idle|booting|billed)/.test(f.name)) return -1;
  return /utilisation/.test(f.name) ? 1 : 0;
}

function comparison() {
  const text = { seconds: units.wait, share: units.percent };
  const rows = figures.filter(f => f.values.some(v => v !== 0)).map(f => {
    const show = text[f.unit] || units.number;
    return { cells: [f.name + (text[f.unit] ? "" : `, ${f.unit}`), ...f.values.map((v, n) => {
      if (n === 0) return show(v);
      const d = f.deltas[n], sign = d > 0 ? "+" : d < 0 ? "−" : "±";
      const of = f.percents[n] === null || f.unit === "share" ? "" : ` (${sign}${Math.abs(f.percents[n]).toFixed(1)} %)`;
      const mark = d === 0 || !better(f) ? "" : (d < 0) === (better(f) < 0) ? "good" : "bad";
      return el("span", {}, show(v), el("span", { class: "delta " + mark }, d === 0 ? "same" : sign + (f.unit === "share" ? (100 * Math.abs(d)).toFixed(1) + " points" : show(Math.abs(d))) + of));
    })] };
  });
  return el("div", { class: "card" }, table(["", ...runs.map(nameOf)], rows, { label: "Figures of the runs", narrow: true }));
}

function waits(page) {
  page.append(el("h2", {}, "Waits"));
  const curves = several ? runs.map((r, n) => ({ ...r.curves[0], name: nameOf(r, n), colour: colour(n) }))
    : runs[0].curves.map((c, n) => ({ ...c, name: c.name === "all" ? "all builds" : c.name, colour: n === 0 && runs[0].curves.length > 1 ? "var(--ink)" : classColour(c.name) }));
  const known = [...new Set(runs.flatMap(r => r.causes.filter(c => c.totalSeconds > 0).map(c => c.cause)))];
  const of = (r, cause) => r.causes.find(c => c.cause === cause) || { totalSeconds: 0, share: 0, builds: 0 };
  known.sort((a, b) => of(runs[0], b).totalSeconds - of(runs[0], a).totalSeconds);
  const rows = known.map(cause => ({ name: causeTexts[cause] || cause, bars: runs.map((r, n) => {
    const c = of(r, cause);
    return { text: units.percent(c.share), parts: [{ name: several ? nameOf(r, n) : `${units.number(c.builds)} builds`, value: c.totalSeconds / 3600, colour: several ? colour(n) : `var(--cause-${cause}, var(--soft))` }] };
  }) }));
  page.append(el("div", { class: "grid" },
    distribution("How long builds waited", curves, runs[0].sloSeconds),
    bars("wait-causes", "What they waited for", "hours of waiting, all builds together", several ? runs.map((r, n) => ({ name: nameOf(r, n), colour: colour(n) })) : known.map(c => ({ name: causeTexts[c] || c, colour: `var(--cause-${c}, var(--soft))` })), rows, v => units.number(v) + " h")));
  for (const [n, r] of runs.entries()) {
    const list = [waitRow("all builds", r.waits, r.sloSeconds, "total"), ...(r.classes.length > 1 ? r.classes.map(c => waitRow(c.name, c, r.sloSeconds)) : [])];
    if (r.observed) list.push(waitRow("as observed in the trace", r.observed, r.sloSeconds));
    const parts = [table(waitHead(several ? nameOf(r, n) : "class", r.sloSeconds), list, { label: "Waits by class" })];
    for (const [what, of] of [["job", r.jobs], ["label", r.labels]]) {
      if (of.length < 2) continue;
      const shown = of.slice(0, 40);
      const left = of.length - shown.length + (what === "job" ? r.jobsLeftOut : 0);
      parts.push(el("details", {}, el("summary", {}, `By ${what} (${of.length})`), table(waitHead(what, r.sloSeconds), shown.map(j => waitRow(j.name, j, r.sloSeconds)), { label: "Waits by " + what }),
        left > 0 ? el("p", { class: "note" }, `${left} more are in the JSON form or left out there too.`) : null));
    }
    page.append(el("div", { class: "card stack" }, ...parts));
  }
}

function layer(range, run, more) { return { ...range, bucket: run.timeline.bucketSeconds, ...more }; }

function overTime(page) {
  const drawn = runs.filter(r => r.timeline);
  if (!drawn.length) return;
  page.append(el("h2", {}, "Over time"));
  const pending = drawn[0].timeline.pending.high;
  const peak = pending.indexOf(pending.reduce((a, b) => Math.max(a, b), 0)) * drawn[0].timeline.bucketSeconds;
  const view = timelines(clock, Math.max(...drawn.map(r => r.endSeconds)), peak);
  page.append(view.tools);
  const add = options => page.append(timeline(view, clock, options));
  if (drawn.length > 1) {
    const overlay = of => drawn.map((r, n) => layer(of(r), r, { name: nameOf(r, n), colour: colour(runs.indexOf(r)), line: "solid" }));
    add({ name: "pending", title: "Builds that wait for a node", unit: "builds", layers: overlay(r => r.timeline.pending) });
    add({ name: "nodes", title: "Nodes billed, all groups", unit: "nodes", layers: overlay(r => r.timeline.nodes) });
    const having = drawn.filter(r => r.timeline.virtual);
    if (having.length) add({ name: "virtual", title: "Pods on the virtual node", unit: "pods", height: 160,
      layers: having.map(r => layer(r.timeline.virtual, r, { name: nameOf(r, runs.indexOf(r)), colour: colour(runs.indexOf(r)), line: "solid" })) });
    const groups = [...new Set(drawn.flatMap(r => r.timeline.groups.map(g => g.name)))];
    for (const g of groups.length > 1 ? groups : []) {
      const having = drawn.filter(r => r.timeline.groups.some(x => x.name === g));
      add({ name: "group " + g, title: `${g}: nodes billed`, unit: "nodes", height: 160,
        layers: having.map(r => layer(r.timeline.groups.find(x => x.name === g).billed, r, { name: nameOf(r, runs.indexOf(r)), colour: colour(runs.indexOf(r)), line: "solid" })) });
    }
  } else {
    const r = drawn[0], t = r.timeline;
    const byClass = what => [layer(t[what], r, { name: "all", colour: "var(--total)" }),
      ...t.classes.map(c => layer(c[what], r, { name: c.class, colour: classColour(c.class), line: "solid" }))];
    add({ name: "pending", title: "Builds that wait for a node", unit: "builds", layers: byClass("pending") });
    add({ name: "running", title: "Builds that run", unit: "builds", layers: byClass("running"), height: 160 });
    if (t.virtual) add({ name: "virtual", title: "Pods on the virtual node", unit: "pods", height: 160, layers: [layer(t.virtual, r, { name: "pods", colour: "var(--virtual)" })] });
    t.groups.forEach(g => add({ name: "group " + g.name, title: g.name, unit: "nodes", layers: groupLayers(g, r) }));
    if (t.bucketSeconds > 0) page.append(el("p", { class: "note" }, `A step of the charts is ${units.wait(t.bucketSeconds)} and shows the most of it; pointing at one tells the least and the most. Busy is dark where that many nodes were busy all the time.`));
  }
  view.ready();
}

// groupLayers lie on one another: what sticks out of ready is booting, what sticks out
// of busy is idle.
function groupLayers(g, r) {
  return [
    layer(g.billed, r, { name: "billed (above ready: booting or ending)", colour: "var(--boot)" }),
    layer(g.ready, r, { name: "ready (above busy: idle)", colour: "var(--idle)" }),
    layer(g.busy, r, { name: "busy", colour: "var(--busy-soft)" }),
    layer({ low: g.busy.low, high: g.busy.low }, r, { colour: "var(--busy)" }),
    layer(g.target, r, { name: "target", colour: "var(--ink)", line: "solid" }),
    layer(g.min, r, { name: "min", colour: "var(--min)", line: "dashed" }),
  ];
}
