"""espalier attribute of a pair of checkpoints gives what an experiment with the same settings does; pairs that are none, data
sets and options that it cannot work with are refused in one line."""
from common import *

if not have_h5py():
    skip("python3-h5py is not installed")
import little_model

GRID_ = """\
experiment: pair
models: [{model}]
methods: [dense, magnitude]
sparsity: [0.5]
calibration: {{sets: [c4], samples: 2, length: 32}}
datasets: [{task}]
limit: 16
attribution: {{datasets: [{task}], min_occurrences: 2, candidates: 12, leave_out: 2, words: 6, neurons: 4, windows: 6, random: 3{more}}}
"""
OPTIONS = ["--limit", 16, "--min-occurrences", 2, "--candidates", 12, "--leave-out", 2, "--words", 6, "--neurons", 4, "--windows", 6, "--random", 3]
NAMES = ("model", "method", "sparsity")  # what a checkpoint does not know of itself


def sections(printed):
    """Section -> rows without names."""
    return {k: [{c: v for c, v in row.items() if c not in NAMES} for row in part["rows"]] for k, part in json.loads(printed).items()}


with Scratch() as s:
    os.environ["ESPALIER_DATA"] = make_data(f"{s}/data")
    model, task, pruned = little_model.make(f"{s}/models/little"), little_model.make_task(s), f"{s}/pruned"
    run("prune", "--model", model, "--method", "magnitude", "--sparsity", "0.5", "--dtype", "float32", "-o", pruned, "-q")
    for name, more, options in (("z", "", []), ("sum", ", score: sum, patch: false", ["--score", "sum", "--no-patch"]),
                                ("odds", ", influence: log_odds, stop_words: true", ["--influence", "log_odds", "--stop-words"])):
        grid = write(f"{s}/{name}.yaml", GRID_.format(model=model, task=task, more=more))
        run("run", grid, "-o", f"{s}/{name}.h5", "-q", cwd=s)
        show = ["--format", "json", "--section", "words,units,apart,causal,losses,layers"]
        want = sections(run("attribute", f"{s}/{name}.h5", *show).stdout)
        got = sections(run("attribute", "--model", model, "--pruned", pruned, "--dataset", task, "-q", *OPTIONS, *options, *show).stdout)
        expect({"words", "units", "causal", "losses", "layers"} <= set(want) and all(want[k] for k in ("words", "units", "causal", "losses")), f"{name}: sections {list(want)}")
        expect(got.keys() == want.keys(), f"{name}: sections {list(got)}, wanted {list(want)}")
        for k in want:
            expect(got[k] == want[k], f"{name}: {k}:\n{got[k]}\nan experiment's:\n{want[k]}")

    shallow = f"{s}/models/shallow"
    shutil.copytree(model, shallow)
    config = json.load(open(f"{model}/config.json"))
    write(f"{shallow}/config.json", json.dumps({**config, "num_hidden_layers": 1}))
    other = f"{s}/models/words"
    shutil.copytree(pruned, other)
    spec = json.load(open(f"{MODEL}/tokenizer.json"))
    spec["pre_tokenizer"]["add_prefix_space"] = True
    os.remove(f"{other}/tokenizer.json")
    write(f"{other}/tokenizer.json", json.dumps(spec))
    write(f"{s}/empty.txt", "# nothing\n")
    write(f"{s}/strange.txt", "zebra\n")
    pair = ["attribute", "-q", "--model", model, "--pruned", pruned, "--dataset"]
    cases = [
        ("another width", ["attribute", "-q", "--model", model, "--pruned", MODEL, "--dataset", task], ["little (2 blocks of 48 units)", "nano-llama (6 blocks of 704 units)"]),
        ("another depth", ["attribute", "-q", "--model", model, "--pruned", shallow, "--dataset", task], ["shallow", "1 block"]),
        ("another tokenizer", ["attribute", "-q", "--model", model, "--pruned", other, "--dataset", task], ["different tokenizers"]),
        ("no dense model", ["attribute", "-q", "--model", f"{s}/nothing", "--pruned", pruned, "--dataset", task], ["nothing"]),
        ("no data set", ["attribute", "-q", "--model", model, "--pruned", pruned], ["--dataset"]),
        ("texts", [*pair, "wikitext2"], ["wikitext2: a task of texts has no answers"]),
        ("unknown data set", [*pair, "sst3"], ["sst3"]),
        ("unknown background", [*pair, task, "--background", "c5"], ["c5"]),
        ("empty lexicon", [*pair, task, "--influence", "lexicon", "--lexicon", f"{s}/empty.txt"], ["empty.txt"]),
        ("strange lexicon", [*pair, task, "--influence", "lexicon", "--lexicon", f"{s}/strange.txt"], ["strange.txt", "none of its 1 words stands in"]),
        ("no lexicon", [*pair, task, "--influence", "lexicon"], ["--lexicon"]),
        ("lexicon without influence", [*pair, task, "--lexicon", f"{s}/strange.txt"], ["--influence lexicon"]),
        ("rare words", [*pair, task, "--min-occurrences", 900], ["stands in at least 900 places"]),
        ("score", [*pair, task, "--score", "mean"], ["mean", "sum"]),
        ("a file without", ["attribute", f"{s}/data/c4/train.jsonl"], ["train.jsonl"]),
    ]
    problems = []
    for name, args, parts in cases:
        done = run(*args, check=None)
        if done.returncode != 2 or done.stdout or done.stderr.count("\n") != 1 or not all(p in done.stderr for p in parts):
            problems.append(f"{name}: status {done.returncode}, wanted {parts}: {done.stderr.strip()[:300]} {done.stdout[:100]}")
    expect(not problems, f"{len(problems)} of {len(cases)}\n" + "\n".join(problems))
