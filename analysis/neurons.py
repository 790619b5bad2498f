"""Figures of attributions (`attribution:` in an experiment): text coloured by one neuron, words × neurons, a neuron's
trace through methods and calibration sets, and the semantic loss beside its rivals. figures.py calls them; each
takes its Figures."""
import math
from collections import OrderedDict

import numpy
from matplotlib import font_manager, pyplot
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

COLOUR = LinearSegmentedColormap.from_list("activation", ["#74b3e0", "#ffffff", "#f0953f"])
WORDS_MOST = 8  # passages, and panels of traces, in a figure
UNITS_MOST = 60  # columns of a map
MONO, POINTS = "DejaVu Sans Mono", 6.5
ADVANCE, LEADING = 0.602 * POINTS / 72, 1.45 * POINTS / 72  # inches of a character and of a line
RIVALS = ("NSA loss", "layer output error", "log perplexity increase")


def drawable(text):
    """The text without characters that the fonts lack: no warning, and a mark where something stood."""
    fonts = [font_manager.get_font(font_manager.findfont(f)) for f in (MONO, "DejaVu Sans")]
    return "".join(c if c == "\n" or all(f.get_char_index(ord(c)) for f in fonts) else "\ufffd" for c in text)


def short(word, most=24):
    return drawable(word if len(word) <= most else word[:most - 1] + "…")


def unit_name(base, unit):
    return f"block {base.units[unit]['block']}, unit {base.units[unit]['unit']}"


def lay_out(tokens, columns):
    """Pieces of tokens with their places: [(line, column, text, token)], and how many lines there are. Lines break
    before a word where that is possible."""
    out, line, column = [], 0, 0
    for t, token in enumerate(tokens):
        run, wide = "", len(token.partition("\n")[0])
        for rest in tokens[t + 1:]:  # the word's other tokens
            if rest[:1].isspace() or not rest[:1].isalnum() or wide > columns:
                break
            wide += len(rest.partition("\n")[0])
        if token[:1] == " " and column + wide > columns >= wide:
            line, column = line + 1, 0
        for c in token + "\0":
            if c in "\0\n" or column + len(run) == columns:
                if run:
                    out.append((line, column, run, t))
                column, run = column + len(run), ""
                if c == "\n" or column == columns:
                    line, column = line + 1, 0
            if c not in "\0\n":
                run += c
    return out, line + (column > 0)


def chosen_examples(base):
    """Of each word the example of its best match, most influential words first."""
    best = {}
    for i, e in enumerate(base.examples):
        m = base.matches[e["match"]]
        if m["word"] not in best or m["score"] > base.matches[base.examples[best[m["word"]]]["match"]]["score"]:
            best[m["word"]] = i
    return [best[w] for w in sorted(best)][:WORDS_MOST]


def text(figures):
    """A figure per data set: the dense model above the first variant of each method."""
    for base in figures.r.attribution():
        first = OrderedDict()
        for loss in base.losses:
            first.setdefault(figures.r.by_id[loss["variant"]]["method"], loss)
        rows = []  # (heading or name, pieces, values, most)
        width, label = 7.0, 1.0
        columns = int((width - label) / ADVANCE)
        for i in chosen_examples(base):
            e = base.examples[i]
            match = base.matches[e["match"]]
            pieces, lines = lay_out([drawable(t) for t in e["pieces"]], columns)
            most = numpy.abs(e["activation"]).max() if len(e["activation"]) else 0
            rows.append((f"{short(base.words[match['word']]['text'])}: {unit_name(base, match['unit'])}; full colour {most:.3g}", None, None, 0, 1.4))
            rows.append(("dense", pieces, e["activation"], most, lines))
            rows += [(method, pieces, base.traces(loss)[i], most, lines) for method, loss in first.items()]
        if not rows:
            continue
        height = sum(r[4] + 0.35 for r in rows) * LEADING
        figure = pyplot.figure(figsize=(width, height))
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
        axes.set_axis_off()
        y = 0
        for name, pieces, values, most, lines in rows:
            axes.text(0 if pieces is None else label - 0.1, y + LEADING / 2, drawable(name), fontsize=POINTS + (pieces is None), va="center",
                      ha="left" if pieces is None else "right", weight="bold" if pieces is None else "normal")
            for line, column, run, t in pieces or ():
                x, top = label + column * ADVANCE, y + line * LEADING
                share = values[t] / most if most else 0
                axes.add_patch(Rectangle((x, top), len(run) * ADVANCE, LEADING * 0.92, color=COLOUR(0.5 + 0.5 * max(-1, min(1, share))), linewidth=0))
                bare = run.lstrip()  # SVG drops spaces at a text's start
                if bare:
                    axes.text(x + (len(run) - len(bare)) * ADVANCE, top + LEADING / 2, bare, fontsize=POINTS, family=MONO, va="center_baseline")
            y += (lines + 0.35) * LEADING
        figures.save(figure, "text", base.name)


def words(figures):
    """Words × neurons, a figure per data set: the score of each match that passes the false discovery rate."""
    for base in figures.r.attribution():
        found = sorted((m for m in base.matches if m["found"]), key=lambda m: -m["score"])
        units = list(OrderedDict.fromkeys(m["unit"] for m in found))[:UNITS_MOST]
        units.sort(key=lambda u: (base.units[u]["block"], base.units[u]["unit"]))
        if not units:
            continue
        scores = numpy.full((len(base.words), len(units)), numpy.nan)
        for m in found:
            if m["unit"] in units:
                scores[m["word"], units.index(m["unit"])] = m["score"]
        figure, axes = pyplot.subplots(figsize=(1.8 + 0.16 * len(units), 0.9 + 0.16 * len(base.words)))
        most = numpy.nanmax(numpy.abs(scores))
        image = axes.imshow(numpy.ma.masked_invalid(scores), cmap=COLOUR, vmin=-most, vmax=most, aspect="auto")
        axes.set_xticks(range(len(units)), [f"{base.units[u]['block']}·{base.units[u]['unit']}" for u in units], rotation=90, fontsize=5)
        axes.set_yticks(range(len(base.words)), [short(w["text"]) for w in base.words], fontsize=6)
        axes.tick_params(length=0)
        all_units = len({m["unit"] for m in found})
        axes.set_title(drawable(f"{base.title}: words × neurons (block·unit)" + (f", {len(units)} of {all_units}" if len(units) < all_units else "")), loc="left")
        figure.colorbar(image, label="score", boundaries=numpy.linspace(min(0, numpy.nanmin(scores)), most, 65), ticks=numpy.linspace(0, most, 5).round(1))
        figures.save(figure, "words", base.name)


def traces(figures):
    """The best neuron of each word through calibration sets and methods, every draw a mark; dashed: dense."""
    for base in figures.r.attribution():
        best = {}
        for i, m in enumerate(base.matches):
            if m["found"] and (m["word"] not in best or m["score"] > base.matches[best[m["word"]]]["score"]):
                best[m["word"]] = i
        chosen = [best[w] for w in sorted(best)][:WORDS_MOST]
        for name, members in figures.groups() if chosen else ():
            own = [(method, {c: vs for c, vs in rows.items() if any(v["id"] in base.by_variant for v in vs)}) for method, rows in members]
            sets = sorted(OrderedDict.fromkeys(c for _, rows in own for c in rows), key=lambda c: c == "")
            if not sets:
                continue
            wide = min(4, len(chosen))
            tall = math.ceil(len(chosen) / wide)
            lanes = len([m for m, rows in own if rows])
            figure, panels = pyplot.subplots(tall, wide, squeeze=False, sharey=True, figsize=(2.3 * wide, (0.8 + 0.13 * lanes * len(sets)) * tall),
                                             constrained_layout=True)
            for panel, m in zip(panels.flat, chosen):
                trace_panel(figures, panel, base, m, own, sets)
            for panel in panels.flat[len(chosen):]:
                panel.set_visible(False)
            handles = [pyplot.Line2D([], [], linestyle="", label=m, **figures.mark(m)) for m, rows in own if rows]
            figure.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), ncol=len(handles))
            figure.supxlabel("mean |activation| over the word's tokens")
            figures.save(figure, "trace", base.name, name)


def trace_panel(figures, panel, base, match, members, sets):
    for y, calibration in enumerate(sets):
        present = [(method, rows[calibration]) for method, rows in members if calibration in rows]
        for k, (method, variants) in enumerate(present):
            at = y + 0.7 * ((k + 0.5) / len(present) - 0.5)
            values = [base.activations(base.by_variant[v["id"]])[match] for v in variants if v["id"] in base.by_variant]
            panel.plot(values, [at] * len(values), linestyle="", markersize=3.5, alpha=0.75, **figures.mark(method))
            if len(values) < len(variants):
                panel.annotate(f"{len(values)}/{len(variants)}", (1, at), xycoords=("axes fraction", "data"), fontsize=5, va="center")
    m = base.matches[match]
    panel.axvline(m["activation"], color="black", linestyle="--", linewidth=0.9)
    panel.set_yticks(range(len(sets)), [short(c) or "no calibration" for c in sets])
    panel.set_ylim(len(sets) - 0.5, -0.5)
    panel.set_title(f"{short(base.words[m['word']]['text'])}\n{unit_name(base, m['unit'])}", loc="left", fontsize=7)


def ranks(values):
    """From 1, ties sharing their mean."""
    order = numpy.argsort(values, kind="stable")
    out = numpy.empty(len(values))
    out[order] = numpy.arange(1, len(values) + 1)
    _, of, count = numpy.unique(values, return_inverse=True, return_counts=True)
    return (numpy.bincount(of, out) / count)[of]


def spearman(x, y):
    a, b = ranks(x), ranks(y)
    return numpy.corrcoef(a, b)[0, 1] if len(x) > 2 and a.std() and b.std() else math.nan


def link(figures):
    """The drop in accuracy against the NSA loss, the layers' error and the increase of perplexity, a mark per variant
    and data set; a figure per model."""
    for model in OrderedDict.fromkeys(b.model for b in figures.r.attribution()):
        points = [(figures.r.by_id[x["variant"]]["method"], base.row["accuracy"] - x["accuracy"],
                   (x["loss"], x["layer_error"], math.log(x["perplexity"] / base.row["perplexity"])))
                  for base in figures.r.attribution() if base.model == model for x in base.losses if math.isfinite(base.row["accuracy"] - x["accuracy"])]
        if not points:
            continue
        figure, panels = pyplot.subplots(1, 3, sharey=True, figsize=(7.2, 2.5), constrained_layout=True)
        for k, panel in enumerate(panels):
            own = [(method, x[k], drop) for method, drop, x in points if math.isfinite(x[k])]
            for method in OrderedDict.fromkeys(p[0] for p in own):
                panel.plot([p[1] for p in own if p[0] == method], [p[2] for p in own if p[0] == method], linestyle="", markersize=3.5, alpha=0.7,
                           label=method, **figures.mark(method))
            panel.axhline(0, color="black", linestyle="--", linewidth=0.9)
            rho = spearman(numpy.array([p[1] for p in own]), numpy.array([p[2] for p in own]))
            panel.set_title(f"Spearman {rho:.2f} (n = {len(own)})".replace("-", "−"), loc="left")
            panel.set_xlabel(RIVALS[k])
        panels[0].set_ylabel("drop in accuracy")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", bbox_to_anchor=(0.5, 1), ncol=max(1, len(labels)))
        figures.save(figure, "link", model)
