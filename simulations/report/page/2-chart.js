// The parts that every chart is made of.

function el(name, attributes, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === "class") e.className = value; else e.setAttribute(key, value);
  }
  e.append(...children.filter(c => c !== null && c !== undefined));
  return e;
}

function svg(name, attributes, text) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === "fill" || key === "stroke") e.style[key] = value; else e.setAttribute(key, value);
  }
  if (text !== undefined) e.textContent = text;
  return e;
}

// colour of the n-th thing of several.
const colour = n => `var(--c${n % 6})`;

// figure is a chart with its caption and legend. draw is called with the picture, its
// width and its height, whenever the width changes or the figure is told to.
function figure(name, title, legend, height, draw) {
  const at = el("span", { class: "at" });
  const picture = svg("svg", { height, role: "img", "aria-label": title, tabindex: 0 });
  const outputs = legend.map(() => el("output"));
  const items = legend.map((l, n) => {
    const mark = el("i", { class: l.line ? "stroke " + l.line : "" });
    if (l.line) mark.style.borderTopColor = l.colour; else mark.style.background = l.colour;
    return el("li", {}, mark, el("span", {}, l.name), outputs[n]);
  });
  const root = el("figure", { "data-chart": name }, el("figcaption", {}, el("b", {}, title), at),
    items.length ? el("ul", { class: "legend" }, ...items) : null, picture);
  const chart = {
    root, picture, at, outputs, width: 0,
    redraw() {
      if (!chart.width) return;
      picture.replaceChildren();
      picture.setAttribute("viewBox", `0 0 ${chart.width} ${picture.getAttribute("height")}`);
      draw(chart, chart.width, Number(picture.getAttribute("height")));
      root.dataset.drawn = "true";
    },
    say(values, when) {
      at.textContent = when;
      values.forEach((v, n) => { if (outputs[n]) outputs[n].textContent = v; });
    },
  };
  new ResizeObserver(() => {
    const width = Math.floor(picture.getBoundingClientRect().width);
    if (width && width !== chart.width) { chart.width = width; chart.redraw(); }
  }).observe(picture);
  return chart;
}

// niceSteps are ticks from 0 to most, whole numbers if they count something.
function niceTicks(most, wanted, whole) {
  const rough = Math.max(most, whole ? 1 : 1e-9) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 5, 10].map(f => f * power).find(s => s >= rough);
  if (whole) step = Math.max(1, Math.round(step));
  const ticks = [];
  for (let t = 0; t < most + step * 0.999; t += step) ticks.push(Number(t.toPrecision(12)));
  return ticks;
}

function timeTicks(clock, from, until, wanted) {
  const steps = [60, 300, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2419200, 4838400];
  const step = steps.find(s => (until - from) / s <= wanted) || steps[steps.length - 1];
  // Weeks begin on Mondays; the epoch was a Thursday.
  const shift = clock.epoch + (step >= 604800 ? 3 * 86400 : 0);
  const ticks = [];
  for (let t = Math.ceil((from + shift) / step) * step - shift; t <= until; t += step) ticks.push({ at: t, text: clock.tick(t, step) });
  return ticks;
}

// yAxis draws ticks and their lines, and the unit above them.
function yAxis(picture, box, ticks, most, unit, text) {
  const y = v => box.bottom - (v / most) * (box.bottom - box.top);
  for (const t of ticks) {
    picture.append(svg("line", { class: t ? "grid-line" : "axis", x1: box.left, x2: box.right, y1: y(t), y2: y(t) }));
    picture.append(svg("text", { x: box.left - 8, y: y(t) + 4, "text-anchor": "end" }, text(t)));
  }
  picture.append(svg("text", { x: 0, y: 11, "data-unit": "y" }, unit));
  return y;
}

function xLabel(picture, box, height, text) {
  picture.append(svg("text", { x: box.right, y: height - 2, "text-anchor": "end", "data-unit": "x" }, text));
}

// xText keeps a label inside the picture.
function xText(picture, x, y, text, box) {
  const half = text.length * 3.3;
  const anchor = x + half > box.right + 6 ? "end" : x - half < 0 ? "start" : "middle";
  picture.append(svg("text", { x: anchor === "end" ? Math.min(x + half, box.right) : x, y, "text-anchor": anchor }, text));
}
