#!/usr/bin/env python3
"""Where to start: copy this file and change it. Sections stand alone and can be pasted into a notebook's cells.

    start.py RESULTS.h5 [PLOT.svg]

Needs python3-h5py and python3-numpy; python3-matplotlib for the plot."""
import math
import sys

import numpy

from results import OPEN, Results

# --- Open the file ----------------------------------------------------------------------------------------------------
# Lists of dictionaries, one per row of the file's tables. pandas.DataFrame(r.variants) works too.
r = Results(sys.argv[1])
print(f"{r.path}: {len(r.variants)} variants, {len(r.datasets)} data sets, {len(r.metrics)} values")
unfinished = [c for c in r.cells if c["status"] != "done"]
print(f"{len(unfinished)} of {len(r.cells)} cells have no result", *(f"  {c['dataset']}: {c['status']} {c['error']}" for c in unfinished[:5]), sep="\n")

# --- The dense baseline -----------------------------------------------------------------------------------------------
# Every change below is against these.
print("\nDense")
for model, dense in r.denses.items():
    for d in r.datasets:
        print(f"  {model}  {d:<24} {r.first.get(d, 'no result'):<12} {r.value(dense, d):.4g}")

# --- Join variants and metrics ----------------------------------------------------------------------------------------
# One row per (variant, data set): what the variant is, its value, and its change to the dense model.
rows = [{**v, "dataset": d, "value": r.value(v, d), "change": r.change(v, d)}
        for v in r.variants if v["method"] != "dense" for d in r.datasets]

# --- How much does the calibration set decide? --------------------------------------------------------------------------
# Mean change by method, sparsity and set, with the standard deviation over draws and how many draws there are.
dataset = next((d for d in r.datasets if r.first.get(d) not in OPEN), r.datasets[0])
print(f"\nChange on {dataset} ({r.first.get(dataset)}): mean ± standard deviation over draws")
for setting, sets in r.settings().items():
    for calibration, variants in sets.items():
        mean, deviation, n, planned = r.spread(variants, dataset)
        print(f"  {setting[1]:<10} {setting[3]:<5} {setting[4] or '':<4} {calibration or '-':<16} {mean:+.3f} ± {deviation:.3f}  n = {n}/{planned}")

# --- One plot ---------------------------------------------------------------------------------------------------------
if len(sys.argv) > 2:
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    shown = [x for x in rows if x["dataset"] == dataset and not math.isnan(x["change"])]
    groups = sorted({(x["method"], x["sparsity"], x["calibration"]) for x in shown})
    figure, axes = pyplot.subplots(figsize=(6, 1 + 0.2 * len(groups)))
    for y, g in enumerate(groups):
        values = [x["change"] for x in shown if (x["method"], x["sparsity"], x["calibration"]) == g]
        axes.plot(values, [y] * len(values), "o", markersize=4, alpha=0.7)
    axes.axvline(0, color="black", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(groups)), [" ".join(filter(None, g)) for g in groups])
    axes.set_xlabel(f"change on {dataset}")
    figure.savefig(sys.argv[2], bbox_inches="tight")
    print(f"\n{sys.argv[2]}")

# --- One paired test --------------------------------------------------------------------------------------------------
# Two methods on the same calibration draw see the same items: what counts is the items on which just one of them is
# right. McNemar's exact test: are the two kinds of such items equally frequent?
right = r.correct(dataset)
calibrated = [v for v in r.variants if v["calibration"] and v["id"] in right]
pairs = [(a, b) for i, a in enumerate(calibrated) for b in calibrated[i + 1:] if a["method"] != b["method"]
         and all(a[k] == b[k] for k in ("model", "sparsity", "calibration", "samples", "length", "draw"))]
print(f"\nPaired by item on {dataset}: {len(pairs)} pairs of methods on one draw")
for a, b in pairs[:5]:
    x, y = right[a["id"]], right[b["id"]]
    if len(x) != len(y):
        continue
    only_a, only_b = int(numpy.sum((x == 1) & (y == 0))), int(numpy.sum((x == 0) & (y == 1)))
    n, least = only_a + only_b, min(only_a, only_b)
    p = min(1.0, 2 * sum(math.comb(n, i) for i in range(least + 1)) / 2**n)
    print(f"  {a['method']} against {b['method']} at {a['sparsity']}, {a['calibration']} draw {a['draw']}: "
          f"{only_a} items only the first has right, {only_b} only the second; p = {p:.3g}")
print("  Many tests need a correction (Holm): espalier compare and espalier sensitivity do that.")
