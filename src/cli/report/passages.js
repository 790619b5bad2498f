/* Text coloured by one neuron: what it answers to in the dense model, and in a pruned one below. */
const passagesMost = 12; /* drawn at once */

/* Tokens as pieces of the text; of a character that several tokens share, the first has it. */
function pieces(passage) {
  return passage.starts.slice(0, -1).map((from, i) => passage.text.slice(from, passage.starts[i + 1]));
}

function tokenSpan(piece, value, most, index) {
  const known = value !== null && value !== undefined, share = known && most > 0 ? Math.min(1, Math.abs(value) / most) : 0;
  return h("span", { class: "token", tabindex: -1, "data-token": index, style: `--hue: var(--${value < 0 ? "gain" : "loss"}); --share: ${(100 * share).toFixed(0)}%` }, piece);
}

function passageRow(name, words, values, most, offset) {
  const row = h("p", { class: "passage" });
  words.forEach((piece, i) => { if (piece !== "") row.append(tokenSpan(piece, values[i], most, offset + i)); });
  return h("div", { class: "passage-row" }, h("span", { class: "note" }, name), row);
}

function passagePanel(panel, base, passage, dense, pruned, name) {
  const m = passage.match, word = base.words.text[base.matches.word[m]], unit = base.matches.unit[m];
  const most = dense.reduce((a, x) => Math.max(a, Math.abs(x || 0)), 0), words = pieces(passage), n = words.length;
  const box = h("div", null, passageRow("dense", words, dense, most, 0), pruned ? passageRow(name, words, pruned, most, n) : null);
  details(box, ".token", (span) => {
    const i = Number(span.dataset.token) % n;
    return [`“${words[i].trim() || "␣"}”:`, `dense ${significant(number(dense[i]))}` + (pruned ? `, pruned ${significant(number(pruned[i]))}` : "")];
  });
  roving(box, ".token", () => words.filter((w) => w !== "").length);
  const link = h("a", { href: "#unit", onclick: (event) => { event.preventDefault(); goTo("unit", { base: base.index, unit }); } }, unitName(base, unit));
  panel.replaceChildren(h("h3", null, `${word}: `, link),
    h("p", { class: "note" }, `Item ${passage.item}; score ${significant(number(base.matches.score[m]))}; full colour: ${significant(most)}`), box);
}

addView({
  id: "passages", title: "Neurons in text", needs: "passages", optional: true,
  draw(main, texts) {
    const data = loadAttribution(block("attribution")), area = h("div"), bars = h("div");
    const redraw = () => {
      const base = data.bases[Number(chosen.base)], passages = texts.bases[base.index];
      const names = [...new Set(passages.texts.map((p) => base.matches.word[p.match]))].sort((a, b) => a - b);
      bars.replaceChildren(filterBar([], [], [["word", [[all, "all words"], ...names.map((w) => [w, base.words.text[w]])]],
        ["pruned", [["none", "nothing"], ...base.losses.map((l) => [l.variant, variantTitle(l.of)])]]], redraw));
      if (chosen.pruned === "none" && !redraw.touched && base.losses.length) { /* a pair is what one comes for */
        chosen.pruned = String(base.losses[0].variant);
        bars.querySelector("[name=pruned]").value = chosen.pruned;
      }
      redraw.touched = true;
      const loss = base.losses.find((l) => String(l.variant) === chosen.pruned);
      const list = passages.texts.map((_, e) => e).filter((e) => chosen.word === all || String(base.matches.word[passages.texts[e].match]) === chosen.word);
      area.replaceChildren(h("div", { class: "panels" }, ...list.map((e, i) => {
        const panel = h("section", { class: "panel", style: "min-height: 120px" });
        const draw = () => passagePanel(panel, base, passages.texts[e], passages.dense[e], loss ? texts.losses[loss.index][e] : null, loss ? loss.of.method : "");
        if (i >= passagesMost) return lazily(panel, draw);
        draw();
        return panel;
      })), list.length ? "" : h("p", null, "No passage."));
    };
    main.append(h("p", { class: "note" }, "Every token is coloured by one unit's activation, on one scale per passage: that of the dense model. Touch a token, or go there with the arrow keys (up and down between the models), for the numbers."),
      h("div", { class: "legend" }, h("span", null, "negative", h("i", { class: "ramp both" }), "positive")));
    if (!goodBases(data).length) {
      main.append(attributionFailures(data) || "");
      return;
    }
    main.append(filterBar([], [], [baseChoice(data)], redraw), bars, area);
    redraw();
  },
});
