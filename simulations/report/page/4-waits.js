// Charts of waits.

// distribution draws which share of the builds had started after which wait, on a
// logarithmic scale that begins at a second.
function distribution(title, curves, slo) {
  const longest = Math.max(10, slo, ...curves.map(c => c.seconds[c.seconds.length - 1] || 0));
  const scale = Math.log10(longest * 1.05);
  let box, x, y;
  const chart = figure("wait-distribution", title, curves.map(c => ({ name: c.name, colour: c.colour, line: "solid" })), 260, (chart, width, tall) => {
    box = { left: 44, right: width - 4, top: 22, bottom: tall - 40 };
    x = s => box.left + Math.log10(Math.max(s, 1)) / scale * (box.right - box.left);
    y = yAxis(chart.picture, box, [0, 25, 50, 75, 100], 100, "% of builds that have started", t => t);
    let free = -1;
    for (const s of [1, 10, 60, 300, 900, 3600, 4 * 3600, 86400, 7 * 86400]) {
      if (s > longest) break;
      chart.picture.append(svg("line", { class: "grid-line", x1: x(s), x2: x(s), y1: box.top, y2: box.bottom }));
      if (x(s) < free) continue;
      xText(chart.picture, x(s), box.bottom + 16, (s === 1 ? "≤ " : "") + units.wait(s), box);
      free = x(s) + 52;
    }
    xLabel(chart.picture, box, tall, "wait, logarithmic");
    if (slo) {
      chart.picture.append(svg("line", { class: "cross", x1: x(slo), x2: x(slo), y1: box.top, y2: box.bottom }));
      chart.picture.append(svg("text", { class: "strong", x: x(slo) + 5, y: box.bottom - 6 }, "SLO " + units.wait(slo)));
    }
    for (const c of curves) chart.picture.append(svg("path", { class: "plain", stroke: c.colour, d: curvePath(c, x, y, box) }));
    chart.cross = svg("line", { class: "cross", y1: box.top, y2: box.bottom, visibility: "hidden" });
    chart.picture.append(chart.cross);
  });
  const point = wait => {
    chart.wait = wait;
    chart.cross.setAttribute("visibility", wait === null ? "hidden" : "visible");
    if (wait === null) return chart.say(curves.map(() => ""), "");
    chart.cross.setAttribute("x1", x(wait));
    chart.cross.setAttribute("x2", x(wait));
    chart.say(curves.map(c => units.percent(shareWithin(c, wait))), "within " + units.wait(wait));
  };
  chart.picture.addEventListener("pointermove", e => {
    const share = (e.clientX - chart.picture.getBoundingClientRect().left - box.left) / (box.right - box.left);
    point(10 ** (Math.min(Math.max(share, 0), 1) * scale));
  });
  chart.picture.addEventListener("pointerleave", () => point(null));
  chart.picture.addEventListener("keydown", e => {
    if (e.key !== "ArrowLeft" && e.key !== "ArrowRight") return;
    const at = chart.wait || slo || 60;
    point(Math.min(Math.max(e.key === "ArrowLeft" ? at / 1.1 : at * 1.1, 1), longest));
    e.preventDefault();
  });
  return chart.root;
}

function curvePath(c, x, y, box) {
  let d = "";
  for (let n = 0; n < c.shares.length; n++) {
    const px = x(c.seconds[n]).toFixed(1), py = y(100 * c.shares[n]).toFixed(1);
    d += d ? `L${px} ${py}` : `M${px} ${box.bottom}V${py}`;
  }
  return d ? d + `H${box.right}` : d;
}

function shareWithin(c, wait) {
  let share = 0;
  for (let n = 0; n < c.seconds.length && c.seconds[n] <= wait; n++) share = c.shares[n];
  return share;
}

// week draws a figure by hour of the week.
function week(name, title, unit, values, hours, most, text) {
  const days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
  const shade = v => v <= 0 ? 0 : 0.08 + 0.92 * Math.min(v / (most || 1), 1);
  const chart = figure(name, title, [], 250, (chart, width, tall) => {
    const box = { left: 34, right: width - 2, top: 4, bottom: tall - 70 };
    const w = (box.right - box.left) / 24, h = (box.bottom - box.top) / 7;
    days.forEach((day, d) => {
      chart.picture.append(svg("text", { x: 0, y: box.top + d * h + h / 2 + 4 }, day));
      for (let hour = 0; hour < 24; hour++) {
        const n = d * 24 + hour, v = values[n];
        const cell = svg("rect", { x: box.left + hour * w + 0.5, y: box.top + d * h + 0.5, width: w - 1, height: h - 1, rx: 2,
          fill: hours[n] ? `rgba(var(--heat), ${shade(v)})` : "transparent", stroke: "var(--grid)" });
        const words = `${day} ${hour}:00–${hour + 1}:00  ` + (hours[n] ? text(v) : "not in the run");
        cell.append(svg("title", {}, words));
        cell.addEventListener("pointerenter", () => { chart.at.textContent = words; });
        chart.picture.append(cell);
      }
    });
    for (let hour = 0; hour <= 24; hour += 6) xText(chart.picture, box.left + hour * w, box.bottom + 16, hour + ":00", box);
    xLabel(chart.picture, box, box.bottom + 34, "hour of the day");
    const scale = { left: box.left, right: box.left + Math.min(180, (box.right - box.left) / 2) };
    for (let n = 0; n < 12; n++) {
      const step = (scale.right - scale.left) / 12;
      chart.picture.append(svg("rect", { x: scale.left + n * step, y: tall - 26, width: step + 0.5, height: 9, fill: `rgba(var(--heat), ${shade((n + 0.5) / 12 * most)})` }));
    }
    chart.picture.append(svg("text", { x: scale.left, y: tall - 3 }, "0"));
    chart.picture.append(svg("text", { x: scale.right, y: tall - 3, "text-anchor": "end" }, text(most)));
    chart.picture.append(svg("text", { x: scale.right + 10, y: tall - 17, "data-unit": "y" }, unit));
  });
  chart.picture.addEventListener("pointerleave", () => { chart.at.textContent = ""; });
  return chart.root;
}
