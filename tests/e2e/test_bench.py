"""bench prints every figure of every section, the same in tables and in JSON, leaves nothing behind, and refuses what it cannot
measure in one line. It says nothing about how long anything took."""
import math

from common import *

SHAPE = "hidden=64,blocks=2,heads=4,kv_heads=2,ffn=96,vocab=300,positions=128"
SMALL = ["bench", "--batch", "2x32", "--order", "64", "--layer", "64x96", "--layer", "32x48", "--repeats", "2"]
UNITS = {"ceiling": {"GFLOP/s"}, "memory": {"GB/s"}, "forward": {"tokens/s", "GFLOP/s", "times"}, "gram": {"GFLOP/s"},
         "methods": {"s"}, "factor": {"s", "off by", "MiB", "order"}, "eval": {"items/s"}, "grid": {"s"}}
SHARED = {"forward": "tokens/s", "gram": "GFLOP/s", "eval": "items/s", "grid": "s"}  # sections whose figures are held to a ceiling


def check(document, sections, threads):
    host = document["host"]
    expect(host["cpu"] and host["onednn"] and "OpenBLAS" in host["openblas"], f"host facts: {host}")
    expect(host["threads"] == threads[-1], f"threads: {host}")
    figures = document["figures"]
    expect({f["section"] for f in figures} == set(sections), f"sections: {sorted({f['section'] for f in figures})}")
    names = [(f["section"], f["name"], f["threads"]) for f in figures]
    expect(len(set(names)) == len(names), "a figure stands twice")
    unsupported = [f for f in figures if f["value"] is None]
    expect(all("bfloat16" in f["name"] or f["unit"] == "MiB" for f in unsupported), f"not supported: {unsupported}")
    for f in figures:
        expect(f["threads"] in threads, f"threads: {f}")
        expect(f["unit"] in UNITS[f["section"]], f"unit: {f}")
        if f["unit"] == "MiB":  # of small orders the system may see nothing
            expect(f["value"] is None or f["value"] >= 0, f"memory: {f}")
        elif f["value"] is not None:
            expect(all(math.isfinite(f[k]) and f[k] > 0 for k in ("value", "low", "high")), f"value: {f}")
            expect(f["low"] <= f["value"] <= f["high"], f"not a median: {f}")
        expect(f["share"] is None or (math.isfinite(f["share"]) and f["share"] > 0), f"share: {f}")
    for section in set(SHARED) & set(sections):
        mine = [f for f in figures if f["section"] == section and f["unit"] == SHARED[section] and "ceiling" not in f["name"]]
        expect(any(f["share"] is not None for f in mine), f"{section} has no share of its ceiling")
    return figures


with Scratch() as s:
    env = {"TMPDIR": f"{s}/tmp", "ESPALIER_DATA": make_data(f"{s}/data")}
    os.makedirs(f"{s}/tmp")

    def bench(*args, sizes=SMALL, check=0, ranks=0):
        done = run(*sizes, *args, env=env, cwd=s, check=check, ranks=ranks)
        left = [f for f in os.listdir(f"{s}/tmp") if f.startswith("espalier")]  # MPI keeps a folder of its own
        expect(left == [], f"left behind: {left}")
        return done

    # every section but grid, of random weights
    usual = ["ceiling", "memory", "forward", "gram", "methods", "eval"]
    done = bench("--shape", SHAPE, "--threads", "2", "--json")
    figures = check(json.loads(done.stdout), usual, [1, 2])
    expect(done.stderr == "", f"on standard error: {done.stderr}")
    names = {(f["section"], f["name"]) for f in figures}
    for precision in ("float32", "bfloat16"):
        expect(("ceiling", f"{precision}, a pass's products") in names, f"no ceiling in {precision}")
        expect(("forward", precision) in names, f"no forward pass in {precision}")
        expect(("eval", f"{precision}, random items") in names, f"no evaluation in {precision}")
    for shape in ("64 x 64", "32 x 64", "96 x 64", "64 x 96", "300 x 64"):  # q and o, k and v, gate and up, down, head
        expect(("ceiling", f"float32, {shape}") in names, f"no product {shape}")
    expect(("gram", "order 64, 2048 tokens") in names, "no Gram matrix")
    for layer in ("64 x 96", "32 x 48"):
        for method in ("magnitude", "wanda", "sparsegpt", "ria", "the factor alone"):
            expect(("methods", f"{layer}, {method}") in names, f"no {method} of {layer}")

    # the table has the same lines
    table = bench("--shape", SHAPE, "--threads", "2").stdout
    for section, name in names:
        expect(f"\n{section} " in table and (f"  {name} " in table or section == "memory"), f"the table lacks {section}: {name}")

    # one thread, one precision, chosen sections, a checkpoint with its tokenizer
    done = bench("forward", "eval", "--model", MODEL, "--precision", "float32", "--task", "sst2", "--limit", "6", "--threads", "1", "--json")
    figures = check(json.loads(done.stdout), ["forward", "eval"], [1])
    expect({f["name"] for f in figures if f["section"] == "eval"} == {"float32, sst2"}, "the task's name")
    expect(not any("bfloat16" in f["name"] for f in figures), "a precision that was not asked for")

    # factors of a Gram matrix, alone and on two ranks
    for ranks, ways in ((0, ("own tiles", "LAPACK")), (2, ("own tiles", "LAPACK", "ScaLAPACK on 2 ranks"))):
        done = bench("factor", "--order", "300", "--repeats", "2", "--threads", "1", "--json", sizes=["bench"], ranks=ranks)
        figures = check(json.loads(done.stdout), ["factor"], [1])
        values = {f["name"]: f["value"] for f in figures}
        for way in ways:
            expect(f"order 300, {way}" in values and f"order 300, {way}, memory per rank" in values, f"no {way}: {values}")
            expect(values[f"order 300, {way}, residual"] < 1e-4, f"{way}'s factor is no factor: {values}")
        expect(len([x for x in values if "faster from" not in x]) == 3 * len(ways), f"figures: {values}")

    # an experiment, alone and on two ranks
    grid = small_grid(s)
    for ranks in (0, 2):
        done = bench("grid", "--grid", grid, "--repeats", "1", "--threads", "1", "--json", sizes=["bench"], ranks=ranks)
        document = json.loads(done.stdout)
        figures = check(document, ["grid"], [1])
        expect(document["host"]["ranks"] == max(ranks, 1), f"ranks: {document['host']}")
        expect([f["name"].split(",")[0] for f in figures] == ["end to end", "its variants and cells"], f"figures: {figures}")

    # refusals: one line, nothing printed or left
    bad = [(["--shape", "llama-7t"], "llama-7t"), (["--shape", "hidden=64"], "blocks"),
           (["--shape", SHAPE.replace("heads=4", "heads=5", 1)], "5 heads"), (["--shape", SHAPE, "--model", MODEL], "--shape"),
           (["--shape", SHAPE.replace("positions=128", "positions=16")], "16 positions"), (["--model", f"{s}/none"], "none"),
           (["forwards"], "forward"), (["--precision", "float16"], "bfloat16"), (["--layer", "64"], "--layer"), (["--layer", "1x1"], "16"),
           (["--task", "sst2"], "--model"), (["--task", "sst3", "--model", MODEL, "eval"], "sst3"),
           (["--task", "wikitext2", "--model", MODEL, "eval"], "choices"), (["grid"], "--grid"), (["--repeat", "3"], "--repeats")]
    for args, part in bad:
        done = bench(*args, "--json", check=2)
        expect(done.stdout == "" and done.stderr.count("\n") == 1, f"{args}: {done.stdout}{done.stderr}")
        expect(part in done.stderr, f"{args}: the line lacks '{part}': {done.stderr}")
    done = bench("gram", ranks=2, check=None)
    expect(done.returncode == 2 and "only factor and grid" in done.stderr, f"two ranks: {done.stderr}")
    print(f"{len(names)} figures, {len(bad) + 1} refusals")
