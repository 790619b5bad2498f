#!/usr/bin/env python3
"""espalier calibrate: its draws are those of the pruning papers' loaders, written here again over CPython's
random; a drawn file replays to the same tokens; every shipped set whose data is there can be drawn."""
import glob
import json
import os
import random

import common
from common import MODEL, Scratch, expect, make_data, run, write, write_jsonl

LENGTH, SAMPLES = 64, 12


def tokenize(texts, env):
    """Ids of each text, with special tokens."""
    lines = "".join(json.dumps({"text": t}) + "\n" for t in texts)
    out = run("tokenize", "--model", MODEL, "--jsonl", "--special", stdin=lines, env=env).stdout
    return [[int(x) for x in line.split()] for line in out.splitlines()]


def authors_c4(documents, seed):
    """get_c4 of SparseGPT, Wanda and RIA, over tokenised documents."""
    random.seed(seed)
    drawn = []
    for _ in range(SAMPLES):
        while True:
            i = random.randint(0, len(documents) - 1)
            if len(documents[i]) > LENGTH:
                break
        j = random.randint(0, len(documents[i]) - LENGTH - 1)
        drawn.append(documents[i][j:j + LENGTH])
    return drawn


def authors_wikitext2(tokens, seed):
    random.seed(seed)
    starts = [random.randint(0, len(tokens) - LENGTH - 1) for _ in range(SAMPLES)]
    return [tokens[i:i + LENGTH] for i in starts]


def calibrate(name, folder, env, *more):
    path = f"{folder}/ids.jsonl"
    done = run("calibrate", name, "--model", MODEL, "--samples", SAMPLES, "--length", LENGTH, "-o", path, *more,
               env=env)
    return [json.loads(line)["input_ids"] for line in open(path)], done.stdout


def check_loaders(data, folder):
    env = {"ESPALIER_DATA": data}
    c4 = [json.loads(line)["text"] for line in open(f"{data}/c4/train.jsonl")]
    documents = tokenize(c4, env)
    lines = [json.loads(line)["text"] for line in open(f"{data}/wikitext2/train.jsonl")]
    joined = tokenize([" ".join(lines)], env)[0]
    for seed in (0, 7):
        drawn, text = calibrate("c4", folder, env, "--seed", seed)
        expect(drawn == authors_c4(documents, seed), f"c4 with seed {seed} differs from the authors' loader")
        drawn, _ = calibrate("wikitext2", folder, env, "--seed", seed)
        expect(drawn == authors_wikitext2(joined, seed), f"wikitext2 with seed {seed} differs from the authors'")
    for word in ("documents", "sequences   12", "length      min 64, median 64, max 64", "vocabulary",
                 "perplexity", "digest"):
        expect(word in text, f"no {word} in the statistics")


def check_replay(data, folder):
    drawn, text = calibrate("c4", folder, {"ESPALIER_DATA": data}, "--no-perplexity")
    expect("perplexity" not in text, "a perplexity that nobody asked for")
    write_jsonl(f"{folder}/data/released.jsonl", [{"input_ids": ids} for ids in drawn])
    path = write(f"{folder}/released.yaml", "source: data/released.jsonl\nids: input_ids\n")
    again, replayed = calibrate(path, folder, None, "--no-perplexity")
    expect(again == drawn, "replayed ids differ")
    digest = [line for line in text.splitlines() if line.startswith("digest")]
    expect(digest[0] in replayed, "replayed ids have another digest")


def check_draws(data, folder):
    env = {"ESPALIER_DATA": data}
    first, _ = calibrate("c4_kmeans", folder, env, "--draws", 2, "--most", 14)
    second, _ = calibrate("c4_kmeans", folder, env, "--draws", 2, "--most", 14, "--draw", 1)
    expect(not {tuple(s) for s in first} & {tuple(s) for s in second}, "two draws share a window")
    bad = run("calibrate", "c4", "--model", MODEL, "--samples", 3, "--most", 2, env=env, check=2)
    expect("--samples: 3 (expected at most --most 2)" in bad.stderr, "--most below --samples")


def check_shipped(data, folder):
    """Sets that need data that is not there are left out, and said so."""
    missing = []
    for path in sorted(glob.glob(os.path.join(common.SOURCE, "configs/calibration/*.yaml"))):
        name = os.path.basename(path)[:-len(".yaml")]
        done = run("calibrate", name, "--model", MODEL, "--samples", 4, "--length", 16, "--no-perplexity",
                   env={"ESPALIER_DATA": data}, check=None)
        if done.returncode == 2 and "no file '" in done.stderr:
            missing.append(name)
            continue
        expect(done.returncode == 0, f"{name}: {done.stderr}")
        expect(len(done.stdout.splitlines()) == 4, f"{name}: not four sequences")
    print("without data:", " ".join(missing) or "none")


with Scratch() as folder:
    small = make_data(f"{folder}/small")
    check_loaders(small, folder)
    check_replay(small, folder)
    check_draws(small, folder)
    demo = os.path.join(common.SOURCE, "experiments/demo/data")
    if common.folder("data"):
        check_loaders(common.folder("data"), folder)
        check_shipped(common.folder("data") + ":" + demo, folder)
    else:
        check_shipped(small + ":" + demo, folder)
