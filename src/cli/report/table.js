/* A table of any length: sorted through an index, filtered by words, a page of rows in the
   document at a time. */
const pageRows = 100;
const fewRows = 20; /* up to here neither filter nor pages pay */

/* column: {title, value(i) -> number or text, text(i) (default: the value), number: bool, long} */
function compareBy(column, direction) {
  return (a, b) => {
    const x = column.value(a), y = column.value(b);
    if (column.number) { /* what is missing stays at the end */
      const nx = x === null || Number.isNaN(x), ny = y === null || Number.isNaN(y);
      if (nx || ny) return nx - ny || a - b;
      return direction * (x < y ? -1 : x > y ? 1 : 0) || a - b;
    }
    return direction * (x < y ? -1 : x > y ? 1 : 0) || a - b;
  };
}

function cellText(column, i) {
  if (column.text) return column.text(i);
  const value = column.value(i);
  return value === null || value === "" ? missing : String(value);
}

function bodyRow(columns, i) {
  return h("tr", null, ...columns.map((c, k) => {
    const text = cellText(c, i);
    const kind = (c.number ? "number" : "") + (c.long ? " long" : "") + (text === "failed" ? " state-failed" : "");
    return h(k ? "td" : "th", k ? { class: kind || null } : { scope: "row", title: text }, text);
  }));
}

/* label names the table to a screen reader. */
function bigTable(label, columns, count) {
  const state = { order: Uint32Array.from({ length: count }, (_, i) => i), rows: null, page: 0, by: -1, direction: 1, words: [] };
  const body = h("tbody"), shown = h("span"), headers = [];
  const back = h("button", { type: "button", onclick: () => turn(-1) }, "Previous");
  const next = h("button", { type: "button", onclick: () => turn(1) }, "Next");
  function select() {
    if (!state.words.length) state.rows = state.order;
    else {
      state.rows = state.order.filter((i) => {
        const line = columns.map((c) => cellText(c, i)).join(" ").toLowerCase();
        return state.words.every((w) => line.includes(w));
      });
    }
    state.page = 0;
    draw();
  }
  function draw() {
    const from = state.page * pageRows, to = Math.min(from + pageRows, state.rows.length);
    body.replaceChildren(...Array.from(state.rows.subarray(from, to), (i) => bodyRow(columns, i)));
    shown.textContent = state.rows.length ? `${from + 1} to ${to} of ${state.rows.length.toLocaleString("en")}` : "no row";
    back.disabled = state.page === 0;
    next.disabled = to >= state.rows.length;
  }
  function turn(step) {
    state.page += step;
    draw();
  }
  function sortBy(k) {
    state.direction = state.by === k ? -state.direction : 1;
    state.by = k;
    state.order = state.order.slice().sort(compareBy(columns[k], state.direction));
    headers.forEach((th, i) => {
      if (i === k) th.setAttribute("aria-sort", state.direction > 0 ? "ascending" : "descending");
      else th.removeAttribute("aria-sort");
      th.querySelector("span").textContent = i !== k ? "" : state.direction > 0 ? " ▲" : " ▼";
    });
    select();
  }
  columns.forEach((c, k) => headers.push(h("th", { scope: "col", class: c.number ? "number" : null },
    h("button", { type: "button", onclick: () => sortBy(k) }, c.title, h("span", { "aria-hidden": true })))));
  const input = h("input", { type: "search", placeholder: "words that a row must have", oninput: () => {
    state.words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    select();
  } });
  select();
  return h("div", null,
    count > fewRows ? h("div", { class: "filters" }, h("label", null, "Filter", input)) : null,
    scrollBox(h("table", null, h("thead", null, h("tr", null, ...headers)), body), label),
    count > fewRows ? h("div", { class: "pager" }, ...(count > pageRows ? [back, next] : []), shown) : null);
}
