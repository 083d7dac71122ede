// How figures read.

const units = {
  wait(s) {
    s = Math.round(s);
    if (s < 60) return s + " s";
    if (s < 3600) return Math.floor(s / 60) + " min" + (s % 60 ? " " + s % 60 + " s" : "");
    if (s < 360000) return Math.floor(s / 3600) + " h" + (Math.floor(s / 60) % 60 ? " " + Math.floor(s / 60) % 60 + " min" : "");
    return Math.floor(s / 86400) + " d " + Math.floor(s / 3600) % 24 + " h";
  },
  percent(share) {
    const p = 100 * share;
    if (p === 0) return "0 %";
    if (p < 0.05) return "< 0.1 %";
    return (p < 9.95 || (p > 99 && p < 100) ? p.toFixed(1) : Math.round(p)) + " %";
  },
  number(x) {
    const a = Math.abs(x);
    if (x === Math.trunc(x) || a >= 1000) return Math.round(x).toLocaleString("en");
    if (a < 1) return String(Number(x.toPrecision(3)));
    return a < 100 ? x.toFixed(2) : x.toFixed(1);
  },
  hours(h) { return h < 1000 ? h.toFixed(1) : Math.round(h).toLocaleString("en"); },
};

const causeTexts = {
  "none": "started at once", "scan": "the autoscaler's next loop", "gpu-delay": "a young GPU build", "max": "group at its max",
  "stock": "out of stock", "backoff": "group backed off", "boot": "node to boot", "image": "image to be pulled",
  "reclaim": "node taken back", "impossible": "fits no group",
  "virtual": "virtual node to start it",
};

const baselineTexts = {
  "static-at-peak": "static pool, nobody waits", "static-at-equal-p95": "static pool, equal p95",
  "clairvoyant": "clairvoyant, nobody waits", "lower-bound": "lower bound",
};

// A run's own clock, read as if it were UTC: the page tells the hours of the trace,
// wherever it is opened.
function clockOf(run) {
  const parts = /^(.{19})(?:\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(run.start);
  const epoch = Date.parse(parts[1] + "Z") / 1000;
  const two = n => String(n).padStart(2, "0");
  const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const at = s => new Date((epoch + s) * 1000);
  const date = d => d.getUTCDate() + " " + months[d.getUTCMonth()];
  return {
    epoch,
    zone: parts[2] === "Z" ? "UTC" : "UTC" + parts[2],
    tick(s, step) {
      const d = at(s);
      if (step >= 86400) return date(d);
      return d.getUTCHours() + d.getUTCMinutes() === 0 ? days[d.getUTCDay()] + " " + date(d) : two(d.getUTCHours()) + ":" + two(d.getUTCMinutes());
    },
    full(s) {
      const d = at(s);
      return days[d.getUTCDay()] + " " + date(d) + " " + two(d.getUTCHours()) + ":" + two(d.getUTCMinutes());
    },
  };
}
