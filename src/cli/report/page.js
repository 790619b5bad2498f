/* Elements, numbers, the line of detail, and drawing what has come into sight. Text of the results
   only ever becomes text nodes. */
const views = [];

/* {id, title, needs (name of a data block, may be absent), optional: left out without it,
   draw(main, data), count()} */
function addView(view) {
  views.push(view);
}

function block(name) {
  const element = document.getElementById("data-" + name);
  if (!element) return null;
  if (!block.cache) block.cache = {};
  if (!block.cache[name]) block.cache[name] = JSON.parse(element.textContent);
  return block.cache[name];
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((c) => c !== null && c !== undefined));
  return element;
}

function h(tag, properties, ...children) {
  return fill(document.createElement(tag), properties, children);
}

function svg(tag, properties, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
}

const missing = "–";

/* Four significant digits, no exponent below a million. */
function significant(value) {
  if (value === null || Number.isNaN(value)) return missing;
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size >= 1e6) return value.toExponential(2);
  const text = size >= 1000 ? Math.round(value).toString() : value.toPrecision(4);
  return text.replace("-", "−");
}

function fixed(value, digits) {
  if (value === null || Number.isNaN(value)) return missing;
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  return value.toFixed(digits).replace("-", "−");
}

function signed(value, digits) {
  const text = fixed(value, digits);
  if (Number(text.replace("−", "-")) === 0) return (0).toFixed(digits);
  return value > 0 ? "+" + text : text;
}

/* A factor: ×1.05, ×12.3, ×240, ×1.2e5. */
function factor(value) {
  if (value === null || Number.isNaN(value)) return missing;
  if (!Number.isFinite(value)) return "×∞";
  if (value >= 1e4) return "×" + value.toExponential(1).replace("+", "");
  return "×" + (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
}

function metricText(metric, value) {
  return report.open[metric] ? significant(value) : fixed(value, 3);
}

function plural(count, one, many) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many || one + "s"}`;
}

/* Names may break behind their underscores. */
function breakable(text) {
  const parts = text.split(/(?<=[_\-])/);
  return parts.flatMap((part, i) => (i ? [document.createElement("wbr"), part] : [part]));
}

/* Draws a panel when it comes near the window: draw(element) is called once. */
let watcher = null;
const whenSeen = new WeakMap();
function lazily(element, draw) {
  watcher = watcher || new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      watcher.unobserve(entry.target);
      whenSeen.get(entry.target)(entry.target);
    }
  }, { rootMargin: "400px" });
  whenSeen.set(element, draw);
  watcher.observe(element);
  return element;
}

/* Arrow keys move the focus in a grid of cells, of which one is in the tab order. */
function roving(container, selector, columnsOf) {
  const cells = () => [...container.querySelectorAll(selector)];
  const first = container.querySelector(selector);
  if (first) first.tabIndex = 0;
  container.addEventListener("keydown", (event) => {
    const all = cells(), at = all.indexOf(event.target), columns = columnsOf();
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (at < 0 || !step || !all[at + step]) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    all[at + step].tabIndex = 0;
    all[at + step].focus();
  });
}

function scrollBox(child, label) {
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label }, child);
}
