#!/usr/bin/env python3
"""Forward passes beside a peer: Espalier's prefill and that of transformers' LlamaForCausalLM on
PyTorch 2 (scaled dot-product attention, torch.compile), in turns, on the same threads.

    python3 -m venv /tmp/peer && /tmp/peer/bin/pip install torch transformers
    /tmp/peer/bin/python tests/bench/peer_forward.py --espalier build/release/espalier
"""
import argparse
import json
import os
import statistics
import subprocess
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

SHAPE = dict(hidden=768, blocks=12, heads=12, ffn=2048, vocab=32000, tied=1)


def peer(precision, compiled):
    config = LlamaConfig(hidden_size=SHAPE["hidden"], num_hidden_layers=SHAPE["blocks"],
                         num_attention_heads=SHAPE["heads"], intermediate_size=SHAPE["ffn"],
                         vocab_size=SHAPE["vocab"], tie_word_embeddings=True, use_cache=False,
                         attn_implementation="sdpa")
    torch.manual_seed(0)
    model = LlamaForCausalLM(config).eval().to(getattr(torch, precision))
    return torch.compile(model) if compiled else model


def seconds_of(model, ids):
    start = time.perf_counter()
    with torch.inference_mode():
        model(input_ids=ids, use_cache=False)
    return time.perf_counter() - start


def espalier_rate(arguments, precision):
    """Tokens per second of one run with all threads."""
    shape = ",".join(f"{key}={value}" for key, value in SHAPE.items())
    out = subprocess.run(
        [arguments.espalier, "bench", "forward", "--shape", shape, "--batch", arguments.batch,
         "--precision", precision, "--threads", str(arguments.threads), "--repeats", "3", "--json"],
        check=True, capture_output=True, text=True)
    figures = json.loads(out.stdout)["figures"]
    rates = [f["value"] for f in figures if f["unit"] == "tokens/s" and f["threads"] == arguments.threads]
    return rates[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--espalier", required=True)
    parser.add_argument("--batch", default="8x512")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--turns", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    sequences, length = map(int, arguments.batch.split("x"))
    ids = torch.randint(0, SHAPE["vocab"], (sequences, length), generator=torch.Generator().manual_seed(1))
    print(f"PyTorch {torch.__version__}, {arguments.threads} threads, {arguments.batch} tokens")
    for precision in ("float32", "bfloat16"):
        ways = {"eager": peer(precision, False), "compiled": peer(precision, True)}
        for model in ways.values():
            for _ in range(2):
                seconds_of(model, ids)
        rates = {name: [] for name in (*ways, "espalier")}
        for _ in range(arguments.turns):
            rates["espalier"].append(espalier_rate(arguments, precision))
            for name, model in ways.items():
                middle = statistics.median(seconds_of(model, ids) for _ in range(3))
                rates[name].append(ids.numel() / middle)
        median = {name: statistics.median(values) for name, values in rates.items()}
        ratio = statistics.median(a / b for a, b in zip(rates["espalier"], rates["compiled"]))
        print(f"{precision}: transformers {median['eager']:.0f} eager, {median['compiled']:.0f} compiled; "
              f"espalier {median['espalier']:.0f} tokens/s: {ratio:.2f} times the compiled")


if __name__ == "__main__":
    main()
