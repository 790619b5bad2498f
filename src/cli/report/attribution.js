/* What the views of attributions share: bases (the dense model on a data set), losses (a pruned
   variant on one), and choices among them. */
Object.assign(fieldTitles, { base: "Data set", word: "Word", unit: "Neuron", pruned: "Pruned by", show: "Show", found: "Matches" });

/* Bases by index, with their losses that are of the same words and matches. */
function loadAttribution(data) {
  if (data.ready) return data;
  data.models = [...new Set(data.bases.map((b) => b.model))];
  data.bases.forEach((b, index) => {
    b.index = index;
    b.title = data.models.length > 1 ? `${b.dataset}, ${b.model}` : b.dataset;
    b.losses = [];
  });
  data.losses.forEach((l, index) => {
    l.index = index;
    l.of = variants[l.variant];
    if (l.base >= 0 && !l.failed) data.bases[l.base].losses.push(l);
  });
  data.ready = true;
  return data;
}

function goodBases(data) {
  return data.bases.filter((b) => !b.failed && b.matches.word.length);
}

/* What could not be attributed, in one line; null where all could. */
function attributionFailures(data) {
  const bad = [...data.bases, ...data.losses].filter((x) => x.failed);
  if (!bad.length) return null;
  const reasons = [...new Set(bad.map((x) => (x.error.startsWith(x.dataset) ? x.error : `${x.dataset}: ${x.error}`)))];
  const few = reasons.slice(0, 3).join("; ");
  return h("p", { class: "note" }, `${plural(bad.length, "attribution")} failed (${few}${reasons.length > 3 ? `; ${reasons.length - 3} more reasons` : ""}).`);
}

/* A probability under the null, which may be too small for a number. */
function chanceText(p) {
  if (p === null) return missing;
  if (p === 0) return "< 1e−300";
  return (p < 0.001 ? p.toExponential(1) : String(Number(p.toPrecision(2)))).replace("-", "−");
}

function unitName(base, unit) {
  return `block ${base.units.block[unit]}, unit ${base.units.unit[unit]}`;
}

function baseChoice(data) {
  return ["base", goodBases(data).map((b) => [b.index, b.title])];
}

/* Indices of matches of a word or unit, as their base lists them. */
function matchesOf(base, field, index) {
  return base.matches.word.map((_, m) => m).filter((m) => base.matches[field][m] === index);
}

function variantTitle(v) {
  const setting = settings.find((s) => settingFields.every((f) => s[f] === v[f]));
  const name = setting ? settingTitle(setting) : v.method;
  return v.calibration === "" ? name : `${name}, ${v.calibration} draw ${v.draw}`;
}

/* A number per variant of the settings in list as the rows of lanePlot: calibration sets with a lane
   per method. of(loss) may be null. */
function lanesOf(list, losses, of) {
  const byVariant = new Map(losses.map((l) => [l.variant, l])), rows = new Map();
  for (const setting of list) {
    for (const [name, members] of setting.rows) {
      const known = members.filter((v) => byVariant.has(v.index));
      if (!known.length) continue;
      const cell = { planned: members.length, failed: 0, values: [], draws: [] };
      for (const v of known) {
        const value = number(of(byVariant.get(v.index)));
        if (Number.isNaN(value)) continue;
        cell.values.push(value);
        cell.draws.push(v.draw);
      }
      Object.assign(cell, spreadOf(cell.values));
      if (!rows.has(name)) rows.set(name, { name: calibrationName(name), lanes: [] });
      rows.get(name).lanes.push({ setting, cell });
    }
  }
  return [...rows.entries()].sort((a, b) => (a[0] === "") - (b[0] === "")).map(([, row]) => row);
}

/* "mean 0.21, standard deviation 0.02; values 0.2 (draw 0), ...; dense 2.5" */
function describeLane(dense) {
  return (cell) => {
    if (!cell.n) return "no value";
    const parts = [`${countText(cell)}: mean ${significant(cell.mean)}${cell.n > 1 ? `, standard deviation ${significant(cell.sd)}` : ""}`];
    if (cell.n > 1) parts.push(`values ${cell.values.map((x, i) => `${significant(x)} (draw ${cell.draws[i]})`).join(", ")}`);
    if (Number.isFinite(dense)) parts.push(`dense ${significant(dense)}`);
    return parts.join("; ");
  };
}

/* Goes to a view with choices made. */
function goTo(view, choices) {
  for (const [name, value] of Object.entries(choices)) chosen[name] = String(value);
  location.hash = view;
}
