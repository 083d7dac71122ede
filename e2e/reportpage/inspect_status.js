// What a person sees of every node group of the status page.
[...document.querySelectorAll("[data-group]")].map(article => {
  const own = e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  const texts = [...article.querySelectorAll("*")].filter(own).map(e => {
    const range = document.createRange();
    range.selectNodeContents(e);
    return { text: e.textContent.trim(), box: range.getBoundingClientRect(), inSVG: e instanceof SVGElement };
  });
  const frame = article.getBoundingClientRect(), drawn = texts.filter(t => t.inSVG), overlapping = [];
  drawn.forEach((a, n) => drawn.slice(n + 1).forEach(b => { if (overlap(a.box, b.box)) overlapping.push(a.text + " / " + b.text); }));
  return {
    name: article.dataset.group,
    shows: texts.map(t => t.text),
    outside: texts.filter(t => t.box.left < frame.left || t.box.right > frame.right + 0.5 || t.box.bottom > frame.bottom).map(t => t.text),
    overlapping,
    invisible: texts.filter(t => !(t.box.width > 0 && t.box.height > 0)).map(t => t.text),
    shapes: [...article.querySelectorAll("svg rect, svg line")].filter(visible).length,
  };
});
