"""Peak anonymous memory of `espalier prune` beside the bound that streaming promises: activations, one block of
weights in float32, the block's Gram matrices when the method needs them, and 256 MiB for everything else.

    peak_memory.py ESPALIER prune --model DIR --method NAME --sparsity S --calibration IDS.jsonl [...] -o OUT

The command runs as given, in one process. The calibration file holds {"input_ids": [...]} per line. By hand:
    cmake --build B --target make_model && B/tests/make_model 1.1b llama-1.1b bfloat16
    peak_memory.py B/espalier prune --model 1.1b --method wanda --sparsity 0.5 --calibration ids.jsonl \\
      --precision bfloat16 -o pruned
and `peak_memory.py --ids 16 512 32000 > ids.jsonl` writes random ids for it."""
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from memory import peak  # noqa: E402

WORD = 4  # bytes of a float32
BATCH = 1024  # src/prune/streams.c
REST = 256 << 20


def option(command, name, default=None):
    for i, word in enumerate(command):
        if word == name:
            return command[i + 1]
        if word.startswith(name + "="):
            return word[len(name) + 1:]
    return default


def shape(folder):
    with open(os.path.join(folder, "config.json")) as f:
        c = json.load(f)
    width = c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"]
    return (c["hidden_size"], c["num_attention_heads"] * width, c.get("num_key_value_heads", c["num_attention_heads"]) * width,
            c["intermediate_size"])


def bound(command):
    """[(what, bytes, remark)] of a LLaMA-like model: queries, keys, values, output; gate, up, down."""
    hidden, queries, keys, ffn = shape(option(command, "--model"))
    with open(option(command, "--calibration")) as f:
        lengths = [len(json.loads(line)["input_ids"]) for line in f]
    tokens = sum(lengths)
    batch = max(max(lengths), BATCH)
    per_token = 2 * hidden + queries + 2 * keys + 2 * ffn
    block = hidden * (2 * queries + 2 * keys + 3 * ffn)
    inputs = (hidden, queries, hidden, ffn)
    grams = sum(n * n for n in inputs) if option(command, "--method") == "sparsegpt" else 0
    return [("residual stream", tokens * hidden * WORD, f"{tokens} tokens of {hidden} numbers in float32"),
            ("one batch", batch * per_token * WORD, f"{batch} tokens: copy, norm, queries, keys, values, gate, up"),
            ("one block", block * WORD, f"{block} weights in float32"),
            ("Gram matrices", grams * WORD, "of the block's inputs, in float32" if grams else "none with this method"),
            ("everything else", REST, "")]


def main(command):
    if command[:1] == ["--ids"]:
        sequences, length, vocabulary = map(int, command[1:])
        rng = random.Random(0)
        for _ in range(sequences):
            print(json.dumps({"input_ids": [rng.randrange(vocabulary) for _ in range(length)]}))
        return 0
    if len(command) < 2 or command[1] != "prune":
        print(__doc__, file=sys.stderr)
        return 2
    rows = bound(command)
    most, status = peak(command, interval=0.02)
    if status != 0:
        return status
    total = sum(size for _, size, _ in rows)
    for what, size, remark in rows + [("bound", total, ""), ("peak", most, f"{most / total:.0%} of the bound")]:
        print(f"{what:16}{size / 2**20:8.1f} MiB  {remark}".rstrip())
    return 0 if most <= total else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
