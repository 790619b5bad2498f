"""espalier distances: values are computed once, survive runs and rebuilt files, and go when what they were computed from changes."""
from common import *

if not have_h5py():
    skip("python3-h5py is not installed")
import h5py


def rows(path):
    """(calibration, draw, dataset, kind) -> value"""
    with h5py.File(path, "r") as f:
        if "distances" not in f:
            return {}
        return {tuple(r[n].decode() if isinstance(r[n], bytes) else int(r[n]) for n in ("calibration", "draw", "dataset", "kind")): float(r["value"])
                for r in f["distances"][:]}


def attributes(path):
    with h5py.File(path, "r") as f:
        return {k: v for k, v in f.attrs.items() if k != "resumed"}


with Scratch() as s:
    data = make_data(f"{s}/data")
    env = {"ESPALIER_DATA": data}
    grid = write(f"{s}/small.yaml", GRID.format(model=MODEL).replace("[c4]", "[c4, wikitext2]").replace(
        "[dense, magnitude, wanda, sparsegpt, ria]", "[dense, wanda]"))
    out = f"{s}/x.h5"
    run("distances", grid, "-o", out, "--kind", "ngram", "--quiet", env=env, cwd=s)
    first = rows(out)
    expect(len(first) == 2 * 2 * 2, f"{len(first)} distances of 2 sets x 2 draws x 2 data sets")
    expect(all(0 < v < 1 for v in first.values()), f"values outside (0, 1): {first}")
    run("run", grid, "-o", out, env=env, cwd=s)
    want = metrics(out)
    expect(rows(out) == first, "a run lost the distances")
    about = attributes(out)
    text = run("distances", grid, "-o", out, "--sequences", 3, env=env, cwd=s)
    expect("8 of them new" in text.stderr, f"not 8 new distances:\n{text.stderr}")
    expect("hidden" in text.stdout and "wikitext2" in text.stdout, text.stdout)
    both = rows(out)
    expect({k: v for k, v in both.items() if k[3] == "ngram"} == first, "other values for the same question")
    hidden = [v for k, v in both.items() if k[3] == "hidden"]
    expect(len(hidden) == 8 and all(0 < v < 2 for v in hidden), f"hidden: {hidden}")
    expect(metrics(out) == want and attributes(out) == about, "distances changed more than /distances")
    again = run("distances", grid, "-o", out, "--sequences", 3, "--draws", "--format", "csv", env=env, cwd=s)
    expect("0 of them new" in again.stderr and rows(out) == both, "what is there was computed again")
    expect(len(again.stdout.splitlines()) == 1 + 16, f"lines of CSV:\n{again.stdout}")
    run("distances", grid, "-o", out, "--sequences", 2, "--kind", "hidden", "--quiet", env=env, cwd=s)
    other = rows(out)
    expect(len(other) == 16 and any(other[k] != both[k] for k in other), "other sequences give the same values")

    os.remove(out)
    run("run", grid, "-o", out, env=env, cwd=s)
    expect(rows(out) == other, "a file rebuilt from its journal lost the distances")

    # another test set of sst2: what was measured against the old one is gone
    make_data(data, seed=5)
    run("distances", grid, "-o", out, "--kind", "ngram", "--quiet", env=env, cwd=s)
    fresh = rows(out)
    expect({k[3] for k in fresh} == {"ngram"} and len(fresh) == 8, f"stale distances: {fresh}")
    expect(any(fresh[k] != first[k] for k in fresh), "other data, the same distances")

    plain = write(f"{s}/plain.yaml", f"models: [{MODEL}]\nmethods: [dense, magnitude]\nsparsity: [0.5]\ndatasets: [sst2]\n")
    refused = run("distances", plain, "-o", f"{s}/none.h5", env=env, cwd=s, check=2)
    expect("needs calibration" in refused.stderr and not os.path.exists(f"{s}/none.journal"), refused.stderr)
    print(f"{len(other)} distances")
