/* Spread over draws: a panel per data set, a row per calibration set, a lane per method, a mark per
   draw; the dashed line is the dense model. */
const spreadFields = ["model", "method", "sparsity", "samples", "length", "propagate"];
const laneHeight = 16;

/* Marks of area alike, around (0, 0); by methodClass. */
const shapes = ["M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0Z", "M0,-5L4.6,3.5H-4.6Z", "M-3.6,-3.6H3.6V3.6H-3.6Z",
  "M0,-5.2L4.2,0L0,5.2L-4.2,0Z", "M0,5L4.6,-3.5H-4.6Z", "M-4.5,-1.5H-1.5V-4.5H1.5V-1.5H4.5V1.5H1.5V4.5H-1.5V1.5H-4.5Z"];

function markOf(method, x, y) {
  return svg("path", { class: `mark m${methodClass(method)}`, d: shapes[methodClass(method)], transform: `translate(${x.toFixed(1)},${y})` });
}

function methodLegend(list) {
  const names = [...new Set(list.map((s) => s.method))];
  return h("div", { class: "legend" }, ...names.map((name) => h("span", null,
    svg("svg", { width: 14, height: 14, viewBox: "-7 -7 14 14", "aria-hidden": true }, markOf(name, 0, 0)), name)));
}

const measure = document.createElement("canvas").getContext("2d");
function textWidth(text) {
  measure.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return measure.measureText(text).width;
}

function shorten(text, width) {
  if (textWidth(text) <= width) return text;
  let n = text.length;
  while (n > 1 && textWidth(text.slice(0, n) + "…") > width) n--;
  return text.slice(0, n) + "…";
}

/* Round numbers between low and high; of a logarithmic axis 1, 2, 5 × powers of ten. */
function ticks(low, high, log, most) {
  if (log) {
    const found = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++) {
      for (const m of [1, 2, 5]) if (m * 10 ** e >= low && m * 10 ** e <= high) found.push(m * 10 ** e);
    }
    const step = Math.ceil(found.length / most);
    if (found.length > 1) return found.filter((_, i) => i % step === 0);
  }
  const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high * (1 + 1e-12); k++) found.push(k * step);
  return found.length < 3 && most < 9 ? ticks(low, high, log, most * 2) : found;
}

/* position(value) in pixels from left to right. */
function axisOf(values, open, left, right) {
  let low = Math.min(...values), high = Math.max(...values);
  if (low === high) {
    low -= Math.abs(low) * 0.05 || 0.05;
    high += Math.abs(high) * 0.05 || 0.05;
  }
  const log = open && low > 0 && high / low > 3;
  const at = log ? Math.log : (x) => x, pad = (at(high) - at(low)) * 0.03;
  const a = at(low) - pad, b = at(high) + pad;
  return { log, low: log ? Math.exp(a) : a, high: log ? Math.exp(b) : b,
    position: (v) => left + ((at(v) - a) / (b - a)) * (right - left) };
}

function tickText(value) {
  const size = Math.abs(value);
  if (size >= 1e5) return value.toExponential(0).replace("+", "");
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

function spreadLane(lane, axis, left, right, y, width, describe) {
  const { cell, setting } = lane, finite = cell.values.filter(Number.isFinite), middle = y + laneHeight / 2;
  const infinite = cell.values.length - finite.length;
  const group = svg("g", { class: `lane m${methodClass(setting.method)}`, tabindex: -1, role: "img", "data-lane": lane.index,
    "aria-label": `${lane.name}: ${describe(cell)}` },
    svg("rect", { class: "hit", x: 0, y, width, height: laneHeight }));
  if (finite.length > 1 && !infinite) {
    const x = axis.position(cell.mean);
    const clamp = (v) => Math.max(left, Math.min(right, axis.log && v <= 0 ? left : axis.position(v)));
    group.append(svg("line", { class: "mean", x1: clamp(cell.mean - cell.sd), x2: clamp(cell.mean + cell.sd), y1: middle, y2: middle, "stroke-opacity": 0.45 }));
    group.append(svg("line", { class: "mean", x1: x, x2: x, y1: y + 2, y2: y + laneHeight - 2 }));
  }
  for (const v of finite) group.append(markOf(setting.method, axis.position(v), middle));
  const words = cell.planned === cell.n ? String(cell.n) : `${cell.n}/${cell.planned}`;
  group.append(svg("text", { class: "soft", x: width - 2, y: middle + 4, "text-anchor": "end" }, infinite ? `${words}, ${infinite}∞` : words));
  return group;
}

/* rows: [{name, lanes: [{setting, cell}]}]; plot: {title, dense, open, describe(cell)}. */
function lanePlot(plot, rows, width) {
  const longest = Math.max(...rows.map((r) => textWidth(r.name)));
  const left = Math.min(longest + 12, width * 0.36), right = width - 46, top = 18;
  const { title, dense, describe } = plot;
  const values = rows.flatMap((r) => r.lanes.flatMap((l) => l.cell.values)).concat([dense]).filter(Number.isFinite);
  if (!values.length) return null;
  const axis = axisOf(values, plot.open, left + 6, right - 6);
  const height = top + rows.reduce((sum, r) => sum + r.lanes.length * laneHeight + 6, 0) + 20;
  const root = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `Spread of ${title}` });
  root.append(svg("text", { class: "soft", x: width - 2, y: 12, "text-anchor": "end" }, "n"));
  let y = top, index = 0;
  rows.forEach((row, r) => {
    const tall = row.lanes.length * laneHeight + 6;
    if (r % 2 === 0) root.append(svg("rect", { class: "band", x: 0, y, width, height: tall }));
    root.append(svg("text", { x: 4, y: y + tall / 2 + 4 }, shorten(row.name, left - 8), svg("title", null, row.name)));
    y += tall;
  });
  for (const t of ticks(axis.low, axis.high, axis.log, Math.max(2, Math.floor((right - left) / 70)))) {
    const x = axis.position(t);
    root.append(svg("line", { class: "axis", x1: x, x2: x, y1: top, y2: y }),
      svg("text", { class: "soft", x, y: y + 15, "text-anchor": "middle" }, tickText(t)));
  }
  if (Number.isFinite(dense)) root.append(svg("line", { class: "dense", x1: axis.position(dense), x2: axis.position(dense), y1: top - 4, y2: y }));
  y = top;
  for (const row of rows) {
    y += 3;
    for (const lane of row.lanes) {
      lane.index = index++;
      lane.name = `${row.name}, ${lane.setting.method}`;
      root.append(spreadLane(lane, axis, left, right, y, width, describe));
      y += laneHeight;
    }
    y += 3;
  }
  const lanes = rows.flatMap((r) => r.lanes);
  details(root, ".lane", (g) => [`${title}, ${lanes[Number(g.dataset.lane)].name}:`, describe(lanes[Number(g.dataset.lane)].cell)]);
  roving(root, ".lane", () => 1);
  return root;
}

function spreadRows(list, dataset, metric) {
  const rows = new Map();
  for (const setting of list) {
    for (const [name, members] of setting.rows) {
      if (!rows.has(name)) rows.set(name, { name: calibrationName(name), lanes: [] });
      rows.get(name).lanes.push({ setting, cell: gather(members, dataset, metric) });
    }
  }
  return [...rows.entries()].sort((a, b) => (a[0] === "") - (b[0] === "")).map(([, row]) => row);
}

function spreadPanel(panel, list, d) {
  const metric = metricFor(d), rows = spreadRows(list, d, metric);
  const dense = denseValue(list[0].model, d, metric), kind = { title: report.datasets[d], dense, open: report.open[metric] === 1, describe: describeCell };
  const plot = rows.length ? lanePlot(kind, rows, panel.clientWidth) : null;
  const note = metric < 0 ? "no cell has a result" : `${report.metrics[metric]}; dense ${metricText(metric, dense)}`;
  panel.replaceChildren(h("h3", null, report.datasets[d]), h("p", { class: "note" }, note), plot || h("p", null, "No value to draw."));
}

addView({
  id: "spread", title: "Spreads",
  draw(main) {
    const area = h("div");
    const redraw = () => {
      const list = chosenSettings(spreadFields), sets = shownDatasets();
      const lanes = list.reduce((sum, s) => sum + s.rows.size, 0);
      const panels = sets.map((d) => {
        const panel = h("section", { class: "panel", style: `min-height: ${110 + lanes * laneHeight}px` });
        return lazily(panel, () => spreadPanel(panel, list, d));
      });
      area.replaceChildren(methodLegend(list), list.length ? h("div", { class: "panels narrow" }, ...panels) : h("p", null, "No pruned variant matches."));
    };
    main.append(h("p", { class: "note" }, "A mark per draw; the upright stroke is the mean, the bar one standard deviation to each side, the dashed line the dense model. n at the right, as done/planned where some are missing."));
    main.append(filterBar(spreadFields, ["model", "sparsity", "samples", "length", "propagate"], [metricChoices()], redraw), area);
    redraw();
  },
});
