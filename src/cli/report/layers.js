/* Layer-wise error: ‖X(W − W′)ᵀ‖ / ‖XWᵀ‖ of each linear, along the model's depth. */
const layerFields = ["model", "method", "sparsity", "samples", "length", "propagate"];
const layerHeight = 170;

/* Per method the values of a linear in each block, over the variants that the choices leave. */
function layerSeries(data, list, linear) {
  const L = data.linears.length, series = new Map();
  const blocks = data.relative_error.length ? data.relative_error[0].length / L : 0;
  const wanted = new Map();
  for (const s of list) {
    for (const [name, members] of s.rows) {
      if (chosen.calibration !== all && chosen.calibration !== undefined && name !== chosen.calibration) continue;
      for (const v of members) wanted.set(v.index, s.method);
    }
  }
  data.variant.forEach((v, i) => {
    const method = wanted.get(v);
    if (method === undefined) return;
    if (!series.has(method)) series.set(method, Array.from({ length: blocks }, () => []));
    for (let b = 0; b < blocks; b++) {
      const value = data.relative_error[i][b * L + linear];
      if (value !== null) series.get(method)[b].push(value);
    }
  });
  return [...series.entries()].map(([method, lists]) => ({ method, blocks: lists.map((values) => ({ ...spreadOf(values),
    low: values.reduce((a, b) => Math.min(a, b), Infinity), high: values.reduce((a, b) => Math.max(a, b), -Infinity) })) }));
}

function layerText(series, b) {
  return series.map((s) => {
    const p = s.blocks[b];
    return p.n ? `${s.method} ${significant(p.mean)} (${significant(p.low)} to ${significant(p.high)}, n = ${p.n})` : `${s.method}: no value`;
  }).join("; ");
}

/* Runs of blocks that have values: a line is not drawn across what is missing. */
function runs(blocks) {
  const found = [];
  blocks.forEach((p, b) => {
    if (!p.n) return;
    if (found.length && found[found.length - 1].at(-1) === b - 1) found[found.length - 1].push(b);
    else found.push([b]);
  });
  return found;
}

function drawSeries(root, series, x, y) {
  for (const s of series) {
    const group = svg("g", { class: `m${methodClass(s.method)}` });
    for (const run of runs(s.blocks)) {
      const top = run.map((b) => `${x(b)},${y(s.blocks[b].high)}`), bottom = run.map((b) => `${x(b)},${y(s.blocks[b].low)}`).reverse();
      group.append(svg("polygon", { class: "range", points: [...top, ...bottom].join(" ") }));
      group.append(svg("polyline", { class: "curve", points: run.map((b) => `${x(b)},${y(s.blocks[b].mean)}`).join(" ") }));
    }
    const every = Math.ceil(s.blocks.length / 12);
    s.blocks.forEach((p, b) => { if (p.n && b % every === 0) group.append(markOf(s.method, x(b), y(p.mean).toFixed(1))); });
    root.append(group);
  }
}

function layerPlot(name, series, width) {
  const blocks = series[0].blocks.length, left = 46, right = width - 10, top = 8, bottom = layerHeight - 24;
  const high = Math.max(...series.flatMap((s) => s.blocks.map((p) => p.high)).filter(Number.isFinite)) * 1.05 || 1;
  const x = (b) => (blocks > 1 ? left + 8 + (b / (blocks - 1)) * (right - left - 16) : (left + right) / 2);
  const y = (v) => bottom - (v / high) * (bottom - top);
  const root = svg("svg", { width, height: layerHeight, viewBox: `0 0 ${width} ${layerHeight}`, tabindex: 0, role: "img",
    "aria-label": `${name}: error by block; arrow keys move along the blocks` });
  for (const t of ticks(0, high, false, 4)) {
    root.append(svg("line", { class: "axis", x1: left, x2: right, y1: y(t), y2: y(t) }),
      svg("text", { class: "soft", x: left - 5, y: y(t) + 4, "text-anchor": "end" }, tickText(t)));
  }
  const step = Math.max(1, Math.ceil(blocks / 10));
  for (let b = 0; b < blocks; b += step) root.append(svg("text", { class: "soft", x: x(b), y: layerHeight - 7, "text-anchor": "middle" }, String(b)));
  drawSeries(root, series, x, y);
  const cursor = svg("line", { class: "cursor", y1: top, y2: bottom, visibility: "hidden" });
  root.append(cursor);
  let at = 0;
  const show = (b) => {
    at = Math.max(0, Math.min(blocks - 1, b));
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(at));
    cursor.setAttribute("visibility", "visible");
    showDetail(`${name}, block ${at}:`, layerText(series, at));
  };
  const point = (event) => {
    const place = event.clientX - root.getBoundingClientRect().left;
    show(blocks > 1 ? Math.round(((place - left - 8) / (right - left - 16)) * (blocks - 1)) : 0);
  };
  root.addEventListener("pointermove", point);
  root.addEventListener("click", point);
  root.addEventListener("focus", () => show(at));
  root.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!move) return;
    event.preventDefault();
    show(at + move);
  });
  return root;
}

addView({
  id: "layers", title: "Layers", needs: "layers",
  draw(main, data) {
    if (!data) {
      main.append(h("p", null, "No variant has a layer-wise error: it needs a method that gathers the Gram matrix of each linear's inputs, as sparsegpt does."));
      return;
    }
    const area = h("div");
    const redraw = () => {
      const list = chosenSettings(layerFields).filter((s) => !s.plain);
      const first = list.length ? layerSeries(data, list, 0) : [];
      const n = first.length ? Math.max(...first.flatMap((s) => s.blocks.map((p) => p.n))) : 0;
      const silent = [...new Set(list.map((s) => s.method))].filter((m) => !first.some((f) => f.method === m));
      const panels = data.linears.map((name, k) => {
        const panel = h("section", { class: "panel", style: `min-height: ${layerHeight + 30}px` });
        return lazily(panel, () => {
          const series = layerSeries(data, list, k).filter((s) => s.blocks.some((p) => p.n));
          panel.replaceChildren(h("h3", null, name), series.length ? layerPlot(name, series, panel.clientWidth) : h("p", null, "No value."));
        });
      });
      area.replaceChildren(methodLegend(list.filter((s) => first.some((f) => f.method === s.method))),
        h("p", { class: "note" }, silent.length ? `No value: ${silent.join(", ")}. ` : "", `Line: mean over ${plural(n, "variant")} per method (fewer where a block says so); shade: least to most. Across: block, from 0.`),
        h("div", { class: "panels narrow" }, ...panels));
    };
    const sets = [...new Set(settings.filter((s) => !s.plain).flatMap((s) => [...s.rows.keys()]))];
    main.append(h("p", { class: "note" }, "Relative error of each linear's output on its calibration inputs (Frobenius norms), by block. Methods that do not gather the inputs' Gram matrix have none."));
    main.append(filterBar(layerFields, ["model", "sparsity", "samples", "length", "propagate"],
      sets.length > 1 ? [["calibration", [[all, "all sets"], ...sets.map((s) => [s, s])]]] : [], redraw), area);
    redraw();
  },
});
