"""propagate: dense: any number of ranks, kills, and what variants share change no byte of the metrics; what is asked
for is in the results, in the plan and in every identity."""

from common import *

SHARED = (GRID.format(model=MODEL).replace("samples: 4", "samples: [4, 7, 20]").replace("draws: 2", "draws: 2\n  propagate: {}")
          .replace("limit: 8", "limit: 4"))


def rows(path):
    """{variant id: row of /variants}, {(variant id, data set, metric): bytes of the value}."""
    import h5py
    with h5py.File(path, "r") as f:
        variants = {r["id"].decode(): r for r in f["variants"][:]}
        values = {(r["variant"].decode(), r["dataset"].decode(), r["metric"].decode()): r["value"].tobytes() for r in f["metrics"][:]}
    return variants, values


if not have_h5py():
    skip("python3-h5py is not installed")
with Scratch() as s:
    env = {**os.environ, "ESPALIER_DATA": make_data(f"{s}/data"), "ASAN_OPTIONS": "detect_leaks=0"}
    grid = {p: write(f"{s}/{p}.yaml", SHARED.format(p).replace("small", p)) for p in ("dense", "pruned")}
    plans = {p: json.loads(run("plan", grid[p], "--json", env=env).stdout) for p in grid}
    for p, plan in plans.items():
        expect(plan["propagate"] == p, "plan --json does not tell how statistics are propagated")
        for q, saving in plan["sharing"].items():
            expect(saving["passes"] == 2 and saving["variants"] == 36, f"{q}: {saving}")
            expect(0 < saving["factor"] < 1, f"{q}: {saving}")
        text_ = run("plan", grid[p], env=env).stdout
        expect(f"2 passes over the {'dense model' if p == 'dense' else 'first block'} serve 36 variants (propagate {p})" in text_, text_)
    for v, w in zip(plans["dense"]["variants"], plans["pruned"]["variants"]):
        expect((v["id"] == w["id"]) == ("calibration" not in v), f"identities of {v} and {w}")

    run("run", grid["dense"], "-o", f"{s}/d0.h5", env=env, cwd=s)
    whole = os.path.getsize(f"{s}/d0.journal")
    want = metrics(f"{s}/d0.h5")
    for ranks in (1, 2, 3):
        run("run", grid["dense"], "-o", f"{s}/d{ranks}.h5", ranks=ranks, env=env, cwd=s)
        expect(metrics(f"{s}/d{ranks}.h5") == want, f"{ranks} ranks give other metrics than one process")

    # killed in the middle of passes and prunings, at most five times
    rng = random.Random(3)
    kills = sum(kill_at(["run", grid["dense"], "-o", f"{s}/k.h5", "-q"], f"{s}/k.journal", whole * (k + rng.random()) / 6,
                        env=env, cwd=s) for k in range(5))
    run("run", grid["dense"], "-o", f"{s}/k.h5", ranks=2, env=env, cwd=s)
    expect(kills > 0, "no run could be killed")
    expect(metrics(f"{s}/k.h5") == want, "the resumed run has other metrics")

    # one by one: grids of a single variant, whose cells have the identity that they have in the large grid
    run("run", grid["pruned"], "-o", f"{s}/p0.h5", ranks=2, env=env, cwd=s)
    for p, path in (("dense", f"{s}/d0.h5"), ("pruned", f"{s}/p0.h5")):
        variants, values = rows(path)
        told = {r["propagate"].decode() for r in variants.values() if r["calibration"]}
        expect(told == {p}, f"/variants tells {told} of a grid with propagate: {p}")
        expect(all(not r["propagate"] for r in variants.values() if not r["calibration"]), "propagate without calibration")
        # what is excluded stays in the grid's axes, so that draws are cut as they are for the large grid
        for method, sparsity in (("sparsegpt", "2:4"), ("ria", "0.5")):
            one = write(f"{s}/one.yaml", SHARED.format(p).replace("[dense, magnitude, wanda, sparsegpt, ria]", f"[{method}]")
                        .replace('[0.5, "2:4"]', f'"{sparsity}"') + "exclude:\n  - {samples: [7, 20]}\n")
            run("run", one, "-o", f"{s}/one.h5", env=env, cwd=s)
            lone_variants, lone_values = rows(f"{s}/one.h5")
            lone = [i for i, r in lone_variants.items() if r["calibration"]]
            expect(len(lone) == 2 and all(i in variants for i in lone), f"{p}: {lone} are not in the large grid")
            for key, value in lone_values.items():
                expect(values[key] == value, f"{p}: {key} differs between a variant alone and one that shares")
            for name in ("one.h5", "one.journal"):
                os.remove(f"{s}/{name}")
    expect(rows(f"{s}/d0.h5")[1].keys() != rows(f"{s}/p0.h5")[1].keys(), "both ways have the same variants")

    # one model: one process and two ranks
    for ranks in (0, 2):
        run("prune", "--model", MODEL, "--method", "sparsegpt", "--sparsity", "0.5", "--calibration", f"{s}/data/c4/train.jsonl",
            "--samples", 20, "--length", 128, "--propagate", "dense", "-q", "-o", f"{s}/pruned{ranks}", ranks=ranks, cwd=s)
    one, two = (read_safetensors(f"{s}/pruned{ranks}/model.safetensors") for ranks in (0, 2))
    expect(one == two, "prune --propagate dense differs between one process and two ranks")
    done = run("prune", "--model", MODEL, "--method", "wanda", "--sparsity", "0.5", "--calibration", f"{s}/data/c4/train.jsonl",
               "--propagate", "dens", "-o", f"{s}/never", check=2)
    expect("--propagate: 'dens' (did you mean dense?" in done.stderr, done.stderr)
    print(f"killed {kills} times")
