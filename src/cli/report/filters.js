/* Choices that several views share: what is chosen in one stands in the next. */
const chosen = {};
const calibratedFields = ["samples", "length", "propagate"]; /* which settings without calibration lack */
const all = "";

const fieldTitles = { model: "Model", method: "Method", sparsity: "Sparsity", samples: "Samples", length: "Length",
  propagate: "Propagate", metric: "Metric", dataset: "Data set", calibration: "Calibration" };

function option(value, text, selected) {
  return h("option", { value, selected }, text);
}

/* One choice; values: [[value, text]]. */
function choice(name, values, changed) {
  const known = values.some(([value]) => String(value) === chosen[name]);
  if (!known) chosen[name] = String(values[0][0]);
  const select = h("select", { name, onchange: () => { chosen[name] = select.value; changed(); } },
    ...values.map(([value, text]) => option(value, text, String(value) === chosen[name])));
  return h("label", null, fieldTitles[name] || name, select);
}

function distinct(field) {
  const values = [];
  for (const s of settings) {
    if (s.plain && calibratedFields.includes(field)) continue;
    if (!values.includes(s[field])) values.push(s[field]);
  }
  return values;
}

/* Choices of the fields in which settings differ. single: fields of which one value is shown at a
   time (pooling or overplotting them would mislead); the others also offer all. extra: further
   choices, [name, values]. */
function filterBar(fields, single, extra, changed) {
  const bar = h("form", { class: "filters", onsubmit: (e) => e.preventDefault() });
  for (const field of fields) {
    const values = distinct(field);
    if (values.length < 2) {
      delete chosen[field];
      continue;
    }
    const options = values.map((v) => [v, v === "" ? missing : String(v)]);
    if (!single.includes(field)) options.unshift([all, "all"]);
    bar.append(choice(field, options, changed));
  }
  for (const [name, values] of extra) bar.append(choice(name, values, changed));
  return bar;
}

/* Settings that the choices leave. */
function chosenSettings(fields) {
  return settings.filter((s) => fields.every((f) => {
    if (chosen[f] === undefined || chosen[f] === all) return true;
    return (s.plain && calibratedFields.includes(f)) || String(s[f]) === chosen[f];
  }));
}

function metricChoices() {
  return ["metric", [["first", "each task's first"], ...report.metrics.map((name, i) => [i, name])]];
}

/* The metric to show for a data set; -1 where it has none of that name. */
function metricFor(dataset) {
  const first = report.firstMetric[dataset];
  if (chosen.metric === undefined || chosen.metric === "first") return first;
  return Number(chosen.metric);
}

function datasetHasMetric(dataset, metric) {
  return metric >= 0 && variants.some((v) => rowOf(v, dataset, metric) >= 0);
}

/* Data sets with the chosen metric, or all when each shows its first. */
function shownDatasets() {
  const every = report.datasets.map((_, d) => d);
  if (chosen.metric === undefined || chosen.metric === "first") return every;
  return every.filter((d) => datasetHasMetric(d, Number(chosen.metric)));
}
