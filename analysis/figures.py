#!/usr/bin/env python3
"""The report's figures as vector files for a paper: heat maps, spreads over draws, layer-wise error, mask overlap;
with attributions coloured text, words × neurons, traces of neurons, the semantic loss beside its rivals.

    figures.py RESULTS.h5 -o FOLDER [--format pdf|svg]

Needs python3-h5py, python3-numpy and python3-matplotlib (Debian). Draws without a result are left out of means, and the
figure says so in the cell or at the row."""
import argparse
import math
import os
import re
import sys
from collections import OrderedDict

import matplotlib
import numpy

from results import OPEN, SETTING, Results, title

matplotlib.use("Agg")
import neurons  # noqa: E402
from matplotlib import pyplot  # noqa: E402
from matplotlib.colors import LinearSegmentedColormap  # noqa: E402
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: E402

# Okabe and Ito's colours, which colour-blind readers tell apart, and a shape for each.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#000000")
SHAPES = ("o", "^", "s", "D", "v", "P")
LOSS = LinearSegmentedColormap.from_list("loss", ["#74b3e0", "#f4f4f2", "#f0953f"])
AGREEMENT = LinearSegmentedColormap.from_list("agreement", ["#f4f4f2", "#74b3e0"])
for each in (LOSS, AGREEMENT):
    each.set_bad("#dddddd")

STYLE = {"font.size": 8, "axes.titlesize": 9, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False,
         "pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "espalier", "text.parse_math": False}


class Figures:
    def __init__(self, path, folder, kind):
        self.r = Results(path)
        self.settings = self.r.settings()
        self.methods = list(OrderedDict.fromkeys(k[1] for k in self.settings))
        self.folder, self.kind, self.written = folder, kind, []

    def save(self, figure, *words):
        name = "-".join(re.sub(r"[^A-Za-z0-9.]+", "_", w).strip("_") for w in words)
        path = os.path.join(self.folder, f"{name}.{self.kind}")
        # no date inside: the same results give the same bytes
        figure.savefig(path, bbox_inches="tight", metadata={"CreationDate": None} if self.kind == "pdf" else {"Date": None})
        pyplot.close(figure)
        self.written.append(path)
        print(path)

    def mark(self, method):
        k = self.methods.index(method) % len(COLOURS)
        return {"color": COLOURS[k], "marker": SHAPES[k]}

    def heat(self):
        """Calibration set × data set, a figure per setting: the change to the dense model, mean over draws."""
        r = self.r
        columns = sorted(r.datasets, key=lambda d: r.first.get(d) in OPEN)
        losses = [abs(self.loss(d, r.change(v, d))) for rows in self.settings.values() for vs in rows.values() for v in vs for d in columns]
        if not any(math.isfinite(x) for x in losses):
            return
        ends = {}
        for family in (True, False):
            values = [abs(self.loss(d, r.change(v, d))) for rows in self.settings.values() for vs in rows.values() for v in vs
                      for d in columns if (r.first.get(d) in OPEN) == family]
            values = [x for x in values if math.isfinite(x)]
            ends[family] = max(0.01, numpy.quantile(values, 0.95)) if values else 1
        for key, rows in self.settings.items():
            name = title(key, self.settings)
            figure, axes = pyplot.subplots(figsize=(1.6 + 0.62 * len(columns), 0.8 + 0.3 * len(rows)))
            colours = numpy.full((len(rows), len(columns)), numpy.nan)
            for i, variants in enumerate(rows.values()):
                for j, d in enumerate(columns):
                    mean, _, n, planned = r.spread(variants, d)
                    open_ended = r.first.get(d) in OPEN
                    colours[i, j] = numpy.clip(self.loss(d, mean) / ends[open_ended], -1, 1)
                    text = "–" if math.isnan(mean) else (f"×{mean:.2f}" if mean < 10 else f"×{mean:.3g}") if open_ended else f"{mean:+.3f}"
                    if planned and n < planned:
                        text += f"\nn = {n}/{planned}"
                    axes.text(j, i, text.replace("-", "−"), ha="center", va="center", fontsize=6)
            axes.imshow(numpy.ma.masked_invalid(colours), cmap=LOSS, vmin=-1, vmax=1, aspect="auto")
            axes.set_xticks(range(len(columns)), columns, rotation=35, ha="right", rotation_mode="anchor")
            axes.set_yticks(range(len(rows)), [c or "no calibration" for c in rows])
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)
            draws = sorted({len(v) for v in rows.values()})
            axes.set_title(f"{name}: change to dense (n = {'–'.join(map(str, draws))})", loc="left")
            self.save(figure, "heat", name)

    def loss(self, dataset, change):
        """Positive is worse: accuracy lost, or the logarithm of a perplexity's factor."""
        if self.r.first.get(dataset) in OPEN:
            return math.log2(change) if change > 0 else math.nan
        return -change

    def groups(self):
        """Settings that differ in the method alone (those without calibration join every sample count)."""
        axes = ("model", "sparsity", "samples", "length", "propagate")
        found = OrderedDict()
        for key, rows in self.settings.items():
            s = dict(zip(SETTING, key))
            if "" not in rows:
                found.setdefault(tuple(s[a] for a in axes), []).append((s["method"], rows))
        for key, rows in self.settings.items():
            s = dict(zip(SETTING, key))
            if "" in rows:
                homes = [g for g in found if g[:2] == (s["model"], s["sparsity"])]
                for g in homes or [tuple(s[a] for a in axes)]:
                    found.setdefault(g, []).append((s["method"], rows))
        varying = [i for i in range(len(axes)) if len({g[i] for g in found}) > 1]
        return [(", ".join(str(g[i]) for i in varying) or str(g[1]), members) for g, members in found.items()]

    def spread(self):
        """Every draw a mark, by calibration set and method; the dashed line is the dense model. A panel per data set."""
        r = self.r
        for name, members in self.groups():
            sets = sorted(OrderedDict.fromkeys(c for _, rows in members for c in rows), key=lambda c: c == "")
            wide = min(3, len(r.datasets))
            tall = math.ceil(len(r.datasets) / wide)
            lanes = len(members)
            figure, panels = pyplot.subplots(tall, wide, squeeze=False, sharey=True, figsize=(3.2 * wide, (0.9 + 0.13 * lanes * len(sets)) * tall),
                                             constrained_layout=True)
            for panel, d in zip(panels.flat, r.datasets):
                self.spread_panel(panel, d, members, sets)
            for panel in panels.flat[len(r.datasets):]:
                panel.set_visible(False)
            handles = [pyplot.Line2D([], [], linestyle="", label=m, **self.mark(m)) for m in OrderedDict.fromkeys(m for m, _ in members)]
            figure.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), ncol=len(handles))
            self.save(figure, "spread", name)

    def spread_panel(self, panel, dataset, members, sets):
        r = self.r
        for y, calibration in enumerate(sets):
            present = [(method, rows[calibration]) for method, rows in members if calibration in rows]
            for k, (method, variants) in enumerate(present):
                at = y + 0.7 * ((k + 0.5) / len(present) - 0.5)
                values = [x for x in (r.value(v, dataset) for v in variants) if math.isfinite(x)]
                panel.plot(values, [at] * len(values), linestyle="", markersize=3.5, alpha=0.75, **self.mark(method))
                if len(values) < len(variants):
                    panel.annotate(f"{len(values)}/{len(variants)}", (1, at), xycoords=("axes fraction", "data"), fontsize=5, va="center")
        metric = r.first.get(dataset)
        dense = {r.dense(v["model"], dataset) for _, rows in members for vs in rows.values() for v in vs}
        for value in dense:
            if math.isfinite(value):
                panel.axvline(value, color="black", linestyle="--", linewidth=0.9)
        if metric in OPEN and panel.get_xlim()[0] > 0 and panel.get_xlim()[1] / panel.get_xlim()[0] > 3:
            panel.set_xscale("log")
            panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            panel.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
            panel.xaxis.set_minor_formatter(NullFormatter())
        panel.set_yticks(range(len(sets)), [c or "no calibration" for c in sets])
        panel.set_ylim(len(sets) - 0.5, -0.5)
        panel.set_title(f"{dataset} ({metric or 'no result'})", loc="left")

    def layers(self):
        """Relative error of each linear along the blocks, mean over variants of a method, least to most shaded."""
        for name, members in self.groups():
            ids = {v["id"]: method for method, rows in members for vs in rows.values() for v in vs}
            found = OrderedDict()
            for row in self.r.layers:
                if row["variant"] in ids and math.isfinite(row["relative_error"]):
                    found.setdefault(row["linear"], {}).setdefault(ids[row["variant"]], {}).setdefault(row["layer"], []).append(row["relative_error"])
            if not found:
                continue
            wide = min(4, len(found))
            tall = math.ceil(len(found) / wide)
            figure, panels = pyplot.subplots(tall, wide, squeeze=False, figsize=(2.4 * wide, 1.9 * tall), constrained_layout=True)
            for panel, (linear, methods) in zip(panels.flat, found.items()):
                for method, blocks in methods.items():
                    x = sorted(blocks)
                    panel.fill_between(x, [min(blocks[b]) for b in x], [max(blocks[b]) for b in x], color=self.mark(method)["color"], alpha=0.15, linewidth=0)
                    n = sorted({len(blocks[b]) for b in x})
                    panel.plot(x, [numpy.mean(blocks[b]) for b in x], linewidth=1, markersize=3, label=f"{method} (n = {'–'.join(map(str, n))})", **self.mark(method))
                panel.set_title(linear, loc="left")
                panel.set_ylim(bottom=0)
                panel.xaxis.get_major_locator().set_params(integer=True)
            for panel in panels.flat[len(found):]:
                panel.set_visible(False)
            handles, labels = panels[0][0].get_legend_handles_labels()
            figure.legend(handles, labels, loc="lower center", bbox_to_anchor=(0.5, 1), ncol=len(labels))
            figure.supxlabel("block")
            figure.supylabel("relative error")
            self.save(figure, "layers", name)

    def overlap(self):
        """Intersection over union of removed weights, calibration set × calibration set, mean over pairs of draws."""
        for key, rows in self.settings.items():
            packed = [(c, numpy.packbits(numpy.concatenate([m[n].ravel() for n in sorted(m)])))
                      for c, variants in rows.items() for m in map(self.r.removed, variants) if m]
            if len(packed) < 2:
                continue
            sets = list(OrderedDict.fromkeys(c for c, _ in packed))
            sums = numpy.zeros((len(sets), len(sets), 2))
            count = numpy.array([bin(i).count("1") for i in range(256)])
            for i, (a, x) in enumerate(packed):
                for b, y in packed[i + 1:]:
                    union = count[x | y].sum()
                    pair = {(sets.index(a), sets.index(b)), (sets.index(b), sets.index(a))}
                    for at in pair if union else ():
                        sums[at] += (count[x & y].sum() / union, 1)
            mean = numpy.divide(sums[..., 0], sums[..., 1], out=numpy.full(sums.shape[:2], numpy.nan), where=sums[..., 1] > 0)
            name = title(key, self.settings)
            figure, axes = pyplot.subplots(figsize=(1.4 + 0.45 * len(sets), 1 + 0.4 * len(sets)))
            image = axes.imshow(numpy.ma.masked_invalid(mean), cmap=AGREEMENT, vmax=1)
            for i in range(len(sets)):
                for j in range(len(sets)):
                    axes.text(j, i, "–" if math.isnan(mean[i, j]) else f"{mean[i, j]:.2f}", ha="center", va="center", fontsize=6)
            axes.set_xticks(range(len(sets)), sets, rotation=35, ha="right", rotation_mode="anchor")
            axes.set_yticks(range(len(sets)), sets)
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)
            figure.colorbar(image, label="intersection over union")
            axes.set_title(f"{name}: removed weights ({len(packed)} variants)", loc="left")
            self.save(figure, "overlap", name)


def main():
    parser = argparse.ArgumentParser(description="The report's figures as vector files.")
    parser.add_argument("results", help="a results file (results/demo.h5)")
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="folder to write to; made when absent")
    parser.add_argument("--format", choices=("pdf", "svg"), default="pdf")
    a = parser.parse_args()
    pyplot.rcParams.update({k: v for k, v in STYLE.items() if k in pyplot.rcParams})
    try:
        figures = Figures(a.results, a.output, a.format)
    except (OSError, ValueError) as e:
        sys.exit(f"figures.py: {e}")
    os.makedirs(a.output, exist_ok=True)
    for draw in (figures.heat, figures.spread, figures.layers, figures.overlap):
        draw()
    for draw in (neurons.text, neurons.words, neurons.traces, neurons.link):
        draw(figures)
    if not figures.written:
        sys.exit(f"figures.py: {a.results}: nothing to draw: no pruned variant has a result yet")


if __name__ == "__main__":
    main()
