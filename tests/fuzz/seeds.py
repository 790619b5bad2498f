"""The inputs that the fuzz targets start from, made of this repository's own tests, configs and experiments.

usage: seeds.py SOURCE SEED_JOURNAL OUT"""
import glob
import json
import os
import re
import struct
import subprocess
import sys

source, seed_journal, out = sys.argv[1:]


def put(target, name, content):
    path = os.path.join(out, target, re.sub(r"[^A-Za-z0-9_.-]", "_", name))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())


def literals(path):
    """The C strings of a test, neighbours joined as the compiler joins them."""
    text = open(f"{source}/{path}", encoding="utf-8").read()
    string = r'"(?:[^"\\\n]|\\.)*"'
    for joined in re.findall(rf"{string}(?:\s*{string})*", text):
        parts = [p[1:-1] for p in re.findall(string, joined)]
        yield "".join(re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t", "0": ""}.get(m[1], m[1]), p) for p in parts)


def safetensors(name, tensors, metadata=None):
    at, head, body = 0, {}, b""
    for key, dtype, shape, width in tensors:
        n = width
        for d in shape:
            n *= d
        head[key] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + n]}
        body += bytes(i % 63 for i in range(n))
        at += n
    if metadata:
        head["__metadata__"] = metadata
    raw = json.dumps(head).encode()
    raw += b" " * (-len(raw) % 8)
    put("safetensors", name, struct.pack("<Q", len(raw)) + raw + body)


def seed_safetensors():
    safetensors("empty", [])
    safetensors("one", [("model.norm.weight", "F32", [4], 4)], {"format": "pt"})
    safetensors("types", [("a", "BF16", [2, 3], 2), ("b", "F16", [], 2), ("c", "I64", [1], 8), ("d", "BOOL", [5], 1),
                          ("e", "F64", [0, 7], 8), ("f", "U8", [1, 1, 1, 2], 1), ("g", "F8_E4M3", [3], 1)])
    put("safetensors", "short", b"\x10\0\0\0")


TOKENIZER = {"added_tokens": [{"id": 1, "content": "<s>", "special": True, "lstrip": False, "rstrip": True,
                               "normalized": False, "single_word": False}],
             "normalizer": None, "pre_tokenizer": None, "post_processor": None, "decoder": None,
             "model": {"type": "BPE", "dropout": None, "unk_token": "?", "byte_fallback": False, "ignore_merges": False,
                       "vocab": {"?": 0, "a": 2, "b": 3, "Ġ": 4, "ab": 5, "Ġa": 6}, "merges": ["a b", ["Ġ", "a"]]}}


def seed_tokenizer():
    text = "\0Don't stop  ab a\n12".encode()
    put("tokenizer", "base", json.dumps(TOKENIZER).encode() + text)
    seen = 0
    for path in sorted(glob.glob(f"{source}/tests/tokenizer/test_*.c")):
        for literal in literals(os.path.relpath(path, source)):
            try:
                tree = json.loads(literal.replace("`", '"'))
            except ValueError:
                continue
            if not isinstance(tree, dict) or not ("model" in tree or "type" in tree):
                continue
            if "model" not in tree:
                place = {"normalize": "normalizer", "pretokenize": "pre_tokenizer"}.get(os.path.basename(path)[5:-2], "post_processor")
                tree = {**TOKENIZER, place: tree}
            seen += 1
            put("tokenizer", f"{os.path.basename(path)[5:-2]}{seen}", json.dumps(tree, ensure_ascii=False).encode() + text)
    whole = json.load(open(f"{source}/experiments/demo/nano-llama/tokenizer.json"))
    vocab = {k: v for k, v in whole["model"]["vocab"].items() if v < 300}
    pairs = [m if isinstance(m, list) else m.split(" ") for m in whole["model"]["merges"]]
    whole["model"].update(vocab=vocab, merges=[p for p in pairs if {p[0], p[1], p[0] + p[1]} <= set(vocab)])
    put("tokenizer", "nano-llama", json.dumps(whole, ensure_ascii=False).encode() + text)


def seed_jsonl():
    put("jsonl", "rows", '{"text": "a b", "label": 0}\n\n{"text": "caf\\u00e9 \\ud83d\\ude00", "n": [1, 2.5e3, null]}\n')
    for i, literal in enumerate(literals("tests/data/test_jsonl.c")):
        if "{" in literal:
            put("jsonl", f"test{i}", literal)


def document(yaml):
    """Lines with every field that a task's templates name."""
    tags = " ".join(re.findall(r"\{[{%](.*?)[%}]\}", yaml))
    fields = dict.fromkeys(re.findall(r"[A-Za-z_]\w*", tags), "some text")
    fields.update(label=1, answer=1, choices=["one", "two"], text="Words. More words.", sentence="a fine film")
    return (json.dumps(fields) + "\n") * 3


def seed_task_and_template():
    for path in sorted(glob.glob(f"{source}/configs/tasks/*.yaml")):
        text = open(path, encoding="utf-8").read()
        lines = document(text)
        name = os.path.basename(path)
        task = re.sub(r"^(data|train):.*$", r"\1: test.jsonl", text, flags=re.M)
        put("task", name, f"{task}\0{lines}")
        for i, template in enumerate(re.findall(r'"(.*\{[{%].*)"', text)):
            put("template", f"{name}{i}", template.replace("\\n", "\n") + "\0" + lines.split("\n")[0])
    for i, literal in enumerate(literals("tests/data/test_template.c")):
        if "{" in literal:
            put("template", f"test{i}", literal + '\0{"a": "x", "b": [1, 2], "c": {"d": 3}, "n": 5, "text": "Abc def"}')


def seed_grid():
    for path in sorted(glob.glob(f"{source}/experiments/*.yaml")) + sorted(glob.glob(f"{source}/configs/published/*.yaml")):
        put("grid", os.path.basename(path), re.sub(r"^models:.*$", "models: [tiny]", open(path, encoding="utf-8").read(), flags=re.M))
    for i, literal in enumerate(literals("tests/grid/test_parse.c")):
        if ":" in literal and "\n" in literal:
            put("grid", f"test{i}", literal)
    put("grid", "all", "experiment: x\nmodels: [tiny]\nmethods: [dense, wanda, {sparsegpt: {blocksize: [64, 128], percdamp: 0.01}}]\n"
        "sparsity: [0.5, '2:4']\ncalibration: {sets: [c4], samples: [4, 8], length: 16, draws: 2, propagate: dense}\n"
        "datasets: [sst2, wikitext2]\nlimit: 8\nwindow: 16\nshots: 1\nseed: 3\nbos: true\nprecision: bfloat16\n"
        "store: {items: false, masks: true}\nexclude: [{method: wanda, sparsity: 0.5}, {calibration: c4, draw: [1]}]\n")


def seed_requests():
    put("requests", "texts", '{"context": "a b", "continuation": " ab"}\n{"context": "", "continuation": "ab "}\n')
    put("requests", "ids", '{"context_ids": [1, 2, 3], "continuation_ids": [4, 5]}\n')
    put("requests", "long", json.dumps({"context": "ab " * 30, "continuation": " a" * 9}) + "\n")
    put("requests", "long_ids", json.dumps({"context_ids": [2] * 40, "continuation_ids": [3] * 24}) + "\n")
    put("requests", "special", '{"context": "<s>a\\t ", "continuation": "\\u00e9<s>"}\n')


seed_safetensors()
seed_tokenizer()
seed_jsonl()
seed_task_and_template()
seed_grid()
seed_requests()
os.makedirs(f"{out}/journal", exist_ok=True)
subprocess.run([seed_journal, f"{out}/journal"], check=True)
for target in sorted(os.listdir(out)):
    print(f"{target}: {len(os.listdir(os.path.join(out, target)))} seeds")
