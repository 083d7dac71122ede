// Charts over time. All of them show the same stretch of the run and the same instant.

// timelines are the charts over time of a page, for runs whose longest lasts so long.
function timelines(clock, end, peakAt) {
  const view = { from: 0, until: end, charts: [], cursor: null };
  const range = el("span", { class: "note" });

  view.show = (from, until) => {
    const span = Math.min(Math.max(until - from, 300), end);
    view.from = Math.min(Math.max(from, 0), end - span);
    view.until = view.from + span;
    range.textContent = `${clock.full(view.from)} to ${clock.full(view.until)} (${clock.zone})`;
    view.charts.forEach(c => c.redraw());
    view.point(null);
  };
  view.point = at => {
    view.cursor = at;
    view.charts.forEach(c => c.point(at));
  };
  const button = (text, label, act) => {
    const b = el("button", { type: "button", "aria-label": label }, text);
    b.addEventListener("click", act);
    return b;
  };
  const pan = by => view.show(view.from + by * (view.until - view.from), view.until + by * (view.until - view.from));
  view.tools = el("div", { class: "tools" },
    button("Whole run", "Show the whole run", () => view.show(0, end)),
    button("Busiest day", "Show the day with the most pending builds", () => {
      const day = Math.floor((peakAt + clock.epoch) / 86400) * 86400 - clock.epoch;
      view.show(Math.max(day, 0), day + 86400);
    }),
    button("◀", "Earlier", () => pan(-0.5)), button("▶", "Later", () => pan(0.5)), range,
    el("span", { class: "note" }, "Drag to zoom, double-click for the whole run."));
  view.ready = () => view.show(0, end);
  return view;
}

// timeline draws layers over time: areas and step lines, each with the least and the
// most of every bucket.
function timeline(view, clock, options) {
  const { name, title, unit, layers, height } = options;
  const legend = layers.filter(l => l.name);
  const most = Math.max(1, ...layers.map(l => l.high.reduce((a, b) => Math.max(a, b), 0)));
  const ticks = niceTicks(most, 4, true);
  const top = ticks[ticks.length - 1];
  let box;
  const chart = figure(name, title, legend, height || 190, (chart, width, tall) => {
    box = { left: 12 + 7 * String(ticks[ticks.length - 1].toLocaleString("en")).length, right: width - 2, top: 22, bottom: tall - 40 };
    const x = s => box.left + (s - view.from) / (view.until - view.from) * (box.right - box.left);
    const y = yAxis(chart.picture, box, ticks, top, unit, t => t.toLocaleString("en"));
    for (const t of timeTicks(clock, view.from, view.until, Math.max(2, Math.floor((box.right - box.left) / 95)))) {
      chart.picture.append(svg("line", { class: "axis", x1: x(t.at), x2: x(t.at), y1: box.bottom, y2: box.bottom + 5 }));
      xText(chart.picture, x(t.at), box.bottom + 18, t.text, box);
    }
    xLabel(chart.picture, box, tall, `time (${clock.zone})`);
    for (const l of layers) {
      chart.picture.append(svg("path", Object.assign({ d: stepPath(l, view, x, y, box, !l.line) },
        l.line ? { class: "plain", stroke: l.colour, "stroke-dasharray": { dashed: "6 4", dotted: "2 3" }[l.line] || "none" } : { fill: l.colour })));
    }
    chart.cross = svg("line", { class: "cross", y1: box.top, y2: box.bottom, visibility: "hidden" });
    chart.picture.append(chart.cross);
  });
  chart.point = at => {
    if (!chart.cross) return;
    chart.cross.setAttribute("visibility", at === null ? "hidden" : "visible");
    if (at === null) return chart.say(legend.map(() => ""), "");
    const px = box.left + (at - view.from) / (view.until - view.from) * (box.right - box.left);
    chart.cross.setAttribute("x1", px);
    chart.cross.setAttribute("x2", px);
    chart.say(legend.map(l => valueAt(l, at)), clock.full(at));
  };
  listen(chart, view, () => box);
  view.charts.push(chart);
  return chart.root;
}

function valueAt(layer, at) {
  const n = Math.min(Math.floor(at / layer.bucket), layer.high.length - 1);
  if (n < 0) return "";
  const low = (layer.lowOf || layer).low[n], high = layer.high[n];
  return low === high ? String(high) : low + "–" + high;
}

// stepPath is an area, or a line, through the most of each bucket that can be seen.
function stepPath(layer, view, x, y, box, area) {
  const first = Math.max(0, Math.floor(view.from / layer.bucket));
  const last = Math.min(layer.high.length - 1, Math.floor(view.until / layer.bucket));
  if (last < first) return "";
  const clamp = px => Math.min(Math.max(px, box.left), box.right).toFixed(1);
  let d = "", before = null;
  for (let n = first; n <= last; n++) {
    const v = y(layer.high[n]).toFixed(1);
    if (v === before) continue;
    d += before === null ? `M${clamp(x(n * layer.bucket))} ${v}` : `H${clamp(x(n * layer.bucket))}V${v}`;
    before = v;
  }
  d += `H${clamp(x((last + 1) * layer.bucket))}`;
  return area ? d + `V${box.bottom}H${clamp(x(first * layer.bucket))}Z` : d;
}

// listen lets a chart be pointed at, zoomed by dragging, and walked with arrow keys.
function listen(chart, view, boxOf) {
  let from = null, brush = null;
  const timeAt = event => {
    const box = boxOf(), px = event.clientX - chart.picture.getBoundingClientRect().left;
    const share = Math.min(Math.max((px - box.left) / (box.right - box.left), 0), 1);
    return view.from + share * (view.until - view.from);
  };
  chart.picture.addEventListener("pointerdown", e => { from = e; chart.picture.setPointerCapture(e.pointerId); });
  chart.picture.addEventListener("pointermove", e => {
    view.point(timeAt(e));
    if (!from) return;
    const box = boxOf(), left = chart.picture.getBoundingClientRect().left;
    const a = Math.max(Math.min(from.clientX, e.clientX) - left, box.left), b = Math.min(Math.max(from.clientX, e.clientX) - left, box.right);
    if (!brush) chart.picture.append(brush = svg("rect", { class: "brush", y: box.top, height: box.bottom - box.top }));
    brush.setAttribute("x", a);
    brush.setAttribute("width", Math.max(b - a, 0));
  });
  const end = e => {
    if (from && e.type === "pointerup" && Math.abs(e.clientX - from.clientX) > 8) {
      const a = timeAt(from), b = timeAt(e);
      view.show(Math.min(a, b), Math.max(a, b));
    }
    from = null;
    if (brush) { brush.remove(); brush = null; }
  };
  chart.picture.addEventListener("pointerup", end);
  chart.picture.addEventListener("pointercancel", end);
  chart.picture.addEventListener("pointerleave", () => { if (!from) view.point(null); });
  chart.picture.addEventListener("dblclick", () => view.ready());
  chart.picture.addEventListener("keydown", e => {
    const step = (view.until - view.from) / 100 * (e.shiftKey ? 10 : 1);
    const at = view.cursor === null ? (view.from + view.until) / 2 : view.cursor;
    if (e.key === "ArrowLeft") view.point(Math.max(at - step, view.from));
    else if (e.key === "ArrowRight") view.point(Math.min(at + step, view.until));
    else if (e.key === "Escape") view.ready();
    else return;
    e.preventDefault();
  });
}
