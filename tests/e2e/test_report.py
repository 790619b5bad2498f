"""`espalier report` on files made here: the JSON inside, and the page in headless Chromium at 1280 and 390 pixels, where
there is a Chromium (apt-get install chromium). KEEP_SHOTS names a folder for screenshots."""
import html.parser
import math

import browser
from common import *

if not have_h5py():
    skip("h5py is absent (apt-get install python3-h5py)")
import made_results  # noqa: E402


class Blocks(html.parser.HTMLParser):
    """The JSON blocks, and every address that the page would load."""

    def __init__(self, page):
        super().__init__()
        self.blocks, self.addresses, self.at, self.scripts = {}, [], None, 0
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.addresses += [v for k, v in attributes.items() if k in ("src", "href") and not v.startswith(("#", "data:"))]
        self.scripts += tag == "script"
        self.at = attributes.get("id") if attributes.get("type") == "application/json" else None

    def handle_data(self, data):
        if self.at:
            self.blocks[self.at] = self.blocks.get(self.at, "") + data

    def handle_endtag(self, tag):
        self.at = None


def report(path, page, **made):
    count = made_results.make(path, **made)
    run("report", path, "-o", page)
    with open(page, encoding="utf-8") as f:
        text = f.read()
    parsed = Blocks(text)
    expect(not parsed.addresses and "http:" not in text.replace("http://www.w3.org/2000/svg", "") and "https:" not in text,
           f"the page loads something: {parsed.addresses}")
    return count, parsed, {k: json.loads(v) for k, v in parsed.blocks.items()}


def check_data(s):
    count, parsed, data = report(f"{s}/hostile.h5", f"{s}/hostile.html", hostile=True, masks=True, attribution=True)
    expect(parsed.scripts == 6, f"{parsed.scripts} script elements, wanted five blocks of data and the program")
    main = data["data-main"]
    expect(len(main["variants"]["id"]) == count, "variants")
    expect(main["datasets"][0] == made_results.HOSTILE and made_results.HOSTILE in main["variants"]["calibration"], "a name changed")
    expect(made_results.HOSTILE in main["variants"]["error"] and main["provenance"]["experiment_name"] == made_results.HOSTILE, "an error changed")
    import h5py
    with h5py.File(f"{s}/hostile.h5") as f:
        values = f["metrics"]["value"]
        expect(all(abs(a - b) <= 1e-9 * abs(b) for a, b in zip(main["values"]["value"], values)), "values")
        expect([v is None for v in main["values"]["stderr"]] == [math.isnan(x) for x in f["metrics"]["stderr"]], "NaN is null")
        check_overlap(f, main, data["data-overlap"])
        check_attribution(f["attribution"], main, data["data-attribution"], data["data-passages"])
    expect(len(main["cells"]["status"]) == count * 3 and main["cells"]["status"].count("failed") > 3, "cells")
    expect(sum(map(len, data["data-layers"]["relative_error"])) == 6 * (count - 5), "layers")


def check_overlap(f, main, data):
    """The first group's numbers, recomputed."""
    import numpy
    group = data["groups"][0]
    ids = [main["variants"]["id"][i] for i in group["variants"]]
    removed = [numpy.concatenate([~numpy.unpackbits(d[:], axis=1, count=20, bitorder="little").astype(bool).ravel() for d in f[f"masks/{i}"].values()]) for i in ids]
    wanted = [(a & b).sum() / (a | b).sum() for i, a in enumerate(removed) for b in removed[i + 1:]]
    expect(len(wanted) == len(group["iou"]) and max(abs(x - y) for x, y in zip(wanted, group["iou"])) < 1e-3, "overlap")
    expect(len(group["tensors"]) == 2 and min(group["within"]) > max(group["between"]), "draws of a set agree more")


def rows_of(g, name, variant, dataset):
    return [r for r in g[name][:] if (r["variant"].decode(), r["dataset"].decode()) == (variant, dataset)]


def check_attribution(g, main, data, passages):
    """Words, matches and losses as the file has them; tokens cut out of their texts where the file says."""
    expect([b["dataset"] for b in data["bases"]] == [d.decode() for d in g["bases"]["dataset"]], "bases")
    for k, base in enumerate(data["bases"]):
        key = g["bases"]["variant"][k].decode(), base["dataset"]
        expect(base["words"]["text"] == [w["text"].decode() for w in rows_of(g, "words", *key)], "words")
        expect(all(abs(a - b["score"]) < 1e-3 for a, b in zip(base["matches"]["score"], rows_of(g, "matches", *key), strict=True)), "scores")
        examples = rows_of(g, "examples", *key)
        for e, (row, shown, dense) in enumerate(zip(examples, passages["bases"][k]["texts"], passages["bases"][k]["dense"], strict=True)):
            tokens = g["example_tokens"][row["first"]:row["first"] + row["tokens"]]
            wide, at = shown["text"].encode("utf-16-le"), shown["starts"]
            cut = [wide[2 * a:2 * b].decode("utf-16-le") for a, b in zip(at, at[1:])]
            expect(cut == [row["text"][t["start"]:t["end"]].decode() for t in tokens], f"example {e}: {cut}")
            expect(all(abs(a - b) < 0.01 * abs(b) for a, b in zip(dense, tokens["activation"], strict=True)), f"example {e}: activations")
    expect(len(data["losses"]) == len(g["losses"]) == len(passages["losses"]), "losses")
    expect([x["failed"] for x in data["losses"]] == [s == b"failed" for s in g["losses"]["status"]] and any(x["failed"] for x in data["losses"]), "failures")
    for loss, traces, row in zip(data["losses"], passages["losses"], g["losses"][:]):
        expect(main["variants"]["id"][loss["variant"]] == row["variant"].decode() and loss["dataset"] == row["dataset"].decode(), "a loss's variant")
        expect(loss["base"] == (-1 if loss["failed"] else [b["dataset"] for b in data["bases"]].index(loss["dataset"])), "a loss's base")
        expect(loss["failed"] or abs(loss["loss"] - row["loss"]) < 1e-3, "a loss")
        expect(len(traces) == (0 if loss["failed"] else len(data["bases"][loss["base"]]["matches"]["word"])), "traces")
    last = g["traces"][-1]
    wanted = g["trace_tokens"][last["first"]:last["first"] + last["tokens"]]
    expect(all(abs(a - b) <= 0.01 * abs(b) for a, b in zip(passages["losses"][-1][-1], wanted, strict=True)), "a trace")


VIEWS = ["overview", "heat", "spread", "overlap", "layers", "variants", "metrics", "failures"]
ATTRIBUTION_VIEWS = ["passages", "words", "unit", "semantics"]


def look(b, page, name, more=()):
    wanted = VIEWS[:5] + list(more) + VIEWS[5:]
    shots = os.environ.get("KEEP_SHOTS")
    for width, height in ((1280, 900), (390, 844)):
        for dark in (False, True):
            b.size(width, height, dark)
            b.open(f"file://{page}")
            ids = b.js("[...document.querySelectorAll('nav a')].map(a => a.hash.slice(1))")
            expect(ids == wanted, f"views: {ids}")
            for view in ids:
                b.js(f"location.hash = '{view}'")
                b.until(f"document.querySelector('nav [aria-current]').hash == '#{view}'")
                b.settle()
                b.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
                b.settle()
                expect(b.js("document.getElementById('view').textContent.length > 60"), f"{view} is empty")
                over = b.js("document.documentElement.scrollWidth - window.innerWidth")
                expect(over <= 0, f"{name}, {view}: {over} pixels wider than the window of {width}")
                if shots:
                    b.shot(f"{shots}/{name}-{view}-{width}{'-dark' if dark else ''}.png")
    b.js("location.hash = 'heat'")
    b.settle()
    fields = b.js("[...document.querySelectorAll('select')].map(x => x.name)")
    expect("propagate" not in fields and "sparsity" in fields, f"{name}: a choice is offered where nothing differs: {fields}")
    expect(not b.errors, f"{name}: {b.errors}")
    expect(b.js("window.hurt") is None, "text of the results ran as a script")


def keyboard(b, page):
    """A heat map is read without a pointer, and a table sorted."""
    b.size(1280, 900)
    b.open(f"file://{page}")
    b.js("location.hash = 'heat'")
    b.until("!!document.querySelector('td[data-cell]')")
    b.js("document.querySelector('td[data-cell]').focus()")
    first = b.js("document.getElementById('detail').textContent")
    b.key("ArrowRight")
    second = b.js("document.getElementById('detail').textContent")
    expect("standard deviation" in first and "draws" in second and first != second, f"{first!r} then {second!r}")
    b.key("Escape")
    expect(b.js("document.getElementById('detail').hidden"), "Escape hides the detail")
    b.js("location.hash = 'metrics'")
    b.until("document.querySelectorAll('tbody tr').length > 10")
    sort = "[...document.querySelectorAll('thead button')].find(x => x.textContent.startsWith('value'))"
    column = "[...document.querySelectorAll('tbody tr')].map(r => r.cells[2].textContent)"
    b.js(f"{sort}.click()")
    up = [float(x) for x in b.js(column)]
    b.js(f"{sort}.click()")
    down = [float(x) for x in b.js(column)]
    expect(up == sorted(up) and down == sorted(down, reverse=True) and down[0] > up[-1], "sorting")
    expect(b.js(f"{sort}.closest('th').getAttribute('aria-sort')") == "descending", "aria-sort")


def neurons(b, page):
    """Passages, the map of words and the scatter are read without a pointer; a neuron's name leads to it."""
    detail = "document.getElementById('detail').textContent"
    b.size(1280, 900)
    b.open(f"file://{page}")
    b.js("location.hash = 'passages'")
    b.until("!!document.querySelector('.token')")
    rows = b.js("[...document.querySelectorAll('.passage')].slice(0, 2).map(p => p.textContent)")
    expect(rows[0] == rows[1] and "portions" in rows[0], f"dense above pruned: {rows}")
    full = "[...document.querySelectorAll('.passage')[K].children].map(t => Number(getComputedStyle(t).getPropertyValue('--share').replace('%', '')))"
    dense, pruned = b.js(full.replace("K", "0")), b.js(full.replace("K", "1"))
    expect(max(dense) == 100 and max(pruned) < 100 and dense.index(100) == pruned.index(max(pruned)), f"colours: {dense} {pruned}")
    b.js("document.querySelector('.token').focus()")
    first = b.js(detail)
    b.key("ArrowRight")
    second = b.js(detail)
    b.key("ArrowDown")
    expect(first != second and "dense" in second and "pruned" in second and b.js(detail) == second, f"{first!r}, {second!r}, {b.js(detail)!r}")
    expect(b.js("document.activeElement.closest('.passage-row') === document.querySelectorAll('.passage-row')[1]"), "down leads to the pruned model")
    b.js("(s => { s.value = 'none'; s.dispatchEvent(new Event('change')); })(document.querySelector('[name=pruned]'))")
    expect(b.js("document.querySelectorAll('.panel')[0].querySelectorAll('.passage').length") == 1, "nothing pruned is shown")
    b.js("location.hash = 'words'")
    b.until("!!document.querySelector('td[data-match]')")
    b.js("document.querySelector('td[data-match]').focus()")
    first = b.js(detail)
    b.key("ArrowDown")
    expect("score" in first and "share lost" in first and b.js(detail) != first, f"{first!r} {b.js(detail)!r}")
    found = b.js("document.querySelectorAll('td[data-match]').length")
    b.js("(s => { s.value = 'all'; s.dispatchEvent(new Event('change')); })(document.querySelector('[name=found]'))")
    expect(b.js("document.querySelectorAll('td[data-match]').length") > found > 0 and b.js("document.querySelectorAll('td.weak').length") > 0, "matches that do not pass")
    name = b.js("document.querySelector('.heat thead a').title")
    b.js("document.querySelector('.heat thead a').click()")
    b.until("location.hash == '#unit' && !!document.querySelector('.lane')")
    expect(b.js("document.querySelector('dd').textContent") == name, "a column leads to its neuron")
    b.js("location.hash = 'semantics'")
    b.until("document.querySelectorAll('.point').length > 100")
    rho = b.js("[...document.querySelectorAll('.panel .note')].map(x => parseFloat(x.textContent.replace('−', '-').match(/Spearman (\\S+)/)[1]))")
    expect(len(rho) == 3 and rho[0] > max(rho[1:]) > 0.3, f"{rho}")
    b.js("document.querySelector('.point').focus()")
    first = b.js(detail)
    b.key("ArrowRight")
    expect("NSA loss" in first and b.js(detail) != first, f"{first!r}")
    expect(not b.errors, str(b.errors))
    return rho


def honest(b, page):
    """A mean over fewer draws than planned says so."""
    b.open(f"file://{page}")
    b.js("location.hash = 'heat'")
    b.until("!!document.querySelector('td[data-cell]')")
    b.size(1280, 6000)
    b.settle()
    texts = b.js("[...document.querySelectorAll('td small')].map(x => x.textContent)")
    expect("n = 1/2" in texts or "n = 0/2" in texts, f"incomplete cells are not marked: {texts}")


def load_time(b, s):
    """2,000 variants × 12 data sets, drawn in under a second of processor time; how long that takes is up to the machine too."""
    count, _, _ = report(f"{s}/big.h5", f"{s}/big.html", sets=10, draws=5, sparsities=("0.5", "0.6", "0.8", "2:4"), samples=(16, 32, 64, 128),
                         datasets=12, blocks=6)
    expect(count > 2000, str(count))
    b.size(1280, 900)
    times, busy = [], []
    for _ in range(3):
        b.open(f"file://{s}/big.html")
        times.append(float(b.js("document.documentElement.dataset.ready")))
        busy.append(b.busy())
    views = {}
    for view in VIEWS:
        views[view] = b.js(f"(() => {{ const t = performance.now(); location.hash = '{view}'; return new Promise(r => "
                           "addEventListener('hashchange', () => requestAnimationFrame(() => setTimeout(() => r(performance.now() - t))), {once: true})); })()") if view != "overview" else 0
    size = os.path.getsize(f"{s}/big.html") / 1e6
    print(f"{count} variants, {size:.1f} MB: ready after {', '.join(f'{t:.0f}' for t in times)} ms, "
          f"{', '.join(f'{1000 * t:.0f}' for t in busy)} ms of processor; views "
          + ", ".join(f"{k} {v:.0f} ms" for k, v in views.items() if v))
    expect(0 < min(busy) < 1, f"loading takes {min(busy)} s of processor")
    expect(not b.errors, str(b.errors))
    look(b, f"{s}/big.html", "big")


with Scratch() as s:
    check_data(s)
    program = browser.find()
    if not program:
        skip("the page's data is as promised; Chromium is absent (apt-get install chromium), so nothing was drawn")
    with browser.Browser(program) as b:
        report(f"{s}/made.h5", f"{s}/made.html")
        look(b, f"{s}/hostile.html", "hostile", ATTRIBUTION_VIEWS)
        look(b, f"{s}/made.html", "made")
        keyboard(b, f"{s}/made.html")
        honest(b, f"{s}/made.html")
        neurons(b, f"{s}/hostile.html")
        load_time(b, s)
