/* Heat maps: calibration set × data set, one per setting; the change that pruning makes. */
const heatFields = ["model", "method", "sparsity", "samples", "length", "propagate"];

/* Badness of a change: accuracy lost, or the binary logarithm of a perplexity's factor. */
function loss(cell) {
  return cell.open ? Math.log2(cell.change) : -cell.change;
}

/* Rows of a setting's map: its calibration sets, then methods without calibration at the same
   sparsity, for comparison. */
function heatRows(setting, plains) {
  const rows = [...setting.rows.entries()].map(([name, list]) => ({ name: calibrationName(name), list }));
  if (setting.plain) return rows.map((r) => ({ name: setting.method, list: r.list }));
  for (const p of plains) {
    if (p.model === setting.model && p.sparsity === setting.sparsity) {
      rows.push({ name: `(${p.method})`, title: `${p.method}, ${unset}`, list: [...p.rows.values()][0] });
    }
  }
  return rows;
}

/* The end of the colour scale: the 95th percentile of absolute losses, so that one collapse does not
   hide the rest. */
function scaleEnd(losses, least) {
  const sizes = losses.map(Math.abs).filter((x) => Number.isFinite(x)).sort((a, b) => a - b);
  return Math.max(least, sizes.length ? sizes[Math.floor(0.95 * (sizes.length - 1))] : 0);
}

function heatCell(cell, ends, common, index) {
  const value = loss(cell), missingWhole = Number.isNaN(value);
  const partial = cell.planned !== cell.n || (cell.n !== common && common > 0);
  const label = missingWhole
    ? (!cell.planned ? missing : cell.n ? metricText(cell.metric, cell.mean) : cell.failed ? "failed" : "pending")
    : cell.open ? factor(cell.change) : signed(cell.change, 3);
  const share = missingWhole ? 0 : Math.min(1, Math.abs(value) / ends[cell.open ? 1 : 0]);
  const style = missingWhole ? null : `--hue: var(--${value > 0 ? "loss" : "gain"}); --share: ${(100 * share).toFixed(0)}%`;
  const n = cell.planned && partial ? h("small", null, `n = ${cell.n}/${cell.planned}`) : null;
  return h("td", { class: missingWhole ? "absent" : null, style, tabindex: -1, "data-cell": index }, label, n);
}

/* Data sets by family of metric, so that differences and factors stand apart. */
function heatColumns() {
  const columns = shownDatasets().map((d) => ({ d, metric: metricFor(d) }));
  const open = (c) => (report.open[c.metric] === 1 ? 1 : 0);
  columns.sort((a, b) => open(a) - open(b) || a.d - b.d);
  columns.forEach((c, i) => { c.apart = i > 0 && open(c) !== open(columns[i - 1]); });
  return columns;
}

function heatPanel(panel, map, ends) {
  const cells = map.cells.flat(), planned = cells.filter((c) => c.planned);
  const counts = map.cells.slice(0, map.own).flat().filter((c) => c.planned).map((c) => c.n);
  const common = counts.length ? [...counts].sort((a, b) => a - b)[counts.length >> 1] : 0;
  const body = map.rows.map((row, r) => h("tr", null, h("th", { scope: "row", title: row.title || row.name }, row.name),
    ...map.cells[r].map((cell, k) => {
      const td = heatCell(cell, ends, r < map.own ? common : 0, r * map.columns.length + k);
      if (map.columns[k].apart) td.classList.add("apart");
      return td;
    })));
  const table = h("table", { class: "heat" }, h("thead", null, h("tr", null, h("th", { scope: "col" }, "calibration"),
    ...map.columns.map((c) => h("th", { scope: "col" }, ...breakable(report.datasets[c.d]))))), h("tbody", null, ...body));
  roving(table, "td[data-cell]", () => map.columns.length);
  details(table, "td[data-cell]", (td) => {
    const cell = cells[Number(td.dataset.cell)];
    const row = map.rows[Math.floor(Number(td.dataset.cell) / map.columns.length)];
    return [`${row.title ? `${row.title}, ${map.sparsity}` : `${map.title}, ${row.name}`}, ${report.datasets[cell.dataset]}:`, describeCell(cell)];
  });
  const short = planned.filter((c) => c.n < c.planned).length;
  const note = `n = ${plural(common, "draw")}` + (short ? `; ${plural(short, "cell")} of ${planned.length} with results missing` : "");
  panel.replaceChildren(h("h3", null, map.title), h("p", { class: "note" }, note), scrollBox(table, map.title));
}

function heatLegend(ends, columns) {
  const legend = h("div", { class: "legend" });
  const isOpen = (c) => report.open[c.metric] === 1;
  const add = (low, high) => legend.append(h("span", null, low, h("i", { class: "ramp both" }), high));
  if (columns.some((c) => !isOpen(c))) add(`+${fixed(ends[0], 3)}`, `−${fixed(ends[0], 3)}: difference to dense`);
  if (columns.some(isOpen)) add(factor(2 ** -ends[1]), `${factor(2 ** ends[1])}: over dense`);
  legend.append(h("span", null, h("i", { class: "swatch" }), "no result, or no dense value"));
  return legend;
}

addView({
  id: "heat", title: "Heat maps",
  draw(main) {
    const area = h("div");
    const redraw = () => {
      const shown = chosenSettings(heatFields), plains = shown.filter((s) => s.plain);
      const covered = (p) => shown.some((s) => !s.plain && s.model === p.model && s.sparsity === p.sparsity);
      const columns = heatColumns();
      const maps = shown.filter((s) => !s.plain || !covered(s)).map((s) => {
        const rows = heatRows(s, plains);
        return { title: settingTitle(s), sparsity: s.sparsity, rows, columns, own: s.rows.size,
          cells: rows.map((row) => columns.map((c) => gather(row.list, c.d, c.metric))) };
      });
      const losses = maps.flatMap((m) => m.cells.flat());
      const ends = [0.01, 0.1].map((least, open) => scaleEnd(losses.filter((c) => Number(c.open) === open).map(loss), least));
      const panels = maps.map((m) => {
        const panel = h("section", { class: "panel", style: `min-height: ${90 + 30 * m.rows.length}px; min-width: min(100%, ${110 + 64 * columns.length}px)` });
        return lazily(panel, () => heatPanel(panel, m, ends));
      });
      area.replaceChildren(heatLegend(ends, columns), maps.length ? h("div", { class: "panels loose" }, ...panels) : h("p", null, "No pruned variant matches."));
    };
    main.append(h("p", { class: "note" }, "Mean over draws of the change to the dense model. Orange: lost; blue: gained. n is the number of draws behind a mean; a cell that has another n, or fewer than planned, says so. Touch a cell, or go there with the arrow keys, for the standard deviation and every draw."));
    main.append(filterBar(heatFields, ["model"], [metricChoices()], redraw), area);
    redraw();
  },
});
