"""What cannot be attributed: mistakes in an experiment's `attribution:` are one line with file and line before anything runs; a
data set or model that turns out not to be attributable has a row that says why, and its cells are those of a run without."""
from common import *

ASKED = """\
attribution:
  datasets: [sst2]
  windows: 4
  causal: false
"""
FIRST = GRID.count("\n") + 1  # the line of `attribution:`
PROBLEMS = []


def refuse(s, name, extra, *parts, line=None):
    path = write(f"{s}/bad/{name}.yaml", GRID.format(model=MODEL) + extra)
    for command in (["plan", path], ["run", path, "-o", f"{s}/bad/never.h5"]):
        done = run(*command, cwd=s, check=None)
        err, wanted = done.stderr, ([f"{path}:{line}: "] if line else []) + list(parts)
        if done.returncode != 2 or done.stdout or err.count("\n") != 1 or not err.startswith("espalier: ") or not all(p in err for p in wanted):
            PROBLEMS.append(f"{name}: {command[0]}: status {done.returncode}, wanted {wanted}: {err.strip()[:400]} {done.stdout[:100]}")


def refuse_mistakes(s):
    def edited(old, new):
        expect(old in ASKED, f"'{old}' is not in the map")
        return ASKED.replace(old, new)

    def refuse_value(key, value, *parts):
        refuse(s, f"{key}_{len(PROBLEMS)}", ASKED + f"  {key}: {value}\n", *parts, line=FIRST + 4)

    refuse(s, "not_listed", edited("[sst2]", "[mr]"), "mr is not among the experiment's datasets", line=FIRST + 1)
    refuse(s, "not_listed_second", edited("[sst2]", "\n    - sst2\n    - imdb"), "imdb is not among", line=FIRST + 3)
    refuse(s, "no_datasets", edited("  datasets: [sst2]\n", ""), "'attribution' without datasets", line=FIRST + 1)
    refuse(s, "empty_datasets", edited("[sst2]", "[]"), "datasets", line=FIRST + 1)
    refuse(s, "texts", edited("[sst2]", "[sst2, wikitext2]"), "wikitext2: a task of texts has no answers that words could decide", line=FIRST + 1)
    refuse(s, "no_map", "attribution: [sst2]\n", "attribution", line=FIRST)
    refuse_value("word", "3", "'word'", "did you mean 'words'")
    refuse_value("influence", "leave_two_out", "leave_two_out", "leave_one_out")
    refuse_value("score", "mean", "mean", "sum")
    refuse_value("words", "0", "words")
    refuse_value("neurons", "none", "neurons", "whole number")
    refuse_value("min_occurrences", "-1", "min_occurrences")
    refuse_value("random", "0", "random")
    refuse_value("lens", "101", "lens", "100")
    refuse_value("false_discovery_rate", "1.5", "false_discovery_rate")
    refuse_value("patch", "maybe", "patch")
    refuse_value("background", "c5", "c5")
    refuse_value("lexicon", "words.txt", "'lexicon' needs 'influence: lexicon'")
    refuse_value("influence", "lexicon", "'influence: lexicon' needs 'lexicon: FILE'")
    by_file = ASKED + "  influence: lexicon\n  lexicon: words.txt\n"
    for name, content, part in (("empty", "", "words.txt"), ("comments", "# nothing\n\n", "words.txt"), ("two", "fine\nnot one\n", "words.txt:2: 'not one'"),
                                ("twice", "fine\nbad\nFine\n", "words.txt:3: 'fine' stands in line 1"), ("weight", "fine\t0\n", "words.txt:1: weight '0'"),
                                ("weights", "fine\t1\nbad\n", "words.txt:2:"), ("bytes", b"fine\n\xff\xfe\n", "words.txt:2:")):
        write(f"{s}/bad/words.txt", content)
        refuse(s, f"lexicon_{name}", by_file, part)
    os.remove(f"{s}/bad/words.txt")
    refuse(s, "lexicon_missing", by_file, "words.txt", "No such file")
    bare = GRID.replace("calibration:\n  sets: [c4]\n  samples: 4\n  length: 64\n  draws: 2\n", "").replace("[dense, magnitude, wanda, sparsegpt, ria]", "[magnitude]")
    path = write(f"{s}/bad/bare.yaml", bare.format(model=MODEL) + ASKED)
    done = run("plan", path, cwd=s, check=2)
    expect(f"{path}:9: 'attribution' without calibration sets needs 'background: SET'" in done.stderr, done.stderr)
    expect(not os.path.exists(f"{s}/bad/never.h5") and not os.path.exists(f"{s}/bad/never.journal"), "a refused run leaves a file")
    expect(not PROBLEMS, f"{len(PROBLEMS)}\n" + "\n".join(PROBLEMS))


SMALL = """\
experiment: small
models: [{model}]
methods: [magnitude]
sparsity: [0.5]
calibration: {{sets: [c4], samples: 2, length: 32}}
datasets: [{datasets}]
"""


def rows(path, name):
    import h5py
    with h5py.File(path, "r") as f:
        return f[f"attribution/{name}"][:]


def fail(s, name, reason, attribution, datasets="sst2", model=MODEL, failed=("sst2",)):
    """The run is complete with the metrics of one without `attribution:`, and the rows of `failed` say why."""
    plain = write(f"{s}/{name}-plain.yaml", SMALL.format(model=model, datasets=datasets))
    asked = write(f"{s}/{name}.yaml", SMALL.format(model=model, datasets=datasets) + attribution)
    run("run", plain, "-o", f"{s}/{name}-plain.h5", "-q", cwd=s)
    run("run", asked, "-o", f"{s}/{name}.h5", "-q", cwd=s)
    state = run("status", "--check", f"{s}/{name}.h5").stdout
    expect("0 failed, 0 left" in state and "not attributed: " in state and reason in state, f"{name}: status says\n{state}")
    for table in ("bases", "losses"):
        got = {r["dataset"].decode(): (r["status"].decode(), r["error"].decode()) for r in rows(f"{s}/{name}.h5", table)}
        for dataset in failed:
            expect(got[dataset][0] == "failed" and reason in got[dataset][1] and "\n" not in got[dataset][1], f"{name}: {table} of {dataset}: {got}")
        rest = [d for d in got if d not in failed]
        expect(all(got[d] == ("done", "") for d in rest), f"{name}: {table}: {got}")
    expect(metrics(f"{s}/{name}.h5") == metrics(f"{s}/{name}-plain.h5"), f"{name}: other metrics than without attribution")


def fail_at_run(s):
    task = "type: multiple_choice\nkind: sentiment\ndata: {data}\ncontext: \"{{{{text}}}}\"\nchoices: [bad, good]\nmetrics: [acc]\n{label}"
    rng = random.Random(5)
    write_jsonl(f"{s}/items.jsonl", [{"text": ("a zebra " if i % 3 else "an ox ") + text(rng, 10), "label": i % 2, "hidden": -1} for i in range(16)])
    for name, label, part in (("unlabelled", "", "label"), ("hidden", "label: hidden\n", "items.jsonl:1: label -1 is out of range")):
        path = write(f"{s}/{name}.yaml", task.format(data=f"{s}/items.jsonl", label=label))
        grid = write(f"{s}/{name}-grid.yaml", SMALL.format(model=MODEL, datasets=path) + ASKED.replace("[sst2]", f"[{path}]"))
        err = run("plan", grid, cwd=s, check=2).stderr
        expect(err.count("\n") == 1 and part in err, f"{name}: {err}")
    zoo = write(f"{s}/zoo.yaml", task.format(data=f"{s}/items.jsonl", label="label: label\n"))
    write(f"{s}/strange.txt", "zebra\nquagga\n")
    fail(s, "strange", "none of its 2 words stands in", ASKED.replace("[sst2]", f"[{zoo}, sst2]") + "  influence: lexicon\n  lexicon: strange.txt\n",
         datasets=f"sst2, {zoo}", failed=["sst2"])
    fail(s, "rare", "no word but function words stands in at least 900 places", ASKED + "  min_occurrences: 900\n")
    experts = folder("reference") and f"{folder('reference')}/families/mixtral"
    if not experts or not os.path.isdir(experts):
        return skip("reference/families/mixtral is not here; the rest is as it should be")
    os.makedirs(f"{s}/models/experts")
    for name in ("config.json", "model.safetensors"):
        os.symlink(os.path.abspath(f"{experts}/{name}"), f"{s}/models/experts/{name}")
    words = ["<s>", "</s>", "<unk>", *dict.fromkeys(WORDS)]
    words = {"type": "BPE", "unk_token": "<unk>", "ignore_merges": True, "merges": [], "vocab": {w: i for i, w in enumerate(words)}}
    write(f"{s}/models/experts/tokenizer.json", json.dumps({"pre_tokenizer": {"type": "WhitespaceSplit"}, "model": words}))
    fail(s, "experts", "attribution of a mixture of experts is not supported", ASKED, model=f"{s}/models/experts")


if not have_h5py():
    skip("python3-h5py is not installed")
with Scratch() as s:
    os.environ["ESPALIER_DATA"] = make_data(f"{s}/data")
    refuse_mistakes(s)
    fail_at_run(s)
