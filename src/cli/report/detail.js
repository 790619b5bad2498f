/* One line at the bottom of the window says what stands behind a mark: under the pointer, under the
   finger, or under the keyboard's focus. */
function showDetail(heading, text) {
  const box = document.getElementById("detail");
  box.replaceChildren(h("strong", null, heading), " ", text);
  box.hidden = false;
}

function hideDetail() {
  document.getElementById("detail").hidden = true;
}

/* describe(target) gives [heading, text] or null; target is the nearest element that matches. */
function details(container, selector, describe) {
  const show = (event) => {
    const target = event.target.closest(selector);
    const found = target && container.contains(target) && describe(target, event);
    if (found) showDetail(found[0], found[1]);
  };
  for (const kind of ["pointerover", "focusin", "click"]) container.addEventListener(kind, show);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideDetail();
});
