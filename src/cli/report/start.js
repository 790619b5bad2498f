/* The header, the list of views, and opening one by the address's fragment. */
function showHeader() {
  const p = report.provenance, name = p.experiment_name || report.file;
  document.title = `${name}: Espalier report`;
  document.getElementById("title").textContent = name;
  const counts = [0, 0, 0, 0];
  for (const s of report.cells.status) counts[Math.max(1, states.indexOf(s))]++;
  const parts = [plural(variants.length, "variant"), plural(report.datasets.length, "data set"), `${plural(counts[3], "cell")} done`];
  if (counts[2]) parts.push(`${counts[2].toLocaleString("en")} failed`);
  if (counts[1]) parts.push(`${counts[1].toLocaleString("en")} pending`);
  document.getElementById("summary").textContent = parts.join(", ");
}

/* Views whose data few files hold are there with it alone. */
function shownViews() {
  return views.filter((view) => !view.optional || document.getElementById("data-" + view.needs));
}

function showViews() {
  document.getElementById("views").append(...shownViews().map((view) => h("a", { href: "#" + view.id }, view.title,
    view.count ? h("span", { class: "count" }, " " + view.count().toLocaleString("en")) : null)));
}

function openView(moved) {
  const id = decodeURIComponent(location.hash.slice(1));
  if (id === "view") return; /* the link to the content */
  const view = shownViews().find((v) => v.id === id) || views[0];
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === "#" + view.id) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const main = document.getElementById("view");
  hideDetail();
  main.replaceChildren(h("h2", null, view.title));
  view.draw(main, view.needs ? block(view.needs) : null);
  if (moved) window.scrollTo(0, 0);
}

loadModel();
showHeader();
showViews();
openView(false);
window.addEventListener("hashchange", () => openView(true));
/* a new width: plots have a size in pixels */
let lastWidth = window.innerWidth;
window.addEventListener("resize", () => {
  if (window.innerWidth === lastWidth) return;
  lastWidth = window.innerWidth;
  clearTimeout(openView.timer);
  openView.timer = setTimeout(() => openView(false), 150);
});
requestAnimationFrame(() => { document.documentElement.dataset.ready = performance.now().toFixed(0); });
