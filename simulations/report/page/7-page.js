// The rest of the page: nodes, cost, week, settings.

const parts = [["busy", "var(--busy)"], ["idle", "var(--idle)"], ["boot", "var(--boot)"], ["ending", "var(--ending)"]];
const virtualPart = ["virtual", "var(--virtual)"];

function costs(page) {
  page.append(el("h2", {}, "Cost"));
  const shown = runs.some(r => r.virtual) ? [...parts, virtualPart] : parts;
  const named = name => name === "virtual" ? "virtual node" : name;
  const legend = shown.map(([name, c]) => ({ name: named(name), colour: c }));
  const split = cost => ({ parts: shown.map(([name, c]) => ({ name: named(name), colour: c, value: Math.max(cost[name] || 0, 0) })) });
  const rows = several ? runs.map((r, n) => ({ name: nameOf(r, n), bars: [split(r.capacity.cost)] }))
    : runs[0].groups.map(g => ({ name: `${g.name}, ${units.number(g.pricePerHour)} an hour and node`, bars: [split(g.cost)] }));
  if (!several && runs[0].virtual) rows.push({ name: `virtual node, ${units.hours(runs[0].virtual.podHours)} pod-hours`, bars: [split({ virtual: runs[0].virtual.cost })] });
  const unit = runs[0].currency || "cost";
  const charts = [bars("cost", several ? "What nodes cost, by what they did" : "What each group cost, by what its nodes did", unit, legend, rows, money)];
  const compared = runs[0].baselines;
  if (compared.length) {
    const others = [
      ...runs.map((r, n) => ({ name: `${several ? nameOf(r, n) : "this run"}: up to ${units.number(r.capacity.peakNodes)} nodes, p95 ${units.wait(r.waits.p95)}`, bars: [{ parts: [{ name: "cost", value: r.capacity.cost.total, colour: "var(--busy)" }] }] })),
      ...compared.map(b => ({ name: (baselineTexts[b.name] || b.name) + (b.peakNodes ? `: up to ${units.number(b.peakNodes)} nodes, p95 ${units.wait(b.p95Seconds)}` : ""), bars: [{ parts: [{ name: "cost", value: b.cost, colour: "var(--ending)" }] }] })),
    ];
    charts.push(bars("baselines", several ? "Against other pools for the first run's builds" : "Against other pools", unit, [{ name: several ? "runs" : "this run", colour: "var(--busy)" }, { name: "other pools", colour: "var(--ending)" }], others, money));
  }
  page.append(el("div", { class: charts.length > 1 ? "grid" : "" }, ...charts));
}

function nodes(page) {
  page.append(el("h2", {}, "Nodes"));
  const columns = [
    ["cost", c => money(c.cost.total)], ["peak", c => units.number(c.peakNodes)], ["node-hours", c => units.hours(c.nodeHours.billed)],
    ["busy", c => units.hours(c.nodeHours.busy)], ["idle", c => units.hours(c.nodeHours.idle)], ["boot", c => units.hours(c.nodeHours.boot)],
    ["scale-ups", c => units.number(c.scaleUps)], ["nodes added", c => units.number(c.nodesAdded)], ["scale-downs", c => units.number(c.scaleDowns)],
    ["failed", c => units.number(c.failed), c => c.failed], ["reclaimed", c => units.number(c.reclaimed), c => c.reclaimed],
    ["builds interrupted", c => units.number(c.interruptions), c => c.interruptions],
    ["mean life", c => units.wait(c.churn.lifeMinutes * 60)], ["builds a node", c => units.number(c.churn.buildsPerNode)],
    ["CPU in use", c => units.percent(c.utilisation.cpu)], ["memory in use", c => units.percent(c.utilisation.memory)],
  ].filter(([, , counts]) => !counts || runs.some(r => counts(r.capacity)));
  for (const [n, r] of runs.entries()) {
    const row = (name, c, mark) => ({ mark, cells: [name, ...columns.map(([, text]) => text(c))] });
    const rows = r.groups.map(g => row(g.name, g));
    if (r.groups.length > 1) rows.push(row("all", r.capacity, "total"));
    page.append(el("div", { class: "card stack" }, table([several ? nameOf(r, n) : "group", ...columns.map(([name]) => name)], rows, { label: "Node groups", dense: true })));
  }
}

const movedTexts = {
  "age": "waited long enough", "predicted_late": "node predicted late", "at_max": "groups at max", "out_of_stock": "out of stock",
  "backoff": "groups backed off", "not_triggered": "no group helps",
};

function virtual(page) {
  if (!runs.some(r => r.virtual)) return;
  page.append(el("h2", {}, "Virtual node"));
  for (const [n, r] of runs.entries()) {
    const v = r.virtual;
    if (!v) continue;
    const why = list => list.map(m => `${movedTexts[m.reason] || m.reason} ${units.number(m.builds)}`).join(", ");
    const rows = v.classes.map(c => ({ cells: [c.class, units.number(c.builds), units.number(c.peakPods), units.hours(c.podHours), money(c.cost), why(c.reasons)] }));
    page.append(el("div", { class: "card stack" },
      table([several ? nameOf(r, n) : "class", "builds moved", "pods at most", "pod-hours", "cost", "why"], rows, { label: "Virtual node" }),
      el("p", { class: "note" }, `${units.percent(v.share)} of all builds moved; they waited p50 ${units.wait(v.waits.p50)}, p95 ${units.wait(v.waits.p95)}.`)));
  }
}

function weeks(page) {
  page.append(el("h2", {}, "By hour of the week"));
  const most = of => Math.max(...runs.map(r => Math.max(...of(r.week))));
  const arrivals = most(w => w.arrivals), wait = most(w => w.waitP95), count = most(w => w.nodes);
  for (const [n, r] of runs.entries()) {
    const of = several ? `${nameOf(r, n)}: ` : "";
    page.append(el("div", { class: "grid three stack" },
      week("week-arrivals", of + "Builds that arrive", "builds an hour", r.week.arrivals, r.week.hours, arrivals, v => units.number(v)),
      week("week-waits", of + "Wait p95", "by arrival", r.week.waitP95, r.week.hours, wait, units.wait),
      week("week-nodes", of + "Nodes billed", "nodes on average", r.week.nodes, r.week.hours, count, v => units.number(v))));
  }
}

function settings(page) {
  page.append(el("h2", {}, "Settings"));
  const all = runs.map(r => new Map(settingsOf(r)));
  const names = [...new Set(all.flatMap(m => [...m.keys()]))];
  const rows = names.map(name => {
    const values = all.map(m => m.has(name) ? m.get(name) : "–");
    return { name, values, differs: values.some(v => v !== values[0]) };
  });
  const drawn = (list, label) => table(["", ...(several ? runs.map(nameOf) : ["value"])], list.map(r => ({ cells: [r.name, ...r.values], mark: several && r.differs ? "differs" : "" })), { words: true, label });
  if (several) {
    const differ = rows.filter(r => r.differs);
    page.append(el("div", { class: "card" }, differ.length ? drawn(differ, "Settings that differ") : el("p", {}, "The runs were made with the same settings.")));
  }
  page.append(el("div", { class: "card stack" }, el("details", {}, el("summary", {}, `All settings (${rows.length})`), drawn(rows, "All settings"))));
}

function draw() {
  const page = document.getElementById("page");
  page.replaceChildren();
  if (!runs.length) return page.append(el("p", {}, "There are no runs to show."));
  for (const section of [head, waits, overTime, nodes, virtual, costs, weeks, settings]) section(page);
  page.append(el("footer", {}, "Made by the capacity simulator of buildpool. Waits run from a build's arrival to its start; builds that never started count with what they had waited at the end."));
  document.documentElement.dataset.ready = "true";
}

draw();
