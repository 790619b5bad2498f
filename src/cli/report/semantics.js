/* Does the loss of matched neurons go with the drop in accuracy? Beside it the two plain rivals. */
const semanticFields = ["model", "method", "sparsity", "samples", "length", "propagate"];
const rivals = [
  ["NSA loss", (l) => number(l.loss)],
  ["layer output error", (l) => number(l.layer_error)],
  ["log perplexity increase", (l, base) => Math.log(number(l.perplexity) / number(base.perplexity))]];

/* Ranks from 1, ties sharing their mean. */
function ranksOf(values) {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]), ranks = new Array(values.length);
  for (let i = 0, end; i < order.length; i = end) {
    for (end = i; end < order.length && values[order[end]] === values[order[i]];) end++;
    for (let k = i; k < end; k++) ranks[order[k]] = (i + end + 1) / 2;
  }
  return ranks;
}

/* Equal drops are equal, whatever their subtraction left behind. */
const rounded = (x) => Math.round(x * 2 ** 40) / 2 ** 40;

function spearman(x, y) {
  const a = ranksOf(x), b = ranksOf(y), n = a.length, mean = (n + 1) / 2;
  let ab = 0, aa = 0, bb = 0;
  for (let i = 0; i < n; i++) {
    ab += (a[i] - mean) * (b[i] - mean);
    aa += (a[i] - mean) ** 2;
    bb += (b[i] - mean) ** 2;
  }
  return n > 2 && aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : NaN;
}

function semanticPoints(data) {
  const shown = new Set(chosenSettings(semanticFields).flatMap((s) => [...s.rows.values()].flat()).map((v) => v.index));
  return data.bases.filter((b) => chosen.linked === all || String(b.index) === chosen.linked)
    .flatMap((base) => base.losses.filter((l) => shown.has(l.variant)).map((l) => ({ base, l, drop: rounded(number(base.accuracy) - number(l.accuracy)) })))
    .filter((p) => Number.isFinite(p.drop));
}

function scatterPlot(name, points, width) {
  const height = 260, left = 46, right = width - 8, top = 8, bottom = height - 24;
  const x = axisOf(points.map((p) => p.x), false, left + 6, right - 6), y = axisOf(points.map((p) => p.drop).concat(0), false, bottom - 6, top + 6);
  const root = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `${name} and drop in accuracy` });
  for (const t of ticks(y.low, y.high, false, 5)) {
    root.append(svg("line", { class: "axis", x1: left, x2: right, y1: y.position(t), y2: y.position(t) }),
      svg("text", { class: "soft", x: left - 5, y: y.position(t) + 4, "text-anchor": "end" }, tickText(t)));
  }
  for (const t of ticks(x.low, x.high, false, Math.max(2, Math.floor((right - left) / 70)))) {
    root.append(svg("text", { class: "soft", x: x.position(t), y: height - 7, "text-anchor": "middle" }, tickText(t)));
  }
  root.append(svg("line", { class: "dense", x1: left, x2: right, y1: y.position(0), y2: y.position(0) }));
  const say = (p) => `${significant(p.x)}, accuracy ${fixed(number(p.l.accuracy), 3)} (dense ${fixed(number(p.base.accuracy), 3)}, drop ${fixed(p.drop, 3)})`;
  points.forEach((p, i) => {
    root.append(svg("g", { class: "point", tabindex: -1, "data-point": i, role: "img", "aria-label": `${variantTitle(p.l.of)} on ${p.base.title}: ${say(p)}` },
      markOf(p.l.of.method, x.position(p.x), y.position(p.drop).toFixed(1))));
  });
  details(root, ".point", (g) => [`${variantTitle(points[Number(g.dataset.point)].l.of)} on ${points[Number(g.dataset.point)].base.title}:`, `${name} ${say(points[Number(g.dataset.point)])}`]);
  roving(root, ".point", () => 1);
  return root;
}

function scatterPanel(panel, name, points) {
  const rho = spearman(points.map((p) => p.x), points.map((p) => p.drop));
  panel.replaceChildren(h("h3", null, name), h("p", { class: "note" }, `Spearman ${fixed(rho, 3)} over ${plural(points.length, "point")}`),
    points.length ? scatterPlot(name, points, panel.clientWidth) : h("p", null, "No value to draw."));
}

function causalTable(bases) {
  const rows = bases.flatMap((b) => b.causal.set.map((_, i) => ({ b, i }))), q = (k) => rows[k].b.causal;
  const real = (title, field) => ({ title, number: true, value: (k) => q(k)[field][rows[k].i], text: (k) => signed(number(q(k)[field][rows[k].i]), 3) });
  return bigTable("Units zeroed in the dense model", [
    { title: "data set", value: (k) => rows[k].b.title },
    { title: "zeroed", value: (k) => (q(k).set[rows[k].i] === 0 ? "matched" : `random ${q(k).set[rows[k].i]}`) },
    { title: "units", number: true, value: (k) => q(k).units[rows[k].i] },
    real("accuracy", "accuracy_change"), real("95 % from", "accuracy_low"), real("to", "accuracy_high"),
    real("gold", "gold_change"), real("95 % from", "gold_low"), real("to", "gold_high")], rows.length);
}

function lossTable(points) {
  const real = (title, of, digits) => ({ title, number: true, value: (i) => of(points[i]), text: (i) => fixed(number(of(points[i])), digits) });
  return bigTable("Losses", [
    { title: "pruned by", value: (i) => variantTitle(points[i].l.of) },
    { title: "data set", value: (i) => points[i].base.title },
    real("NSA loss", (p) => p.l.loss, 4), real("drop in accuracy", (p) => p.drop, 3),
    real("drop in gold", (p) => number(p.base.gold) - number(p.l.gold), 3),
    real("restored by patching", (p) => p.l.restored, 3), real("95 % from", (p) => p.l.restored_low, 3), real("to", (p) => p.l.restored_high, 3),
    real("layer error", (p) => p.l.layer_error, 4), real("perplexity", (p) => p.l.perplexity, 2),
    { title: "dead units", number: true, value: (i) => points[i].l.dead.reduce((a, b) => a + b, 0) },
    { title: "dead, dense", number: true, value: (i) => points[i].base.dead.reduce((a, b) => a + b, 0) }], points.length);
}

addView({
  id: "semantics", title: "Semantic loss", needs: "attribution", optional: true,
  draw(main, raw) {
    const data = loadAttribution(raw), area = h("div"), bases = goodBases(data);
    const redraw = () => {
      const points = semanticPoints(data), list = chosenSettings(semanticFields);
      const panels = rivals.map(([name, of]) => {
        const panel = h("section", { class: "panel", style: "min-height: 320px" });
        const own = points.map((p) => ({ ...p, x: of(p.l, p.base) })).filter((p) => Number.isFinite(p.x));
        return lazily(panel, () => scatterPanel(panel, name, own));
      });
      const causal = bases.filter((b) => b.causal.set.length && (chosen.linked === all || String(b.index) === chosen.linked));
      area.replaceChildren(methodLegend(list), h("div", { class: "panels narrow" }, ...panels), h("h3", null, "Every variant and data set"), lossTable(points),
        h("h3", null, "Units zeroed in the dense model"), causal.length ? causalTable(causal) : h("p", null, "Not asked for."));
    };
    fieldTitles.linked = "Data set";
    main.append(h("p", { class: "note" }, "A mark per pruned variant and data set: the drop in accuracy (upwards) against the NSA loss, and beside it against two plain measures of damage. A measure that explains the drop better has the higher Spearman correlation; over several data sets it also sees how they differ."), attributionFailures(data) || "");
    main.append(filterBar(semanticFields, ["model"], bases.length > 1 ? [["linked", [[all, "all"], ...bases.map((b) => [b.index, b.title])]]] : [], redraw), area);
    if (bases.length < 2) chosen.linked = all;
    redraw();
  },
});
