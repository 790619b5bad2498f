"""Stored masks: /masks of a run is what h5py reads, counts to the achieved sparsity, and is the same bytes for one and two ranks
and for a run that was killed and resumed; asked for later, they are made without losing what was there."""

from common import *

if not have_h5py():
    skip("python3-h5py is not installed")
import h5py
import numpy

OPTION = "store: {masks: true}\n"


def masks(path):
    """variant -> tensor -> bits, and the rows of /variants."""
    with h5py.File(path, "r") as f:
        found = {v: {t: (d[:].tobytes(), d.shape, int(d.attrs["cols"])) for t, d in g.items()} for v, g in f["masks"].items()}
        return found, f["variants"][:]


def check_counts(path):
    with h5py.File(path, "r") as f:
        layers = {}
        for r in f["layers"][:]:
            layers.setdefault(r["variant"], []).append(r["sparsity"])
        for v in f["variants"][:]:
            if v["method"] == b"dense":
                expect(v["id"].decode() not in f["masks"], "the dense model has masks")
                continue
            removed = weights = 0
            shares = []
            for d in f["masks"][v["id"].decode()].values():
                cols = int(d.attrs["cols"])
                expect(d.dtype == numpy.uint8 and d.shape[1] == (cols + 7) // 8, f"{d.name}: {d.dtype} {d.shape} of {cols} columns")
                bits = numpy.unpackbits(d[:], axis=1, bitorder="little")
                expect(not bits[:, cols:].any(), f"{d.name}: bits behind the last column")
                removed += bits[:, :cols].size - int(bits[:, :cols].sum())
                weights += bits[:, :cols].size
                shares.append(1 - bits[:, :cols].mean())
            expect(abs(removed / weights - v["achieved_sparsity"]) < 1e-12,
                   f"{v['method']} {v['sparsity']}: {removed / weights} of the mask's weights, achieved {v['achieved_sparsity']}")
            expect(numpy.allclose(sorted(shares), sorted(layers[v["id"]]), atol=1e-6), f"{v['method']}: linears differ from /layers")


def nm_holds(path):
    """Of a 2:4 variant, every four weights in a row keep two."""
    with h5py.File(path, "r") as f:
        some = [v for v in f["variants"][:] if v["sparsity"] == b"2:4"]
        expect(some, "no 2:4 variant")
        for v in some:
            for d in f["masks"][v["id"].decode()].values():
                bits = numpy.unpackbits(d[:], axis=1, count=int(d.attrs["cols"]), bitorder="little")
                expect((bits.reshape(-1, 4).sum(axis=1) == 2).all(), f"{d.name} is not 2:4")


def kill_and_resume(grid, out, size, env, s):
    """Kills all ranks four times, each time further on, then lets the run end; size: bytes of a whole run's journal."""
    rng, kills, args = random.Random(4), 0, ["run", grid, "-o", out, "--quiet"]
    for k in range(4):
        kills += kill_at(args, out.replace(".h5", ".journal"), size * (k + rng.random()) / 5, ranks=2, env=env, cwd=s)
    run(*args, ranks=2, env=env, cwd=s)
    return kills


with Scratch() as s:
    env = {**os.environ, "ESPALIER_DATA": make_data(f"{s}/data"), "ASAN_OPTIONS": "detect_leaks=0"}
    few = GRID.replace("magnitude, wanda, sparsegpt, ria", "wanda, sparsegpt").replace("[sst2, wikitext2]", "[sst2]")
    plain = write(f"{s}/plain.yaml", few.format(model=MODEL))
    run("run", plain, "-o", f"{s}/later.h5", env=env, cwd=s)
    without = metrics(f"{s}/later.h5")
    with h5py.File(f"{s}/later.h5", "r") as f:
        expect("masks" not in f, "masks that nobody asked for")
    grid = write(f"{s}/small.yaml", few.format(model=MODEL) + OPTION)
    run("run", grid, "-o", f"{s}/r1.h5", ranks=1, env=env, cwd=s)
    want, variants = masks(f"{s}/r1.h5")
    expect(len(want) == sum(v["method"] != b"dense" for v in variants), f"{len(want)} variants with masks of {len(variants)}")
    expect(metrics(f"{s}/r1.h5") == without, "storing masks changed the metrics")
    check_counts(f"{s}/r1.h5")
    nm_holds(f"{s}/r1.h5")
    run("run", grid, "-o", f"{s}/r2.h5", ranks=2, env=env, cwd=s)
    expect(masks(f"{s}/r2.h5")[0] == want, "two ranks give other masks")
    kills = kill_and_resume(grid, f"{s}/killed.h5", os.path.getsize(f"{s}/r1.journal"), env, s)
    expect(kills > 0, "no run could be killed")
    expect(masks(f"{s}/killed.h5")[0] == want, "a killed and resumed run has other masks")
    check_counts(f"{s}/killed.h5")
    run("run", grid, "-o", f"{s}/later.h5", ranks=2, env=env, cwd=s)
    expect(masks(f"{s}/later.h5")[0] == want, "masks that were asked for later differ")
    expect(metrics(f"{s}/later.h5") == without, "masks that were asked for later changed the metrics")
    size = os.path.getsize(f"{s}/later.journal")
    run("run", grid, "-o", f"{s}/later.h5", env=env, cwd=s)
    expect(os.path.getsize(f"{s}/later.journal") < size + 1000, "a run with nothing left to do added records")
    os.remove(f"{s}/r2.h5")
    run("run", grid, "-o", f"{s}/r2.h5", env=env, cwd=s)
    expect(masks(f"{s}/r2.h5")[0] == want, "a file rebuilt from its journal has other masks")
    print(f"{len(want)} variants with masks; killed {kills} times")
