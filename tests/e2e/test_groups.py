"""Groups of ranks inside a run: groups of 1, 2 and 4 ranks agree in at least 99.99 % of every variant's mask bits and in the
digits of every metric that a table prints, for all methods and both ways to propagate; sizes that do not divide the ranks
are refused."""
from common import *

if not have_h5py():
    skip("python3-h5py is not installed")
import h5py
import numpy

MASKED_GRID = GRID.replace("draws: 2", "draws: 1\n  propagate: {propagate}") + "store: {{masks: true}}\n"
AGREE = 0.9999
DIGITS = 4  # of a metric in a table, behind the point; perplexities print fewer


def masks(path):
    """(method, sparsity) -> bits of all its linears, in the order of their names."""
    with h5py.File(path, "r") as f:
        names = {v["id"].decode(): (v["method"].decode(), v["sparsity"].decode()) for v in f["variants"][:]}
        return {names[v]: numpy.concatenate([
            numpy.unpackbits(g[t][:], axis=1, count=int(g[t].attrs["cols"]), bitorder="little").ravel() for t in sorted(g)])
            for v, g in f["masks"].items()}


def values(path):
    with h5py.File(path, "r") as f:
        return {(r["variant"], r["dataset"], r["metric"]): (float(r["value"]), int(r["items"])) for r in f["metrics"][:]}


def ranks_column(path):
    with h5py.File(path, "r") as f:
        return {int(v["ranks"]) for v in f["variants"][:]}


def compare(what, got, want):
    bits, wanted = masks(got), masks(want)
    expect(bits.keys() == wanted.keys() and len(wanted) == 8, f"{what}: masks of {sorted(bits)}, wanted {sorted(wanted)}")
    for variant, mask in wanted.items():
        same = float((bits[variant] == mask).mean())
        expect(same >= AGREE, f"{what}: {variant} agrees in {same:.6f} of the mask bits only")
    numbers, expected = values(got), values(want)
    expect(numbers.keys() == expected.keys() and expected, f"{what}: other metrics are there")
    for key, (value, items) in expected.items():
        near = 0.5 * 10 ** -DIGITS * max(1, abs(value))
        expect(abs(numbers[key][0] - value) <= near and numbers[key][1] == items, f"{what}: {key} is {numbers[key]}, wanted {value}")


with Scratch() as s:
    env = {"ESPALIER_DATA": make_data(f"{s}/data")}
    for propagate in ("pruned", "dense"):
        grid = write(f"{s}/{propagate}.yaml", MASKED_GRID.format(model=MODEL, propagate=propagate))
        one = f"{s}/{propagate}-one.h5"
        run("run", grid, "-o", one, env=env, cwd=s)
        for ranks, size in ((2, 2), (4, 4), (4, 2)):
            if (propagate, ranks, size) == ("dense", 4, 2):
                continue
            out = f"{s}/{propagate}-{ranks}-{size}.h5"
            run("run", grid, "-o", out, "--group-size", size, ranks=ranks, env=env, cwd=s)
            compare(f"propagate {propagate}, {ranks} ranks in groups of {size}", out, one)
            expect(ranks_column(out) == {size}, f"variants say they took {ranks_column(out)} ranks, not {size}")
    refused = run("run", grid, "-o", f"{s}/r3.h5", "--group-size", 2, ranks=3, env=env, cwd=s, check=2)
    expect("groups of 2 ranks do not divide" in refused.stderr, f"another message:\n{refused.stderr}")
