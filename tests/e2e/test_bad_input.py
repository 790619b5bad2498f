"""Bad input: one clear line on standard error that names the place, exit status 2, nothing on standard output, nothing written."""
import math

from common import *

CASES = []  # (name, arguments, what the line must contain)


def case(name, args, *parts, stdin=None):
    CASES.append((name, args, parts, stdin))


def header(text_, body=b""):
    raw = text_.encode() if isinstance(text_, str) else text_
    return struct.pack("<Q", len(raw)) + raw + body


with Scratch() as s:
    env = {"ESPALIER_DATA": make_data(f"{s}/data")}
    outside = f"{s}/grids"
    before = None

    def grid(name, old="", new="", content=None):
        base = GRID.format(model=MODEL)
        if old:
            expect(old in base, f"{name}: '{old}' is not in the grid")
        return write(f"{outside}/{name}.yaml", content if content is not None else base.replace(old, new, 1) if old else base + new)

    def bad_grid(name, old, new, *parts, line=None):
        path = grid(name, old, new)
        where = f"{path}:{line}: " if line else f"{path}:"
        case(name, ["plan", path], where, *parts)
        case(name + "_run", ["run", path, "-o", f"{s}/never.h5"], where, *parts)

    # grids
    bad_grid("syntax", "[dense, magnitude", "[dense, [magnitude", "YAML")
    bad_grid("unknown_key", "limit: 8", "limmit: 8", "'limmit'", "did you mean 'limit'", line=11)
    bad_grid("unknown_method", "wanda", "wnada", "'wnada'", "wanda", line=3)
    bad_grid("unknown_param", "sparsegpt", "{sparsegpt: {blocksiz: 64}}", "blocksiz", "blocksize", line=3)
    bad_grid("param_range", "sparsegpt", "{sparsegpt: {blocksize: 0}}", "blocksize", line=3)
    bad_grid("negative_sparsity", "0.5", "-0.5", "-0.5", line=4)
    bad_grid("sparsity_one", "0.5", "1.0", line=4)
    bad_grid("pattern_3_2", "2:4", "3:2", "3:2", line=4)
    bad_grid("sparsity_word", "0.5", "half", "half", line=4)
    bad_grid("equal_entries", "[0.5,", "[0.5, 0.50,", "0.50", line=4)
    bad_grid("wrong_type", "limit: 8", "limit: many", "whole number", line=11)
    bad_grid("limit_zero", "limit: 8", "limit: 0", line=11)
    bad_grid("unknown_task", "[sst2, wikitext2]", "[sst, wikitext2]", "'sst'", line=10)
    bad_grid("unknown_calibration", "[c4]", "[c5]", "c5", line=6)
    bad_grid("length", "length: 64", "length: 4096", "1024", line=8)
    bad_grid("model_missing", MODEL, f"{s}/no-model", "no-model", line=2)
    bad_grid("exclude_all", "limit: 8", "limit: 8\nexclude: [{sparsity: [0.5, '2:4']}, {method: dense}]", "exclude")
    bad_grid("second_document", "limit: 8", "limit: 8\n---\nlimit: 9", "second")
    bad_grid("twice", "limit: 8", "limit: 8\nlimit: 8", "twice", line=12)
    case("draws_many", ["run", grid("draws_many", "draws: 2", "draws: 5000"), "-o", f"{s}/never.h5"], "train.jsonl", "5000 draws", "tokens")
    bad_grid("no_datasets", "datasets: [sst2, wikitext2]", "datasets: []", "datasets")
    case("grid_missing", ["run", f"{s}/absent.yaml"], "absent.yaml", "No such file")
    case("output_unwritable", ["run", grid("fine"), "-o", f"{s}/no/such/folder/r.h5"], "no/such/folder")
    # tasks and data
    task = "task: mine\nkind: sentiment\ndata: {data}\ntype: multiple_choice\ncontext: \"{{{{sentence}}}}\"\nchoices: [no, yes]\nlabel: label\nmetrics: [acc]\n"
    rows = [json.dumps({"sentence": "a b", "label": 0})] * 20
    lines = {"broken_line": (rows[:16] + ["{\"sentence\": "] + rows[17:], "data.jsonl:17:"),
             "label_out_of_range": (rows[:6] + [json.dumps({"sentence": "x", "label": 7})], "data.jsonl:7:"),
             "field_missing": (rows[:3] + [json.dumps({"label": 1})], "data.jsonl:4:"),
             "no_object": (["[1, 2]"], "data.jsonl:1:"),
             "empty_data": ([], "data.jsonl")}
    for name, (content, part) in lines.items():
        write(f"{s}/{name}/data.jsonl", "\n".join(content) + ("\n" if content else ""))
        path = write(f"{s}/{name}/mine.yaml", task.format(data=f"{s}/{name}/data.jsonl"))
        case(name, ["requests", path], f"{s}/{name}/{part}")
        case(name + "_grid", ["run", grid(name, "[sst2, wikitext2]\nlimit: 8", f"[{path}]"), "-o", f"{s}/never.h5"], part)
    write(f"{s}/badtask/data.jsonl", "\n".join(rows) + "\n")
    path = write(f"{s}/badtask/mine.yaml", task.format(data=f"{s}/badtask/data.jsonl") + "metricks: [acc]\n")
    case("task_key", ["requests", path], "mine.yaml:9:", "did you mean 'metrics'")
    case("task_unknown", ["requests", "sst3"], "sst3")
    # checkpoints
    def checkpoint(name, weights=None, config=None, drop=()):
        out = f"{s}/{name}"
        os.makedirs(out)
        for f in os.listdir(MODEL):
            if f not in drop:
                os.symlink(f"{MODEL}/{f}", f"{out}/{f}")
        if weights is not None:
            os.remove(f"{out}/model.safetensors")
            write(f"{out}/model.safetensors", weights)
        if config:
            c = json.load(open(f"{MODEL}/config.json"))
            c.update(config)
            os.remove(f"{out}/config.json")
            write(f"{out}/config.json", json.dumps(c))
        return ["prune", "--model", out, "--method", "magnitude", "--sparsity", "0.5", "-o", f"{s}/never"]

    whole = open(f"{MODEL}/model.safetensors", "rb").read()
    case("truncated", checkpoint("truncated", whole[:100000]), "model.safetensors")
    case("header_huge", checkpoint("header_huge", struct.pack("<Q", 1 << 63) + b"{}"), "model.safetensors", "header")
    case("header_no_json", checkpoint("header_no_json", header("{nonsense}")), "model.safetensors")
    overlap = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}
    case("overlap", checkpoint("overlap", header(json.dumps(overlap), b"\0" * 12)), "model.safetensors", "b")
    size = {"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}
    case("shape_size", checkpoint("shape_size", header(json.dumps(size), b"\0" * 8)), "model.safetensors", "tensor a")
    case("empty_weights", checkpoint("empty_weights", b""), "model.safetensors")
    case("config_shape", checkpoint("config_shape", config={"intermediate_size": 700}), "mlp.", "intermediate_size")
    case("config_family", checkpoint("config_family", config={"model_type": "lama"}), "lama", "llama")
    case("config_act", checkpoint("config_act", config={"hidden_act": "swoosh"}), "hidden_act", "swoosh")
    case("config_missing", checkpoint("config_missing", drop=("config.json",)), "config.json")
    n = struct.unpack("<Q", whole[:8])[0]
    at = 8 + n + json.loads(whole[8:8 + n])["model.layers.2.self_attn.o_proj.weight"]["data_offsets"][0]
    case("nan", checkpoint("nan", whole[:at] + b"\xff\x7f" + whole[at + 2:]), "model.layers.2.self_attn.o_proj.weight")
    # tokenizers
    spec = json.load(open(f"{MODEL}/tokenizer.json"))

    def tokenizer(name, change):
        changed = json.loads(json.dumps(spec))
        change(changed)
        write(f"{s}/{name}/tokenizer.json", json.dumps(changed))
        return ["tokenize", "--model", f"{s}/{name}"]

    case("tokenizer_no_vocab", tokenizer("tv", lambda t: t["model"].pop("vocab")), "tokenizer.json", "vocab", stdin="a\n")
    case("tokenizer_component", tokenizer("tc", lambda t: t.update(pre_tokenizer={"type": "Magic"})), "tokenizer.json", "Magic", stdin="a\n")
    case("tokenizer_same_id", tokenizer("ti", lambda t: t["model"]["vocab"].update({"zzzz": 300})), "tokenizer.json", "300", stdin="a\n")
    case("tokenizer_missing", ["tokenize", "--model", f"{s}/nothing"], "tokenizer.json", stdin="a\n")
    # calibration
    prune = ["prune", "--model", MODEL, "--method", "wanda", "--sparsity", "0.5", "-o", f"{s}/never", "--calibration"]
    case("calibration_empty", prune + [write(f"{s}/c/empty.jsonl", "")], "empty.jsonl")
    case("calibration_empty_text", prune + [write(f"{s}/c/text.jsonl", '{"text": ""}\n')], "text.jsonl:1:")
    case("calibration_empty_ids", prune + [write(f"{s}/c/ids.jsonl", '{"input_ids": [1, 2]}\n{"input_ids": []}\n')], "ids.jsonl:2:")
    case("calibration_vocabulary", prune + [write(f"{s}/c/big.jsonl", '{"input_ids": [1, 99999]}\n')], "big.jsonl:1:", "99999")
    case("calibration_no_field", prune + [write(f"{s}/c/none.jsonl", '{"txt": "a"}\n')], "none.jsonl:1:")
    case("calibration_needed", prune[:-1], "--calibration")
    case("sparsity_bad", ["prune", "--model", MODEL, "--method", "magnitude", "--sparsity", "1.5", "-o", f"{s}/never"], "1.5")
    case("out_parent", ["prune", "--model", MODEL, "--method", "magnitude", "--sparsity", "0.5", "-o", f"{s}/no/such/x"], "no/such")
    # score
    score = ["score", "--model", MODEL, "-"]
    case("score_broken", score, "<stdin>:2:", stdin='{"context": "a", "continuation": " b"}\n{"context": \n')
    case("score_empty_continuation", score, "<stdin>:1:", stdin='{"context": "a", "continuation": ""}\n')
    case("score_empty", score, "<stdin>", stdin="")
    case("score_long", score, "<stdin>:1:", "1024", stdin=json.dumps({"context_ids": [1], "continuation_ids": [5] * 1100}) + "\n")
    case("score_ids", score, "<stdin>:1:", "4096", stdin='{"context_ids": [1], "continuation_ids": [4096]}\n')
    # the command line
    case("command", ["prnue"], "prnue", "prune")
    case("option", ["run", grid("fine"), "--quite"], "--quite", "--quiet")
    case("option_twice", ["prune", "--model", MODEL, "--model", MODEL], "--model", "twice")
    case("results_missing", ["table", f"{s}/absent.h5"], "absent.h5")
    case("results_foreign", ["table", write(f"{s}/foreign.h5", "hello")], "foreign.h5")
    before = sorted(os.listdir(s))

    problems = []
    for name, args, parts, stdin in CASES:
        done = run(*args, env=env, cwd=s, stdin=stdin or "", check=None)
        err = done.stderr
        if done.returncode != 2:
            problems.append(f"{name}: status {done.returncode}: {err.strip()[:300]}")
        elif err.count("\n") != 1 or not err.startswith("espalier: "):
            problems.append(f"{name}: not one line 'espalier: ...': {err.strip()[:600]}")
        elif done.stdout:
            problems.append(f"{name}: printed {done.stdout[:100]!r}")
        elif missing := [p for p in parts if p not in err]:
            problems.append(f"{name}: the line lacks {missing}: {err.strip()}")
    expect(sorted(os.listdir(s)) == before, f"left behind: {set(os.listdir(s)) - set(before)}")
    expect(not problems, f"{len(problems)} of {len(CASES)}\n" + "\n".join(problems))
    print(f"{len(CASES)} cases")
