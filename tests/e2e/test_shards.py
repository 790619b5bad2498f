"""Shards of an experiment merge into what one run of the whole leaves: /metrics byte for byte, rows in the same order, masks,
layers, items, draws and distances too; the merged file is carried on by run. What differs is refused with both files."""
from common import *

if not have_h5py():
    skip("python3-h5py is not installed")
import h5py
import numpy

EXTRA = "store: {masks: true}\n"


def content(path):
    """Everything but times: name -> bytes."""
    out = {}

    def see(name, o):
        if isinstance(o, h5py.Dataset):
            a = o[:]
            if a.dtype.names and "seconds" in a.dtype.names:
                a = a[[n for n in a.dtype.names if n != "seconds"]]
                a = numpy.array(a.tolist(), dtype=object).astype(str)
            out[name] = a.tobytes()
    with h5py.File(path, "r") as f:
        f.visititems(see)
    return out


def expect_same(a, b, what):
    x, y = content(a), content(b)
    expect(set(x) == set(y), f"{what}: {sorted(set(x) ^ set(y))[:5]} are in one of the files only")
    different = [k for k in x if x[k] != y[k]]
    expect(not different, f"{what}: {different[:5]} differ")
    expect(metrics(a) == metrics(b), f"{what}: /metrics differ")


def variants(path):
    with h5py.File(path, "r") as f:
        return [(v["method"].decode(), v["sparsity"].decode(), int(v["draw"])) for v in f["variants"][:]]


def refused(s, part, *args):
    done = run("merge", *args, cwd=s, check=2)
    lines = done.stderr.strip().split("\n")
    expect(len(lines) == 1 and all(p in lines[0] for p in part), f"merge {args}: {done.stderr}")


with Scratch() as s:
    os.environ["ESPALIER_DATA"] = make_data(f"{s}/data")
    grid = small_grid(s, EXTRA)
    run("run", grid, "-o", "whole.h5", "-q", cwd=s)
    run("distances", grid, "-o", "whole.h5", "--kind", "ngram", "-q", cwd=s)
    whole = variants(f"{s}/whole.h5")

    # The shards' own names; one of them on two ranks.
    for i in (1, 2, 3):
        run("run", grid, "--shard", f"{i}/3", "-q", cwd=s, ranks=2 if i == 2 else 0)
    shards = [f"results/small.shard-{i}-of-3.h5" for i in (1, 2, 3)]
    parts = [variants(f"{s}/{p}") for p in shards]
    expect(sorted(sum(parts, [])) == sorted(whole), f"every variant is in one shard: {parts}")
    expect("dense" in [v[0] for v in parts[0]], "the dense model is shard 1's")
    expect(all(len(p) > 1 for p in parts), f"no shard is idle: {parts}")
    run("status", "--check", shards[1], cwd=s)

    run("merge", "-o", "merged.h5", *reversed(shards), cwd=s)
    expect(metrics(f"{s}/merged.h5") == metrics(f"{s}/whole.h5"), "merged shards have other /metrics")
    run("distances", grid, "-o", "merged.h5", "--kind", "ngram", "-q", cwd=s)
    expect_same(f"{s}/merged.h5", f"{s}/whole.h5", "merged shards")
    for command in (["table"], ["status", "--check"], ["compare"], ["sensitivity"]):
        picks = ["wanda:0.5:c4:0", "dense"] if command == ["compare"] else []
        run(*command, "merged.h5", *picks, cwd=s)
    run("report", "merged.h5", "-o", "report.html", cwd=s)

    # A merge of some shards, of more of them later, carried on by the whole experiment.
    run("merge", "-o", "some.h5", shards[2], cwd=s)
    run("merge", "-o", "some.h5", shards[0], shards[2], cwd=s)
    done = run("run", grid, "-o", "some.h5", "-q", cwd=s).stdout
    run("distances", grid, "-o", "some.h5", "--kind", "ngram", "-q", cwd=s)
    expect_same(f"{s}/some.h5", f"{s}/whole.h5", "a merge that was carried on")
    # Everything twice, and onto itself.
    run("merge", "-o", "twice.h5", "whole.h5", "merged.h5", cwd=s)
    expect_same(f"{s}/twice.h5", f"{s}/whole.h5", "a merge of two whole files")
    run("merge", "-o", "merged.h5", "merged.h5", *shards, cwd=s)
    expect_same(f"{s}/merged.h5", f"{s}/whole.h5", "a merge onto one of its files")
    # Nothing is started twice.
    before = os.path.getsize(f"{s}/merged.journal")
    run("run", grid, "-o", "merged.h5", "-q", cwd=s)
    expect(os.path.getsize(f"{s}/merged.journal") - before < 200, "run computes a merged file's cells again")

    # Two experiments: one after the other, what they share once.
    other = write(f"{s}/other.yaml", open(grid).read().replace("experiment: small", "experiment: other")
                  .replace("[dense, magnitude, wanda, sparsegpt, ria]", "[wanda]").replace('[0.5, "2:4"]', "[0.5, 0.7]")
                  .replace("[sst2, wikitext2]", "[wikitext2]"))
    run("run", other, "-o", "other.h5", "-q", cwd=s)
    run("merge", "-o", "both.h5", "whole.h5", "other.h5", cwd=s)
    expect(variants(f"{s}/both.h5") == whole + [("wanda", "0.7", 0), ("wanda", "0.7", 1)], "variants of both, in order")
    run("table", "both.h5", cwd=s)

    # Shards beyond the variants are empty, and no hindrance.
    run("run", grid, "--shard", "40/40", "-q", cwd=s)
    run("merge", "-o", "more.h5", "results/small.shard-40-of-40.h5", "whole.h5", cwd=s)
    expect_same(f"{s}/more.h5", f"{s}/whole.h5", "a merge with an empty shard")

    # The same cells, evaluated with a line of the data set changed and with fewer items: not the same cells.
    few = write(f"{s}/few.yaml", open(grid).read().replace("limit: 8", "limit: 6"))
    run("run", few, "-o", "few.h5", "-q", cwd=s)
    refused(s, ["whole.h5 and few.h5 differ", "of nano-llama on sst2: acc is", "of 8 items", "of 6"], "-o", "x.h5", "whole.h5", "few.h5")
    expect(not os.path.exists(f"{s}/x.h5") and not os.path.exists(f"{s}/x.journal"), "a refused merge leaves nothing")
    refused(s, ["results files are missing"], "-o", "x.h5")
    refused(s, ["-o is missing"], "whole.h5")
    refused(s, ["few.yaml", "HDF5"], "-o", "x.h5", "few.yaml")
    refused(s, ["nothing.h5"], "-o", "x.h5", "nothing.h5")
    refused(s, ["whole.h5", "twice"], "-o", "x.h5", "whole.h5", "./whole.h5")
    os.rename(f"{s}/few.journal", f"{s}/gone.journal")
    refused(s, ["few.h5", "journal"], "-o", "x.h5", "few.h5")
    with open(f"{s}/few.h5", "r+b") as f:
        f.seek(3000)
        f.write(b"damage")
    refused(s, ["few.h5"], "-o", "x.h5", "whole.h5", "few.h5")
    for shard in ("0/3", "4/3", "1", "1/0", "-1/3", "1/3x", "a/b"):
        expect("--shard" in run("run", grid, f"--shard={shard}", cwd=s, check=2).stderr, f"--shard {shard} is refused")
