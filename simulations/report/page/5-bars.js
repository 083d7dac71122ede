// Bars and tables.

// bars draws rows of one bar or several, each made of parts.
function bars(name, title, unit, legend, rows, text) {
  const most = Math.max(1e-9, ...rows.flatMap(r => r.bars.map(b => b.parts.reduce((sum, p) => sum + p.value, 0))));
  const tall = 34 + rows.reduce((sum, r) => sum + 24 + 20 * r.bars.length, 0);
  const chart = figure(name, title, legend, tall, (chart, width) => {
    const box = { left: 1, right: width - 2, top: 2, bottom: tall - 34 };
    const ticks = niceTicks(most, width < 420 ? 3 : 5, false).filter(t => t <= most * 1.0001);
    const room = 84;
    const x = v => box.left + v / most * (box.right - box.left - room);
    for (const t of ticks) {
      chart.picture.append(svg("line", { class: t ? "grid-line" : "axis", x1: x(t), x2: x(t), y1: box.top, y2: box.bottom }));
      xText(chart.picture, x(t), box.bottom + 15, units.number(t), box);
    }
    xLabel(chart.picture, box, tall, unit);
    let y = box.top + 14;
    for (const row of rows) {
      chart.picture.append(svg("text", { class: "strong", x: 3, y }, row.name));
      y += 6;
      for (const bar of row.bars) {
        let from = 0;
        for (const part of bar.parts) {
          const rect = svg("rect", { x: x(from), y, width: Math.max(x(from + part.value) - x(from), part.value > 0 ? 1 : 0), height: 14, fill: part.colour });
          rect.append(svg("title", {}, `${part.name}: ${text(part.value)}`));
          chart.picture.append(rect);
          from += part.value;
        }
        chart.picture.append(svg("text", { class: "strong", x: x(from) + 6, y: y + 11.5 }, bar.text || text(from)));
        y += 20;
      }
      y += 18;
    }
  });
  return chart.root;
}

// table has a head and rows of cells; a cell is a text or an element.
function table(head, rows, options) {
  const { words, label, narrow, dense } = options || {};
  const body = rows.map(r => el("tr", { class: r.mark || "" }, ...r.cells.map(c => el("td", {}, c))));
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label || "table" },
    el("table", { class: words ? "words" : narrow ? "narrow" : dense ? "dense" : "" }, el("thead", {}, el("tr", {}, ...head.map(h => el("th", { scope: "col" }, h)))), el("tbody", {}, ...body)));
}

function waitRow(name, w, slo, mark) {
  const p95 = el("span", { class: slo ? (w.p95 > slo ? "bad" : "good") : "" }, units.wait(w.p95));
  const cells = [name, units.number(w.builds), units.wait(w.p50), units.wait(w.p90), p95, units.wait(w.p99), units.wait(w.max), units.wait(w.mean)];
  if (slo) cells.push(units.percent(w.overSLO));
  return { cells, mark };
}

function waitHead(first, slo) {
  const head = [first, "builds", "p50", "p90", "p95", "p99", "max", "mean"];
  return slo ? head.concat("over " + units.wait(slo)) : head;
}

// settingsOf is a run's settings as names and texts, in a fixed order.
function settingsOf(run) {
  const rows = [];
  const flatten = (name, value) => {
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value)) flatten(name ? name + "." + key : key, inner);
    } else if (Array.isArray(value) && value.some(v => typeof v === "object")) {
      rows.push([name, value.map(v => typeof v === "object" ? Object.values(v).join(" ") : v).join("; ")]);
    } else {
      rows.push([name, Array.isArray(value) ? value.join(", ") : String(value)]);
    }
  };
  const { groups, autoscaler, trace, overflow, ...rest } = run.settings;
  flatten("trace", trace);
  if (overflow) {
    const { classes, ...node } = overflow;
    flatten("overflow", node);
    for (const { class: of, ...rules } of classes) flatten("overflow." + of, rules);
  }
  flatten("", rest);
  rows.push(["slo", run.sloSeconds ? units.wait(run.sloSeconds) : "none"]);
  for (const flag of autoscaler) rows.push([flag.name, flag.value]);
  for (const g of groups) {
    const { name, config, ...cloud } = g;
    const { name: _, ...own } = config;
    flatten(name, own);
    flatten(name, cloud);
  }
  return rows;
}
