/* One neuron: its words, its trace through methods and calibration sets, what its output vector is
   near to in the vocabulary. */
const unitFields = ["sparsity", "samples", "length", "propagate"];

function unitWords(base, unit) {
  const list = matchesOf(base, "unit", unit), q = base.matches;
  const column = (title, field, digits) => ({ title, number: true, value: (i) => q[field][list[i]], text: (i) => (digits ? fixed(number(q[field][list[i]]), digits) : significant(number(q[field][list[i]]))) });
  return bigTable("Words of the neuron", [
    { title: "word", value: (i) => base.words.text[q.word[list[i]]] },
    column("score", "score", 2),
    { title: "p", number: true, value: (i) => q.p[list[i]], text: (i) => chanceText(q.p[list[i]]) },
    { title: "passes", value: (i) => (q.found[list[i]] ? "yes" : "no") },
    column("dense activation", "activation", 3),
    { title: "share lost, mean", number: true, value: (i) => lostShare(base, base.losses, list[i]).mean, text: (i) => fixed(lostShare(base, base.losses, list[i]).mean, 3) },
  ], list.length);
}

function unitTraces(area, base, unit) {
  const list = matchesOf(base, "unit", unit), shown = chosenSettings(unitFields).filter((s) => s.model === base.model);
  const panels = list.map((m) => {
    const dense = number(base.matches.activation[m]), word = base.words.text[base.matches.word[m]];
    const rows = lanesOf(shown, base.losses, (l) => l.activation[m]), lanes = rows.reduce((sum, r) => sum + r.lanes.length, 0);
    const panel = h("section", { class: "panel", style: `min-height: ${90 + lanes * laneHeight}px` });
    return lazily(panel, () => panel.replaceChildren(h("h3", null, word), h("p", { class: "note" }, `mean |activation| over the word's tokens; dense ${significant(dense)}`),
      rows.length ? lanePlot({ title: word, dense, open: false, describe: describeLane(dense) }, rows, panel.clientWidth) : h("p", null, "No pruned variant.")));
  });
  area.append(h("h3", null, "Through methods and calibration sets"), methodLegend(shown), h("div", { class: "panels narrow" }, ...panels));
}

function unitFacts(base, unit) {
  const u = base.units, lens = u.lens[unit] ? u.lens[unit].split("\n") : [];
  const facts = [["place", unitName(base, unit)], ["background", `mean |activation| ${significant(number(u.mean[unit]))}, standard deviation ${significant(number(u.spread[unit]))} over ${plural(base.background, "token")}`],
    ["vocabulary", lens.length ? h("span", null, ...lens.map((w) => h("span", { class: "lens" }, w))) : missing]];
  return h("dl", null, ...facts.flatMap(([name, value]) => [h("dt", null, name), h("dd", null, value)]));
}

/* Units that were left out of matching. */
function unitsApart(base) {
  const a = base.apart;
  if (!a.block.length) return "";
  return h("details", null, h("summary", null, `${plural(a.block.length, "unit")} left out of matching`), bigTable("Units left out", [
    { title: "block", number: true, value: (i) => a.block[i] }, { title: "unit", number: true, value: (i) => a.unit[i] },
    { title: "why", value: (i) => a.kind[i] }, { title: "mean", number: true, value: (i) => a.mean[i], text: (i) => significant(number(a.mean[i])) },
    { title: "standard deviation", number: true, value: (i) => a.spread[i], text: (i) => significant(number(a.spread[i])) }], a.block.length));
}

addView({
  id: "unit", title: "A neuron", needs: "attribution", optional: true,
  draw(main, raw) {
    const data = loadAttribution(raw), area = h("div"), bars = h("div");
    if (!goodBases(data).length) {
      main.append(attributionFailures(data) || h("p", null, "No word was matched with a neuron."));
      return;
    }
    const redraw = () => {
      const base = data.bases[Number(chosen.base)], best = new Map();
      base.matches.unit.forEach((u, m) => { if (!(best.get(u) >= base.matches.score[m])) best.set(u, base.matches.score[m]); });
      const list = [...best.keys()].sort((a, b) => best.get(b) - best.get(a));
      const label = (u) => `${unitName(base, u)}: ${matchesOf(base, "unit", u).map((m) => base.words.text[base.matches.word[m]]).join(", ")}`;
      bars.replaceChildren(filterBar(unitFields, unitFields, [["unit", list.map((u) => [u, label(u)])]], redraw));
      const unit = Number(chosen.unit);
      area.replaceChildren(unitFacts(base, unit), h("h3", null, "Its words"), unitWords(base, unit));
      unitTraces(area, base, unit);
      area.append(unitsApart(base));
    };
    main.append(h("p", { class: "note" }, "One MLP unit of the dense model: the words that it answers to, how loud it still is in each pruned model (a mark per draw), and the vocabulary words that its output vector points at through the model's head."));
    main.append(filterBar([], [], [baseChoice(data)], redraw), bars, area);
    redraw();
  },
});
