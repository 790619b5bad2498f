/* Where the numbers come from, what is complete, and the dense baseline. */
const provenanceFirst = ["experiment_name", "command", "host", "started", "resumed", "espalier_version", "git_revision",
  "mpi", "ranks", "threads", "blas", "onednn", "seed", "precision"];

function provenanceList() {
  const p = report.provenance;
  const names = [...provenanceFirst.filter((n) => n in p), ...Object.keys(p).filter((n) => !provenanceFirst.includes(n) && n !== "experiment")];
  return h("dl", null, ...["file", ...names].flatMap((n) => [h("dt", null, n.replace(/_/g, " ")), h("dd", null, n === "file" ? report.file : p[n])]));
}

/* Per method, sparsity and so on: how many variants, draws and cells there are, and how many done. */
function designTable() {
  const D = report.datasets.length;
  const rows = settings.map((s) => {
    const list = [...s.rows.values()].flat();
    let planned = 0, done = 0, failed = 0;
    for (const v of list) {
      for (let d = 0; d < D; d++) {
        const state = stateAt[v.index * D + d];
        planned += state > 0;
        done += state === 3;
        failed += state === 2;
      }
    }
    const draws = [...s.rows.values()].map((r) => r.length), least = Math.min(...draws), most = Math.max(...draws);
    return { title: settingTitle(s), sets: s.plain ? missing : String(s.rows.size), least, plain: s.plain,
      draws: s.plain ? missing : least === most ? String(least) : `${least} to ${most}`, planned, done, failed };
  });
  return bigTable("Design", [
    { title: "setting", value: (i) => rows[i].title },
    { title: "calibration sets", number: true, value: (i) => Number(rows[i].sets) || null },
    { title: "draws per set", number: true, value: (i) => (rows[i].plain ? null : rows[i].least), text: (i) => rows[i].draws },
    { title: "cells", number: true, value: (i) => rows[i].planned },
    { title: "done", number: true, value: (i) => rows[i].done },
    { title: "failed", number: true, value: (i) => rows[i].failed },
    { title: "pending", number: true, value: (i) => rows[i].planned - rows[i].done - rows[i].failed }], rows.length);
}

function denseTable() {
  const rows = [];
  for (const v of variants.filter((x) => x.dense)) {
    report.datasets.forEach((name, d) => {
      let any = false;
      report.metrics.forEach((metric, m) => {
        const row = rowOf(v, d, m);
        any = any || row >= 0;
        if (row >= 0) rows.push({ v, d, m, row, state: "done" });
      });
      const state = states[stateAt[v.index * report.datasets.length + d]];
      if (!any && state !== "not planned") rows.push({ v, d, m: -1, row: -1, state });
    });
  }
  if (!rows.length) return h("p", null, "The experiment has no dense model, so there are values but no changes.");
  const r = report.values, at = (i, column) => (rows[i].row < 0 ? null : r[column][rows[i].row]);
  return bigTable("Dense baseline", [
    { title: "data set", value: (i) => report.datasets[rows[i].d] },
    { title: "kind", value: (i) => report.kinds[rows[i].d] },
    { title: "metric", value: (i) => (rows[i].m < 0 ? rows[i].state : report.metrics[rows[i].m]) },
    { title: "value", number: true, value: (i) => at(i, "value"), text: (i) => metricText(rows[i].m, number(at(i, "value"))) },
    { title: "std. error", number: true, value: (i) => at(i, "stderr"), text: (i) => metricText(rows[i].m, number(at(i, "stderr"))) },
    { title: "items", number: true, value: (i) => at(i, "items") },
    { title: "model", value: (i) => rows[i].v.model }], rows.length);
}

addView({
  id: "overview", title: "Overview",
  draw(main) {
    main.append(provenanceList());
    if (report.provenance.experiment) {
      main.append(h("details", null, h("summary", null, "The experiment's file"), h("pre", { tabindex: 0 }, report.provenance.experiment)));
    }
    main.append(h("h2", null, "Dense baseline"), denseTable(), h("h2", null, "Design"), designTable());
  },
});
