"""precision: bfloat16 is a grid's, and part of what a cell is: any number of ranks gives the same bytes, a results
file never mixes cells of two precisions, and prune and score take it as an option."""
from common import *

BAD = "(did you mean 'bfloat16'?)"


def plan(grid, env):
    return json.loads(run("plan", grid, "--json", env=env).stdout)


def ids(plan_):
    return {v["id"] for v in plan_["variants"]} | {c["id"] for v in plan_["variants"] for c in v["cells"]}


def attribute(path, name):
    import h5py
    with h5py.File(path, "r") as f:
        return f.attrs[name] if isinstance(f.attrs[name], str) else f.attrs[name].decode()


if not have_h5py():
    skip("python3-h5py is not installed")
with Scratch() as s:
    env = {"ESPALIER_DATA": make_data(f"{s}/data")}
    base = GRID.format(model=MODEL).replace("draws: 2", "draws: 1").replace('[0.5, "2:4"]', "0.5")
    grid = {p: write(f"{s}/{p}.yaml", base.replace("small", p) + extra)
            for p, extra in (("unset", ""), ("float32", "precision: float32\n"), ("bfloat16", "precision: bfloat16\n"))}
    plans = {p: plan(path, env) for p, path in grid.items()}
    expect(ids(plans["unset"]) == ids(plans["float32"]), "float32 written out gives other cells than the default")
    expect(not ids(plans["float32"]) & ids(plans["bfloat16"]), "cells of two precisions have the same id")
    expect([plans[p]["precision"] for p in grid] == ["float32", "float32", "bfloat16"], "plan --json tells another precision")
    expect("precision: bfloat16" in run("plan", grid["bfloat16"], env=env).stdout, "plan does not show the precision")

    # one process, one rank and two ranks
    run("run", grid["bfloat16"], "-o", f"{s}/b.h5", env=env, cwd=s)
    half = metrics(f"{s}/b.h5")
    expect(attribute(f"{s}/b.h5", "precision") == "bfloat16", "the results do not tell their precision")
    for ranks in (1, 2):
        run("run", grid["bfloat16"], "-o", f"{s}/b{ranks}.h5", ranks=ranks, env=env, cwd=s)
        expect(metrics(f"{s}/b{ranks}.h5") == half, f"{ranks} ranks give other metrics than one process")

    # a results file that goes on in the other precision, and back
    run("run", grid["float32"], "-o", f"{s}/f.h5", env=env, cwd=s)
    full = metrics(f"{s}/f.h5")
    expect(attribute(f"{s}/f.h5", "precision") == "float32", "the results do not tell their precision")
    expect(full != half, "bfloat16 gives the bytes of float32")
    run("run", grid["bfloat16"], "-o", f"{s}/f.h5", env=env, cwd=s)
    expect(metrics(f"{s}/f.h5") == half, "a results file of float32 that goes on in bfloat16 differs from one of bfloat16 alone")
    again = run("run", grid["unset"], "-o", f"{s}/f.h5", env=env, cwd=s)
    expect(metrics(f"{s}/f.h5") == full, "the float32 cells did not come back")
    expect("(10 done before)" in again.stdout + again.stderr, f"cells that were known were computed again:\n{again.stderr}")

    # the commands for one model
    write(f"{s}/requests.jsonl", "".join(json.dumps({"context": text(random.Random(i), 9), "continuation": " " + text(random.Random(i + 50), 3)}) + "\n" for i in range(12)))
    prune = ["prune", "--model", MODEL, "--method", "wanda", "--sparsity", "0.5", "--calibration", f"{s}/data/c4/train.jsonl",
             "--samples", 4, "--length", 64]
    run(*prune, "--precision", "bfloat16", "-o", f"{s}/pruned")
    dense, pruned = (read_safetensors(f"{folder_}/model.safetensors") for folder_ in (MODEL, f"{s}/pruned"))
    for name, (dtype, shape, raw) in pruned.items():
        expect((dtype, shape) == dense[name][:2], f"{name} changed its type or shape")
        if "_proj" in name:
            expect(2 * count_zeros(dtype, raw) == shape[0] * shape[1], f"{name}: half of it should be zero")
    score = ["score", "--model", f"{s}/pruned", f"{s}/requests.jsonl"]
    one = run(*score, "--precision", "bfloat16").stdout
    expect(one.count("\n") == 12, f"score in bfloat16: {one}")
    expect(run(*score, "--precision", "bfloat16", ranks=2).stdout == one, "score in bfloat16 differs between one process and two ranks")
    exact = [json.loads(line)["loglikelihood"] for line in run(*score, "--precision", "float32").stdout.splitlines()]
    expect(run(*score).stdout == run(*score, "--precision=float32").stdout, "float32 is not score's default")
    rough = [json.loads(line)["loglikelihood"] for line in one.splitlines()]
    worst = max(abs(a - b) for a, b in zip(exact, rough))
    expect(0 < worst < 0.02 * max(map(abs, exact)), f"bfloat16 is {worst} away from float32")

    # refusals
    for args in (prune + ["-o", f"{s}/never"], score):
        done = run(*args, "--precision", "float16", check=2)
        expect("--precision: 'float16' (did you mean bfloat16? expected one of float32, bfloat16)" in done.stderr, done.stderr)
    done = run("plan", write(f"{s}/float16.yaml", base + "precision: float16\n"), env=env, check=2)
    expect(f"float16.yaml:{base.count(chr(10)) + 1}: unknown precision 'float16' {BAD}" in done.stderr, done.stderr)
    expect(not os.path.exists(f"{s}/never"), "a refused prune left a folder")
