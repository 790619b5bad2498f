/* All numbers, and all that failed. */
function variantColumns(of) {
  const text = (title, field, value) => ({ title, value: (i) => (value ? value(of(i)) : of(i)[field]) });
  const count = (title, field, absent) => ({ title, number: true, value: (i) => (of(i)[field] === absent ? null : of(i)[field]) });
  const columns = [text("method", "method"), text("sparsity", "sparsity"),
    text("calibration", "", (v) => (v.dense || v.calibration === "" ? "" : v.calibration)),
    count("draw", "draw", -1), count("samples", "samples", 0), count("length", "length", 0)];
  if (varies("propagate")) columns.push(text("propagate", "propagate"));
  columns.push(text("model", "model"));
  return columns;
}

addView({
  id: "variants", title: "Variants", count: () => variants.length,
  draw(main) {
    const of = (i) => variants[i];
    main.append(bigTable("Variants", [...variantColumns(of),
      { title: "status", value: (i) => of(i).status },
      { title: "zeros", number: true, value: (i) => of(i).achieved_sparsity, text: (i) => fixed(number(of(i).achieved_sparsity), 4) },
      { title: "seconds", number: true, value: (i) => of(i).seconds, text: (i) => significant(number(of(i).seconds)) },
      { title: "parameters", value: (i) => of(i).parameters },
      { title: "id", value: (i) => of(i).id }], variants.length));
  },
});

addView({
  id: "metrics", title: "Metrics", count: () => report.values.variant.length,
  draw(main) {
    const r = report.values, of = (i) => variants[r.variant[i]];
    const change = r.variant.map((v, i) => {
      const dense = denseValue(variants[v].model, r.dataset[i], r.metric[i]), value = number(r.value[i]);
      return variants[v].dense ? NaN : report.open[r.metric[i]] ? value / dense : value - dense;
    });
    main.append(h("p", { class: "note" }, "Change is the difference to the dense model; for perplexities and their like, the factor."));
    main.append(bigTable("Metrics", [
      { title: "data set", value: (i) => report.datasets[r.dataset[i]] },
      { title: "metric", value: (i) => report.metrics[r.metric[i]] },
      { title: "value", number: true, value: (i) => r.value[i], text: (i) => metricText(r.metric[i], number(r.value[i])) },
      { title: "std. error", number: true, value: (i) => r.stderr[i], text: (i) => metricText(r.metric[i], number(r.stderr[i])) },
      { title: "change", number: true, value: (i) => change[i], text: (i) => (report.open[r.metric[i]] ? factor(change[i]) : signed(change[i], 3)) },
      { title: "items", number: true, value: (i) => r.items[i] },
      ...variantColumns(of)], r.variant.length));
  },
});

/* Rows of cells without a result; a failed variant's cells repeat its error. */
function badCells() {
  const bad = [];
  report.cells.status.forEach((s, i) => { if (s !== "done") bad.push(i); });
  return bad;
}

addView({
  id: "failures", title: "Failures", count: () => badCells().length,
  draw(main) {
    const bad = badCells(), c = report.cells, of = (i) => variants[c.variant[bad[i]]];
    if (!bad.length) {
      main.append(h("p", null, `All ${plural(c.status.length, "cell")} of the plan are done.`));
      return;
    }
    main.append(h("p", null, `${plural(bad.length, "cell")} of ${c.status.length.toLocaleString("en")} without a result. Means elsewhere leave them out and say so.`));
    main.append(bigTable("Cells without a result", [
      { title: "data set", value: (i) => report.datasets[c.dataset[bad[i]]] },
      { title: "status", value: (i) => c.status[bad[i]] },
      { title: "error", long: true, value: (i) => c.error[bad[i]] },
      ...variantColumns(of)], bad.length));
  },
});
