"""Activations, scores and losses of an attribution are those of forward passes written here in NumPy, in float64 from the
checkpoints' files: a gated family with SiLU, one with ReLU and no gate, a gated one with the tanh form of GELU; dense, and with
the masks that the results file holds. To 1e-5: of a dense activation its own size, of a pruned one the dense one's (a ReLU leaves
some near 0), along a passage the largest there."""
import math
import re

from common import *

if not have_h5py():
    skip("python3-h5py is not installed")
import h5py
import numpy as np

NEURONS, RATE, WINDOWS = 6, 0.05, 4
CHOSEN = ["river", "stone", "garden", "summer", "teacher", "mountain"]
TASK = """\
kind: sentiment
type: multiple_choice
data: {data}
context: "Review: {{{{text}}}} It was"
choices: [bad, good]
label: label
metrics: [acc]
"""
GRID_ = """\
experiment: activations
models: [{model}]
methods: [dense, magnitude]
sparsity: [0.5]
calibration: {{sets: [c4], samples: 2, length: 32}}
datasets: [{task}]
store: {{masks: true}}
attribution:
  datasets: [{task}]
  influence: lexicon
  lexicon: {lexicon}
  min_occurrences: 1
  neurons: {neurons}
  windows: {windows}
  causal: false
  patch: false
"""


def weights(folder_):
    out = {}
    for name, (dtype, shape, raw) in read_safetensors(f"{folder_}/model.safetensors").items():
        x = np.frombuffer(raw, np.float32) if dtype == "F32" else (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)
        out[name] = x.astype(np.float64).reshape(shape)
    return out


def attend(q, k, v, heads, kv_heads):
    """[tokens][heads * d], causal, scaled by 1 / sqrt(d)."""
    n, d = len(q), q.shape[1] // heads
    q = q.reshape(n, heads, d)
    k, v = (np.repeat(x.reshape(n, kv_heads, d), heads // kv_heads, axis=1) for x in (k, v))
    scores = np.einsum("ihd,jhd->hij", q, k) / math.sqrt(d)
    scores = np.where(np.tril(np.ones((n, n), bool)), scores, -np.inf)
    p = np.exp(scores - scores.max(-1, keepdims=True))
    return np.einsum("hij,jhd->ihd", p / p.sum(-1, keepdims=True), v).reshape(n, heads * d)


def rotate(x, heads, theta):
    n, d = len(x), x.shape[1] // heads
    angle = np.outer(np.arange(n), theta ** (-np.arange(0, d, 2) / d))
    cos, sin = (np.tile(f(angle), 2)[:, None] for f in (np.cos, np.sin))
    x = x.reshape(n, heads, d)
    turned = np.concatenate([-x[..., d // 2:], x[..., :d // 2]], -1)
    return (x * cos + turned * sin).reshape(n, heads * d)


def llama(w, c, ids):
    """Units of every block, [blocks][tokens][units]; gemma differs in scale, norm and activation."""
    gemma = c["model_type"] == "gemma"
    heads, kv = c["num_attention_heads"], c["num_key_value_heads"]

    def norm(x, name):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + c["rms_norm_eps"]) * (w[name] + gemma)

    def activation(x):
        if gemma:
            return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))
        return x / (1 + np.exp(-x))

    x = w["model.embed_tokens.weight"][ids] * (math.sqrt(c["hidden_size"]) if gemma else 1)
    units = []
    for b in range(c["num_hidden_layers"]):
        p = f"model.layers.{b}."
        at = norm(x, p + "input_layernorm.weight")
        q, k, v = (at @ w[f"{p}self_attn.{n}_proj.weight"].T for n in "qkv")
        x = x + attend(rotate(q, heads, c["rope_theta"]), rotate(k, kv, c["rope_theta"]), v, heads, kv) @ w[p + "self_attn.o_proj.weight"].T
        at = norm(x, p + "post_attention_layernorm.weight")
        units.append(activation(at @ w[p + "mlp.gate_proj.weight"].T) * (at @ w[p + "mlp.up_proj.weight"].T))
        x = x + units[-1] @ w[p + "mlp.down_proj.weight"].T
    return np.array(units)


def opt(w, c, ids):
    def norm(x, name):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * w[name + ".weight"] + w[name + ".bias"]

    def linear(x, name):
        return x @ w[name + ".weight"].T + w[name + ".bias"]

    x = w["model.decoder.embed_tokens.weight"][ids] + w["model.decoder.embed_positions.weight"][2:2 + len(ids)]
    units = []
    for b in range(c["num_hidden_layers"]):
        p = f"model.decoder.layers.{b}."
        at = norm(x, p + "self_attn_layer_norm")
        q, k, v = (linear(at, f"{p}self_attn.{n}_proj") for n in "qkv")
        x = x + linear(attend(q, k, v, c["num_attention_heads"], c["num_attention_heads"]), p + "self_attn.out_proj")
        units.append(np.maximum(linear(norm(x, p + "final_layer_norm"), p + "fc1"), 0))
        x = x + linear(units[-1], p + "fc2")
    return np.array(units)


def spans(folder_, text_, ids):
    """Bytes of each token: of a byte-level vocabulary, or of one whose tokens are words."""
    spec = json.load(open(f"{folder_}/tokenizer.json"))
    if spec["pre_tokenizer"]["type"] == "WhitespaceSplit":
        return [m.span() for m in re.finditer(r"\S+", text_)]
    names = {i: t for t, i in spec["model"]["vocab"].items()}
    ends = np.cumsum([len(names[i]) for i in ids])
    return [(int(e) - len(names[i]), int(e)) for i, e in zip(ids, ends)]


def tokenize(model, texts):
    out = run("tokenize", "--model", model, "--jsonl", stdin="".join(json.dumps({"text": t}) + "\n" for t in texts)).stdout
    return [list(map(int, line.split())) for line in out.splitlines()]


def add_words(folder_, source):
    """A family's checkpoint with a tokenizer of our words."""
    os.makedirs(folder_)
    for name in ("config.json", "model.safetensors"):
        os.symlink(os.path.abspath(f"{source}/{name}"), f"{folder_}/{name}")
    words = ["<s>", "</s>", "<unk>", "Review:", "It", "was", "bad", "good", *[w for w in dict.fromkeys(WORDS) if w != "was"]]
    model = {"type": "BPE", "unk_token": "<unk>", "ignore_merges": True, "merges": [], "vocab": {w: i for i, w in enumerate(words)}}
    write(f"{folder_}/tokenizer.json", json.dumps({"pre_tokenizer": {"type": "WhitespaceSplit"}, "model": model}))
    return folder_


class Seen:
    """What a model's units do on the items and on neutral text."""

    def __init__(self, forward, w, c, contexts, ids, windows):
        self.contexts, self.units = contexts, [forward(w, c, i) for i in ids]
        blocks, _, width = self.units[0].shape
        self.A = {}
        for word in CHOSEN:
            rows = [self.units[item][:, t] for item, t in self.uses(word)]
            self.A[word] = np.abs(rows).mean(0).reshape(blocks * width)
        neutral = np.abs(np.concatenate([forward(w, c, i)[:, 1:] for i in windows], 1))
        self.tokens, self.mean, self.spread = neutral.shape[1], neutral.mean(1).ravel(), neutral.std(1).ravel()
        self.block_mean = np.repeat(neutral.mean((1, 2)), width)
        self.median = np.repeat(np.sort(neutral.mean(1), -1)[:, width // 2], width)

    def uses(self, word):
        """(item, token) that share a byte with the word, but in a word that opens its item."""
        for item, (text_, at) in enumerate(self.contexts):
            for m in re.finditer(rf"\b{word}\b", text_):
                tokens = [t for t, (a, b) in enumerate(at) if a < m.end() and b > m.start()]
                yield from ((item, t) for t in tokens if tokens[0] > 0)


def worst(got, want, bound, what, scale=None):
    got, want = np.asarray(got, float), np.asarray(want, float)
    expect(got.shape == want.shape, f"{what}: {got.shape}, wanted {want.shape}")
    off = np.abs(got - want) / np.maximum(np.abs(want) if scale is None else scale, 1e-30)
    expect(off.max(initial=0) <= bound, f"{what}: off by {off.max():.3g} (bound {bound:g})")
    return float(off.max(initial=0))


def check_matches(f, seen, width):
    """The best units of every word by z, their p and whether they pass Benjamini and Hochberg's procedure."""
    usual = ~((seen.median > 0) & (seen.mean > 50 * seen.median)) & ~((seen.mean > 0) & (seen.mean >= 2 * seen.spread))
    apart = {(int(r["block"]), int(r["unit"])) for r in f["attribution/apart"][:]}
    expect(apart == {divmod(int(u), width) for u in np.flatnonzero(~usual)}, f"apart are {sorted(apart)}")
    units, words, off = f["attribution/units"][:], f["attribution/words"][:], []
    worst(units["mean"], seen.mean[units["block"] * width + units["unit"]], 1e-5, "mean of |a| over the background")
    worst(units["spread"], seen.spread[units["block"] * width + units["unit"]], 1e-4, "its spread")
    for i, word in enumerate(CHOSEN):
        expect(words[i]["text"].decode() == word, f"word {i} is {words[i]['text']}")
        m = f["attribution/matches"][:]
        m = m[m["word"] == i]
        number = units["block"][m["unit"]] * width + units["unit"][m["unit"]]
        z = np.where(usual, (seen.A[word] - seen.mean) / (seen.spread + 1e-6 * seen.block_mean), -np.inf)
        n = sum(1 for _ in seen.uses(word))
        error = seen.spread * math.sqrt(1 / n + 1 / seen.tokens)
        t = np.divide(seen.A[word] - seen.mean, error, out=np.full_like(error, -np.inf), where=error > 0)
        p = np.where(error > 0, [0.5 * math.erfc(x / math.sqrt(2)) for x in t], seen.A[word] <= seen.mean)
        ranked = np.sort(p[usual])
        passing = np.flatnonzero(ranked <= RATE * np.arange(1, len(ranked) + 1) / len(ranked))
        bar = ranked[passing[-1]] if len(passing) else -1
        best = np.sort(z)[::-1][:NEURONS]
        worst(m["score"], best, 1e-4, f"scores of {word}")
        worst(m["score"], z[number], 1e-4, f"scores of {word}'s units")
        worst(m["p"], p[number], 1e-3, f"p of {word}", np.maximum(p[number], 1e-12))
        expect(all(bool(g) == bool(x <= bar) for g, x in zip(m["found"], p[number])), f"found of {word}: {m['found']}")
        off.append(worst(m["activation"], seen.A[word][number], 1e-5, f"activations of {word}"))
    return max(off)


def check_passages(f, dense, pruned, width):
    """The first use of each word, coloured by its best unit."""
    base, off = f["attribution"], []
    matches, units, variants = base["matches"][:], base["units"][:], base["traces"][:]
    expect(len(base["examples"]) == len(CHOSEN) and len(variants) == len(CHOSEN), "an example for every word")
    for x, trace in zip(base["examples"][:], variants):
        word, unit = CHOSEN[matches[x["match"]]["word"]], units[matches[x["match"]]["unit"]]
        item, token = next(dense.uses(word))
        text_, at = dense.contexts[item]
        tokens = [t for i, t in dense.uses(word) if i == item]
        run_ = [t for k, t in enumerate(tokens) if t == token + k]
        first, end = max(0, token - 40), token
        while end in run_ and at[end][0] < text_.find(word) + len(word):
            end += 1
        behind = min(len(at), end + 24)
        expect((x["item"], x["tokens"]) == (item, behind - first), f"passage of {word}: {x}, wanted tokens {first} to {behind} of item {item}")
        expect(x["text"].decode() == text_[at[first][0]:at[behind - 1][1]], f"passage of {word}: {x['text']}")
        rows = base["example_tokens"][x["first"]:x["first"] + x["tokens"]]
        expect([r["start"] for r in rows] == [a - at[first][0] for a, _ in at[first:behind]], f"tokens of {word}'s passage: {rows['start']}")
        for what, got, seen in (("dense", rows["activation"], dense), ("pruned", base["trace_tokens"][trace["first"]:trace["first"] + trace["tokens"]], pruned)):
            want = seen.units[item][unit["block"], first:behind, unit["unit"]]
            off.append(worst(got, want, 1e-5, f"{what} activations along {word}'s passage", max(np.abs(want).max(), np.abs(seen.units[item][unit["block"]]).mean())))
    return max(off)


def check_losses(f, dense, pruned, width):
    base = f["attribution"]
    matches, units = base["matches"][:], base["units"][:]
    number = units["block"][matches["unit"]] * width + units["unit"][matches["unit"]]
    word = matches["word"]
    want = np.array([pruned.A[CHOSEN[w]][u] for w, u in zip(word, number)])
    before = np.array([dense.A[CHOSEN[w]][u] for w, u in zip(word, number)])
    off = worst(base["activations"]["activation"], want, 1e-5, "pruned activations", before)
    fall = np.maximum(before - want, 0)
    R = [fall[word == i].sum() / before[word == i].sum() for i in range(len(CHOSEN))]
    worst(base["word_losses"]["loss"], R, 1e-4, "R of the words", 1)
    worst(base["losses"]["loss"], [np.mean(R)], 1e-4, "loss", 1)
    rows = base["blocks"][:]
    rows = rows[rows["variant"] == base["losses"]["variant"][0]]
    for b in range(len(rows)):
        mine = number // width == b
        want = fall[mine].sum() / before[mine].sum() if mine.any() else math.nan
        expect(np.isclose(rows["loss"][b], want, rtol=0, atol=1e-4, equal_nan=True), f"loss of block {b}: {rows['loss'][b]}, wanted {want}")
    return off


def masked(f, w):
    out, pruned = dict(w), f["masks"][f["attribution/losses"]["variant"][0].decode()]
    for name in pruned:
        out[name] = w[name] * np.unpackbits(pruned[name][:], axis=1, count=int(pruned[name].attrs["cols"]), bitorder="little")
    return out


def check(s, name, model, forward):
    task, lexicon = f"{s}/mine.yaml", f"{s}/words.txt"
    grid = write(f"{s}/{name}.yaml", GRID_.format(model=model, task=task, lexicon=lexicon, neurons=NEURONS, windows=WINDOWS))
    run("run", grid, "-o", f"{s}/{name}.h5", "-q", cwd=s)
    requests = [json.loads(line) for line in run("requests", task).stdout.splitlines()]
    texts = [r["context"] for r in requests if r["choice"] == 0]
    ids = tokenize(model, texts)
    contexts = [(t, spans(model, t, i)) for t, i in zip(texts, ids)]
    drawn = run("calibrate", "c4", "--model", model, "--samples", WINDOWS, "--length", 128, "--seed", 1000003, "--no-perplexity").stdout
    windows = [json.loads(line)["input_ids"] for line in drawn.splitlines()]
    expect(len(windows) == WINDOWS and all(len(x) == 128 for x in windows), "neutral text")
    w, c = weights(model), json.load(open(f"{model}/config.json"))
    with h5py.File(f"{s}/{name}.h5", "r") as f:
        base = f["attribution/bases"][0]
        dense = Seen(forward, w, c, contexts, ids, windows)
        pruned = Seen(forward, masked(f, w), c, contexts, ids, windows)
        width = int(base["units_per_block"])
        expect((base["status"], base["background"], width) == (b"done", dense.tokens, dense.units[0].shape[2]), f"{name}: {base}")
        off = check_matches(f, dense, width), check_losses(f, dense, pruned, width), check_passages(f, dense, pruned, width)
    print(f"{name}: off by {off[0]:.2g} at words, {off[1]:.2g} at words once pruned, {off[2]:.2g} along passages")


with Scratch() as s:
    rng = random.Random(3)
    os.environ["ESPALIER_DATA"] = make_data(f"{s}/data")
    write_jsonl(f"{s}/data/c4/train.jsonl", [{"text": text(rng, 200)[:-1]} for _ in range(30)])
    write_jsonl(f"{s}/items.jsonl", [{"text": text(rng, 14)[:-1], "label": i % 2} for i in range(30)])
    write(f"{s}/mine.yaml", TASK.format(data=f"{s}/items.jsonl"))
    write(f"{s}/words.txt", "".join(w + "\n" for w in CHOSEN))
    check(s, "nano-llama", MODEL, llama)
    missing = []
    if find_model("nano-opt"):
        check(s, "nano-opt", find_model("nano-opt"), opt)
    else:
        missing.append("nano-opt is not here")
    families = folder("reference") and f"{folder('reference')}/families/gemma"
    if families and os.path.isdir(families):
        check(s, "gemma", add_words(f"{s}/models/gemma", families), llama)
    else:
        missing.append("reference/families/gemma is not here")
    if missing:
        skip("; ".join(missing) + "; the others agree")
