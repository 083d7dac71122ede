// What a person sees of every chart. The last expression is the answer.

var visible = e => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0; };

var overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;

var luminance = text => {
  const [r, g, b] = text.match(/[\d.]+/g).slice(0, 3).map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

// contrastOf is the least contrast of the selected texts with what they stand on.
var contrastOf = selector => Math.min(...[...document.querySelectorAll(selector)].filter(visible).map(e => {
  const style = getComputedStyle(e);
  let under = e;
  while (under && /rgba\(0, 0, 0, 0\)|transparent/.test(getComputedStyle(under).backgroundColor)) under = under.parentElement;
  const a = luminance(e instanceof SVGElement ? style.fill : style.color), b = luminance(getComputedStyle(under || document.body).backgroundColor);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}));

[...document.querySelectorAll("[data-chart]")].map(figure => {
  const texts = [...figure.querySelectorAll("svg text")].filter(visible).map(e => ({ text: e.textContent, unit: e.dataset.unit, box: e.getBoundingClientRect() }));
  const overlapping = [];
  texts.forEach((a, n) => texts.slice(n + 1).forEach(b => { if (overlap(a.box, b.box)) overlapping.push(a.text + " / " + b.text); }));
  const frame = figure.getBoundingClientRect();
  return {
    name: figure.dataset.chart,
    shapes: [...figure.querySelectorAll("svg path, svg rect")].filter(visible).length,
    units: texts.filter(t => t.unit).map(t => t.text),
    // The shades of a heat map are its legend.
    legend: [...figure.querySelectorAll(".legend li, svg [data-unit=y]")].map(e => e.textContent),
    ticks: texts.filter(t => !t.unit).length,
    outside: texts.filter(t => t.box.left < frame.left || t.box.right > frame.right || t.box.bottom > frame.bottom).map(t => t.text),
    overlapping,
  };
});
