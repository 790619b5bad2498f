/* Agreement of masks: intersection over union of the removed weights, between variants that differ
   in calibration set and draw alone. */
function overlapTitle(group) {
  const setting = settings.find((s) => [...s.rows.values()].some((list) => list.includes(variants[group.variants[0]])));
  return settingTitle(setting);
}

/* i < j into the upper triangle's list. */
function pairIndex(i, j, n) {
  return i * n - (i * (i + 1)) / 2 + (j - i - 1);
}

function meanOf(list) {
  const s = spreadOf(list.filter((x) => x !== null));
  return { ...s, pairs: list.length };
}

/* Calibration set × calibration set: mean over pairs of draws, a variant never with itself. */
function overlapSets(group) {
  const members = group.variants.map((v) => variants[v]), n = members.length;
  const names = [...new Set(members.map((v) => v.calibration))];
  const lists = names.map(() => names.map(() => ({ iou: [], chance: [] })));
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      const a = names.indexOf(members[i].calibration), b = names.indexOf(members[j].calibration), k = pairIndex(i, j, n);
      for (const cell of a === b ? [lists[a][b]] : [lists[a][b], lists[b][a]]) {
        cell.iou.push(group.iou[k]);
        cell.chance.push(group.chance[k]);
      }
    }
  }
  return { names, cells: lists.map((row) => row.map((c) => ({ iou: meanOf(c.iou), chance: meanOf(c.chance) }))) };
}

function overlapTable(group, title, low) {
  const { names, cells } = overlapSets(group);
  const body = names.map((name, a) => h("tr", null, h("th", { scope: "row", title: name }, calibrationName(name)),
    ...names.map((_, b) => {
      const { mean, n } = cells[a][b].iou, share = n ? Math.max(0, (mean - low) / (1 - low)) : 0;
      return h("td", { class: n ? null : "absent", tabindex: -1, "data-pair": `${a} ${b}`,
        style: n ? `--hue: var(--gain); --share: ${(100 * share).toFixed(0)}%` : null }, n ? fixed(mean, 3) : missing);
    })));
  const table = h("table", { class: "heat" }, h("thead", null, h("tr", null, h("th", null, ""),
    ...names.map((name) => h("th", { scope: "col" }, ...breakable(calibrationName(name)))))), h("tbody", null, ...body));
  roving(table, "td[data-pair]", () => names.length);
  details(table, "td[data-pair]", (td) => {
    const [a, b] = td.dataset.pair.split(" ").map(Number), { iou, chance } = cells[a][b];
    const text = iou.n ? `mean ${fixed(iou.mean, 4)}, standard deviation ${fixed(iou.sd, 4)} over ${plural(iou.n, "pair")} of draws; by chance ${fixed(chance.mean, 3)}`
      : "no pair: the set has one draw with masks";
    return [`${title}, ${names[a]} with ${names[b]}:`, text];
  });
  return scrollBox(table, `${title}: overlap of calibration sets`);
}

/* Every variant with every other, a square each. */
function overlapCanvas(group, title, low, width) {
  const n = group.variants.length, size = Math.max(2, Math.min(18, Math.floor(width / n)));
  const ratio = window.devicePixelRatio || 1, style = getComputedStyle(document.documentElement);
  const canvas = h("canvas", { width: n * size * ratio, height: n * size * ratio, tabindex: 0, role: "img",
    style: `width: ${n * size}px`, "aria-label": `${title}: overlap of every pair of variants; arrow keys move, the line below says the value` });
  const pen = canvas.getContext("2d"), colour = (name) => style.getPropertyValue(name).trim();
  pen.scale(ratio, ratio);
  const iou = (i, j) => (i === j ? 1 : group.iou[pairIndex(Math.min(i, j), Math.max(i, j), n)]);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const value = iou(i, j);
      pen.globalAlpha = 1;
      pen.fillStyle = colour(value === null ? "--absent" : "--neutral");
      pen.fillRect(j * size, i * size, size, size);
      pen.globalAlpha = value === null ? 0 : Math.max(0, (value - low) / (1 - low));
      pen.fillStyle = colour("--gain");
      pen.fillRect(j * size, i * size, size, size);
    }
  }
  const at = [0, 0], name = (i) => `${calibrationName(variants[group.variants[i]].calibration)} draw ${variants[group.variants[i]].draw}`;
  const say = () => showDetail(`${title}, ${name(at[0])} with ${name(at[1])}:`, at[0] === at[1] ? "itself" : fixed(iou(...at), 4));
  const point = (event) => {
    const box = canvas.getBoundingClientRect(), clamp = (x) => Math.max(0, Math.min(n - 1, Math.floor(x * n)));
    at[0] = clamp((event.clientY - box.top) / box.height);
    at[1] = clamp((event.clientX - box.left) / box.width);
    say();
  };
  canvas.addEventListener("pointermove", point);
  canvas.addEventListener("click", point);
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    at[0] = Math.max(0, Math.min(n - 1, at[0] + step[0]));
    at[1] = Math.max(0, Math.min(n - 1, at[1] + step[1]));
    say();
  });
  return canvas;
}

/* Names without what all of them start and end with, up to their dots. */
function distinctParts(names) {
  const parts = names.map((n) => n.split("."));
  const shortest = Math.min(...parts.map((p) => p.length)) - 1;
  let start = 0, end = 0;
  while (start < shortest && parts.every((p) => p[start] === parts[0][start])) start++;
  while (start + end < shortest && parts.every((p) => p.at(-1 - end) === parts[0].at(-1 - end))) end++;
  return parts.map((p) => p.slice(start, p.length - end).join("."));
}

function overlapTensors(group, title) {
  const short = distinctParts(group.tensors);
  return bigTable(`${title}: per linear`, [
    { title: "tensor", value: (i) => group.tensors[i], text: (i) => short[i] },
    { title: "between sets", number: true, value: (i) => group.between[i], text: (i) => fixed(number(group.between[i]), 3) },
    { title: "pairs", number: true, value: (i) => group.between_pairs[i] },
    { title: "between draws of a set", number: true, value: (i) => group.within[i], text: (i) => fixed(number(group.within[i]), 3) },
    { title: "pairs", number: true, value: (i) => group.within_pairs[i] }], group.tensors.length);
}

function overlapPanel(panel, group, title, low) {
  const chance = spreadOf(group.chance.filter((x) => x !== null)).mean;
  panel.replaceChildren(h("h3", null, title),
    h("p", { class: "note" }, `${plural(group.variants.length, "variant")} with masks; masks drawn at random would agree to ${fixed(chance, 3)}.`),
    overlapTable(group, title, low),
    h("details", null, h("summary", null, "Every pair of draws"), overlapCanvas(group, title, low, panel.clientWidth)),
    h("details", null, h("summary", null, "Per linear"), overlapTensors(group, title)));
}

addView({
  id: "overlap", title: "Mask overlap", needs: "overlap",
  draw(main, data) {
    if (!data) {
      main.append(h("p", null, "This results file holds no masks of variants that could be compared. To get them, set ",
        h("code", null, "store: {masks: true}"), " in the experiment's file and run it."));
      return;
    }
    const values = data.groups.flatMap((g) => g.iou).filter((x) => x !== null);
    const low = values.reduce((a, b) => Math.min(a, b), 1), scale = low < 0.95 ? low : 0.95;
    main.append(h("p", { class: "note" }, "Intersection over union of the weights that two masks remove, over all linears; mean over pairs of draws. On the diagonal: draws of one set with each other."));
    main.append(h("div", { class: "legend" }, h("span", null, fixed(scale, 3), h("i", { class: "ramp one" }), "1 (the same masks)")));
    main.append(h("div", { class: "panels loose" }, ...data.groups.map((g) => {
      const sets = new Set(g.variants.map((v) => variants[v].calibration)).size;
      const panel = h("section", { class: "panel", style: `min-height: 200px; width: min(100%, ${Math.max(590, 130 + 68 * sets)}px)` });
      return lazily(panel, () => overlapPanel(panel, g, overlapTitle(g), scale));
    })));
  },
});
