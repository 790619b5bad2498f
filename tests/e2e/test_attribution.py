"""An attribution's tables do not depend on how its run went: on one process or some ranks; killed again and again; in shards
that are merged. /attribution and /metrics are the same bytes, and /metrics those of a run without."""
from common import *

if not have_h5py():
    skip("python3-h5py is not installed")
import h5py
import little_model

ASKED = """\
attribution:
  datasets: [sst2, mine]
  min_occurrences: 2
  candidates: 12
  leave_out: 2
  words: 6
  neurons: 4
  windows: 6
  random: 3
"""
PLAIN = """\
experiment: attributed
models: [{model}]
methods: [dense, magnitude, wanda]
sparsity: [0.5, "2:4"]
calibration: {{sets: [c4], samples: 4, length: 64, draws: 2}}
datasets: [sst2, wikitext2, mine]
limit: 20
window: 64
"""


def tables(path):
    """Name -> bytes of every table of /attribution."""
    with h5py.File(path, "r") as f:
        return {name: f["attribution"][name][:].tobytes() for name in f["attribution"]}


def expect_same(got, want, what):
    a, b = tables(got), tables(want)
    expect(a.keys() == b.keys(), f"{what}: tables {sorted(a.keys() ^ b.keys())}")
    different = [name for name in a if a[name] != b[name]]
    expect(not different, f"{what}: /attribution differs in {different}")
    expect(metrics(got) == metrics(want), f"{what}: /metrics differ")


def expect_whole(path):
    """Every data set of every variant that was asked for has its rows, and numbers that can be."""
    with h5py.File(path, "r") as f:
        a = {name: f["attribution"][name][:] for name in f["attribution"]}
        variants = f["variants"][:]
    expect([(r["dataset"], r["status"]) for r in a["bases"]] == [(b"sst2", b"done"), (b"mine", b"done")], f"bases: {a['bases']}")
    expect(len(a["losses"]) == 2 * (len(variants) - 1) and set(a["losses"]["status"]) == {b"done"}, f"losses: {a['losses']}")
    expect(all(0 <= r["loss"] <= 1 and r["perplexity"] > 1 and r["layer_error"] > 0 for r in a["losses"]), f"losses: {a['losses']}")
    for r in a["bases"]:
        words = a["words"][a["words"]["dataset"] == r["dataset"]]
        expect(0 < len(words) <= 6 and all(w["influence"] > 0 for w in words), f"words: {words}")
        matches = a["matches"][a["matches"]["dataset"] == r["dataset"]]
        expect(len(matches) == 4 * len(words), f"{len(matches)} matches of {len(words)} words")
        expect(len(a["causal"][a["causal"]["dataset"] == r["dataset"]]) == 4, "the matched units and three random sets")


def run_killed(s, grid, out, env, ranks, rng, whole, kills):
    """Kills a run again and again, each time further on, then lets it end; whole: bytes of a whole run's journal. How often
    it was killed with work left."""
    journal, hit = out.replace(".h5", ".journal"), 0
    for k in range(kills):
        at = whole * (k + rng.random()) / (kills + 1)
        if kill_at(["run", grid, "-o", out, "-q"], journal, at, ranks=ranks, env=env, cwd=s):
            hit += "0 left" not in run("status", journal, check=None).stdout
    run("run", grid, "-o", out, "-q", env=env, cwd=s)
    return hit


with Scratch() as s:
    env = {**os.environ, "ESPALIER_DATA": make_data(f"{s}/data"), "ASAN_OPTIONS": "detect_leaks=0"}
    os.environ["ESPALIER_DATA"] = env["ESPALIER_DATA"]
    rng = random.Random(2)
    model = little_model.make(f"{s}/models/little")
    little_model.make_task(s)
    plain = write(f"{s}/plain.yaml", PLAIN.format(model=model).replace("mine]", f"{s}/mine.yaml]"))
    grid = write(f"{s}/asked.yaml", (PLAIN.format(model=model) + ASKED).replace("mine]", f"{s}/mine.yaml]"))

    run("run", grid, "-o", "one.h5", "-q", cwd=s)
    whole = os.path.getsize(f"{s}/one.journal")
    expect_whole(f"{s}/one.h5")
    run("run", plain, "-o", "plain.h5", "-q", cwd=s)
    expect(metrics(f"{s}/plain.h5") == metrics(f"{s}/one.h5"), "attribution changes /metrics")

    for ranks in (2, 3):
        run("run", grid, "-o", f"r{ranks}.h5", "-q", ranks=ranks, cwd=s)
        expect_same(f"{s}/r{ranks}.h5", f"{s}/one.h5", f"{ranks} ranks")

    hits = run_killed(s, grid, f"{s}/killed.h5", env, 1, rng, whole, 3) + run_killed(s, grid, f"{s}/killed2.h5", env, 2, rng, whole, 2)
    expect_same(f"{s}/killed.h5", f"{s}/one.h5", "one rank killed and resumed")
    expect_same(f"{s}/killed2.h5", f"{s}/one.h5", "two ranks killed and resumed")
    expect(hits > 0, "no run was killed with work left")

    # A run that has its cells, asked for attributions later.
    run("run", plain, "-o", "later.h5", "-q", cwd=s)
    run("run", grid, "-o", "later.h5", "-q", cwd=s)
    expect_same(f"{s}/later.h5", f"{s}/one.h5", "attributions asked for later")

    for i in (1, 2):
        run("run", grid, "--shard", f"{i}/2", "-o", f"shard{i}.h5", "-q", cwd=s)
    run("merge", "-o", "merged.h5", "shard2.h5", "shard1.h5", cwd=s)
    expect_same(f"{s}/merged.h5", f"{s}/one.h5", "merged shards")
    before = os.path.getsize(f"{s}/merged.journal")
    run("run", grid, "-o", "merged.h5", "-q", cwd=s)
    expect(os.path.getsize(f"{s}/merged.journal") - before < 200, "run computes a merged file's cells again")
    run("merge", "-o", "part.h5", "shard2.h5", cwd=s)
    run("run", grid, "-o", "part.h5", "-q", ranks=2, cwd=s)
    expect_same(f"{s}/part.h5", f"{s}/one.h5", "one shard's file carried on by the whole experiment")
    print(f"killed with work left {hits} times")
