/* Words × neurons: which unit answers to which word, and what pruning took of that. */
const wordShows = [["score", "score"], ["activation", "activation, dense"], ["lost", "share lost by pruning"]];

/* Of a match, over the losses: 1 − pruned / dense, negative where pruning made it louder. */
function lostShare(base, losses, m) {
  const dense = number(base.matches.activation[m]);
  return spreadOf(losses.map((l) => 1 - number(l.activation[m]) / dense).filter(Number.isFinite));
}

function wordValue(base, losses, m) {
  if (chosen.show === "lost") return lostShare(base, losses, m).mean;
  return number(base.matches[chosen.show][m]);
}

function matchText(base, losses, m) {
  const q = base.matches, lost = lostShare(base, losses, m);
  const parts = [`score ${significant(number(q.score[m]))}`, `p ${chanceText(q.p[m])}${q.found[m] ? "" : " (not below the false discovery rate)"}`,
    `dense activation ${significant(number(q.activation[m]))}`];
  if (lost.n) parts.push(`share lost: mean ${fixed(lost.mean, 3)}${lost.n > 1 ? `, standard deviation ${fixed(lost.sd, 3)}` : ""} over ${plural(lost.n, "variant")}`);
  return parts.join("; ");
}

function wordTable(base, losses, kept) {
  const units = [...new Set(kept.map((m) => base.matches.unit[m]))]
    .sort((a, b) => base.units.block[a] - base.units.block[b] || base.units.unit[a] - base.units.unit[b]);
  const column = new Map(units.map((u, k) => [u, k])), W = base.words.text.length, at = new Map();
  for (const m of kept) at.set(base.matches.word[m] * units.length + column.get(base.matches.unit[m]), m);
  const values = kept.map((m) => wordValue(base, losses, m)), most = scaleEnd(values, 1e-9);
  const cell = (m) => {
    if (m === undefined) return h("td", { class: "none" });
    const value = wordValue(base, losses, m), share = Math.min(1, Math.abs(value) / most) || 0;
    return h("td", { tabindex: -1, "data-match": m, class: base.matches.found[m] ? null : "weak",
      style: `--hue: var(--${value < 0 ? "gain" : "loss"}); --share: ${(100 * share).toFixed(0)}%` }, h("span", { class: "hidden" }, significant(value)));
  };
  const head = units.map((u) => h("th", { scope: "col" }, h("a", { href: "#unit", title: unitName(base, u),
    onclick: (event) => { event.preventDefault(); goTo("unit", { base: base.index, unit: u }); } }, `${base.units.block[u]}·${base.units.unit[u]}`)));
  const table = h("table", { class: "heat small" }, h("thead", null, h("tr", null, h("th", { scope: "col" }, "word"), ...head)),
    h("tbody", null, ...Array.from({ length: W }, (_, w) => h("tr", null, h("th", { scope: "row" }, base.words.text[w]),
      ...units.map((_, k) => cell(at.get(w * units.length + k)))))));
  walkCells(table);
  details(table, "td[data-match]", (td) => {
    const m = Number(td.dataset.match);
    return [`${base.words.text[base.matches.word[m]]}, ${unitName(base, base.matches.unit[m])}:`, matchText(base, losses, m)];
  });
  return { table, most, least: Math.min(0, ...values.filter(Number.isFinite)), columns: units.length };
}

/* Arrow keys from one match to the next, over what is empty. */
function walkCells(table) {
  const first = table.querySelector("td[data-match]");
  if (first) first.tabIndex = 0;
  table.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const td = event.target.closest("td[data-match]");
    if (!step || !td) return;
    event.preventDefault();
    let next = null;
    if (step[1]) {
      for (let c = td; c && !next;) {
        c = step[1] > 0 ? c.nextElementSibling : c.previousElementSibling;
        if (c && c.dataset.match !== undefined) next = c;
      }
    } else { /* the nearest match of the next word that has one */
      for (let row = td.parentNode; row && !next;) {
        row = step[0] > 0 ? row.nextElementSibling : row.previousElementSibling;
        const cells = row ? [...row.querySelectorAll("td[data-match]")] : [];
        next = cells.sort((a, b) => Math.abs(a.cellIndex - td.cellIndex) - Math.abs(b.cellIndex - td.cellIndex))[0] || null;
      }
    }
    if (!next) return;
    td.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

function wordsTable(base) {
  const w = base.words, real = (name, digits) => ({ number: true, value: (i) => w[name][i], text: (i) => fixed(number(w[name][i]), digits) });
  return bigTable(`Words of ${base.title}`, [
    { title: "word", value: (i) => w.text[i] },
    { title: "occurrences", number: true, value: (i) => w.occurrences[i] },
    { title: "influence", ...real("influence", 4) },
    { title: "95 % from", ...real("low", 4) },
    { title: "to", ...real("high", 4) },
    { title: "loss, mean over variants", number: true, value: (i) => wordLoss(base, i), text: (i) => fixed(wordLoss(base, i), 3) }], w.text.length);
}

function wordLoss(base, i) {
  return spreadOf(base.losses.map((l) => number(l.word_loss[i])).filter(Number.isFinite)).mean;
}

addView({
  id: "words", title: "Words × neurons", needs: "attribution", optional: true,
  draw(main, raw) {
    const data = loadAttribution(raw), area = h("div"), bad = attributionFailures(data);
    if (!goodBases(data).length) {
      main.append(bad || h("p", null, "No word was matched with a neuron."));
      return;
    }
    const redraw = () => {
      const base = data.bases[Number(chosen.base)];
      const kept = base.matches.word.map((_, m) => m).filter((m) => chosen.found === "all" || base.matches.found[m]);
      const map = wordTable(base, base.losses, kept), title = wordShows.find(([k]) => k === chosen.show)[1];
      const ends = chosen.show === "lost" ? [`−${fixed(map.most, 2)} (louder)`, `${fixed(map.most, 2)} (lost)`] : [`−${significant(map.most)}`, significant(map.most)];
      const signedValues = map.least < 0;
      area.replaceChildren(
        h("div", { class: "legend" }, h("span", null, title), h("span", null, signedValues ? ends[0] : "0", h("i", { class: signedValues ? "ramp both" : "ramp warm" }), ends[1])),
        h("p", { class: "note" }, `${plural(base.words.text.length, "word")} by influence (${base.influence.replace(/_/g, " ")}), ${plural(map.columns, "neuron")} as block·unit; ${plural(base.losses.length, "pruned variant")}; background of ${plural(base.background, "token")}.${chosen.found === "all" ? " A dot marks a match that does not pass the false discovery rate." : ""}`),
        scrollBox(map.table, `Words and neurons of ${base.title}`), h("h3", null, "The words"), wordsTable(base));
    };
    main.append(h("p", { class: "note" }, "Influential words of a data set and the MLP units of the dense model that answer to them. Touch a cell, or go there with the arrow keys; a column's name leads to its neuron."), bad || "");
    main.append(filterBar([], [], [baseChoice(data), ["show", wordShows], ["found", [["found", "that pass the false discovery rate"], ["all", "all"]]]], redraw), area);
    redraw();
  },
});
