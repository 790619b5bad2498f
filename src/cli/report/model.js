/* The results as the views use them: values by (variant, data set, metric), the dense model of each
   model, and cells: all draws of one calibration set under one setting. */
let report = null; /* the block "main" */
let variants = []; /* one object per variant, with `index` */
let settings = []; /* see makeSettings */
let valueAt = null; /* Int32Array [variant][data set][metric]: row of report.values, -1: none */
let stateAt = null; /* Uint8Array [variant][data set]: of the names below */
const states = ["not planned", "pending", "failed", "done"];

const settingFields = ["model", "method", "sparsity", "samples", "length", "propagate"];

function readVariants() {
  const columns = report.variants;
  variants = columns.id.map((id, index) => {
    const v = { index };
    for (const name of Object.keys(columns)) v[name] = columns[name][index];
    v.propagate = v.propagate || "";
    return v;
  });
}

function readCells() {
  const V = variants.length, D = report.datasets.length, M = report.metrics.length;
  valueAt = new Int32Array(V * D * M).fill(-1);
  stateAt = new Uint8Array(V * D);
  const { values, cells } = report;
  for (let i = 0; i < cells.variant.length; i++) {
    stateAt[cells.variant[i] * D + cells.dataset[i]] = Math.max(1, states.indexOf(cells.status[i]));
  }
  report.firstMetric = new Array(D).fill(-1);
  for (let i = 0; i < values.variant.length; i++) {
    const d = values.dataset[i];
    if (report.firstMetric[d] < 0) report.firstMetric[d] = values.metric[i];
    valueAt[(values.variant[i] * D + d) * M + values.metric[i]] = i;
  }
}

/* Variants that differ in calibration set and draw alone. rows: calibration -> variants. A setting
   without calibration has one row, "". */
function makeSettings() {
  const found = new Map();
  for (const v of variants) {
    if (v.dense) continue;
    const key = JSON.stringify(settingFields.map((f) => v[f]));
    if (!found.has(key)) {
      const setting = { key, plain: v.calibration === "", rows: new Map() };
      for (const f of settingFields) setting[f] = v[f];
      found.set(key, setting);
    }
    const rows = found.get(key).rows;
    if (!rows.has(v.calibration)) rows.set(v.calibration, []);
    rows.get(v.calibration).push(v);
  }
  settings = [...found.values()];
}

function loadModel() {
  report = block("main");
  readVariants();
  readCells();
  makeSettings();
}

/* Row of report.values, -1 without one. */
function rowOf(variant, dataset, metric) {
  return metric < 0 ? -1 : valueAt[(variant.index * report.datasets.length + dataset) * report.metrics.length + metric];
}

const denses = new Map(); /* model -> its dense variant, or null */
function denseOf(model) {
  if (!denses.has(model)) denses.set(model, variants.find((v) => v.dense && v.model === model) || null);
  return denses.get(model);
}

function denseValue(model, dataset, metric) {
  const dense = denseOf(model), row = dense ? rowOf(dense, dataset, metric) : -1;
  return row < 0 ? NaN : number(report.values.value[row]);
}

function number(value) {
  return value === null ? NaN : value;
}

/* Mean and standard deviation (n - 1; NaN below two values). */
function spreadOf(values) {
  const n = values.length;
  const mean = n ? values.reduce((a, b) => a + b, 0) / n : NaN;
  const squares = values.reduce((a, b) => a + (b - mean) ** 2, 0);
  return { n, mean, sd: n > 1 ? Math.sqrt(squares / (n - 1)) : NaN };
}

/* What a list of variants (the draws of a calibration set) has on a data set. Planned counts the
   cells of the plan, and every one that has no value is in failed or pending: none is dropped
   unseen. A change is the difference to the dense model, or for metrics without an upper end
   (perplexities) the factor. */
function gather(list, dataset, metric) {
  const D = report.datasets.length, open = report.open[metric] === 1;
  const cell = { list, dataset, metric, open, planned: 0, failed: 0, pending: 0, values: [], draws: [], items: [] };
  for (const v of list) {
    const state = stateAt[v.index * D + dataset], row = rowOf(v, dataset, metric);
    if (state > 0) cell.planned++;
    if (row >= 0 && report.values.value[row] !== null) {
      cell.values.push(report.values.value[row]);
      cell.items.push(report.values.items[row]);
      cell.draws.push(v.draw);
    } else if (state === 2) cell.failed++;
    else if (state > 0) cell.pending++;
  }
  cell.dense = list.length ? denseValue(list[0].model, dataset, metric) : NaN;
  Object.assign(cell, spreadOf(cell.values));
  const finite = Number.isFinite(cell.dense) && (!open || cell.dense > 0);
  cell.change = !finite ? NaN : open ? cell.mean / cell.dense : cell.mean - cell.dense;
  cell.changeSd = !finite ? NaN : open ? cell.sd / cell.dense : cell.sd;
  return cell;
}

/* "3 of 5 draws (1 failed, 1 pending)" */
function countText(cell) {
  const why = [];
  if (cell.failed) why.push(`${cell.failed} failed`);
  const without = cell.planned - cell.n - cell.failed;
  if (without > 0) why.push(`${without} without a value`);
  return cell.planned === cell.n ? plural(cell.n, "draw") : `${cell.n} of ${plural(cell.planned, "draw")} (${why.join(", ")})`;
}

function describeCell(cell) {
  if (!cell.planned) return "not in the plan";
  const say = (v) => metricText(cell.metric, v);
  const parts = [`${report.metrics[cell.metric] || "no metric"}: ${countText(cell)}`];
  if (cell.n) {
    parts.push(`mean ${say(cell.mean)}`);
    parts.push(cell.n > 1 ? `standard deviation ${say(cell.sd)}` : "no standard deviation of one value");
    if (cell.n > 1) parts.push(`values ${cell.values.map((v, i) => `${say(v)} (draw ${cell.draws[i]})`).join(", ")}`);
    const change = cell.open ? factor(cell.change) : signed(cell.change, 4);
    parts.push(Number.isFinite(cell.dense) ? `dense ${say(cell.dense)}, change ${change}` : "no dense value to compare with");
    const items = [...new Set(cell.items)];
    parts.push(items.length === 1 ? plural(items[0], "item") : `items differ: ${items.join(", ")}`);
  }
  return parts.join("; ");
}

/* Whether settings with calibration differ in a field. */
function varies(field) {
  return new Set(settings.filter((s) => !s.plain).map((s) => s[field])).size > 1;
}

function settingTitle(setting) {
  const parts = [setting.method, setting.sparsity];
  if (new Set(variants.map((v) => v.model)).size > 1) parts.unshift(setting.model);
  if (!setting.plain && varies("samples")) parts.push(`${setting.samples} samples`);
  if (!setting.plain && varies("length")) parts.push(`${setting.length} tokens`);
  if (!setting.plain && varies("propagate") && setting.propagate) parts.push(`propagate ${setting.propagate}`);
  return parts.join(", ");
}

const unset = "no calibration";
function calibrationName(name) {
  return name === "" ? unset : name;
}

/* A method keeps its colour and shape in all views. */
function methodClass(method) {
  const all = [...new Set(settings.map((s) => s.method))];
  return all.indexOf(method) % 6;
}
