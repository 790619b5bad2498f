"""Results files made with h5py, of any size, for what reads them: a dense model, and methods × sparsities × sample
counts × calibration sets × draws, with failed cells, a draw that is missing, layers and, if asked, masks."""
import h5py
import numpy

METHODS = ("wanda", "sparsegpt", "ria")
HOSTILE = 'a "quoted" \\ name</script><script>window.hurt = 1</script><!--'


def text(width):
    return h5py.string_dtype("utf-8", width)


def names(count, start):
    return [f"{start}_{i}" for i in range(count)]


def variants(sets, draws, sparsities, samples):
    rows = [("dense", "0", "", 0, -1)] + [("magnitude", s, "", 0, -1) for s in sparsities]
    rows += [(m, s, c, n, d) for m in METHODS for s in sparsities for n in samples for c in sets for d in range(draws)]
    dtype = [("id", text(32)), ("model", text(16)), ("method", text(16)), ("parameters", text(16)), ("sparsity", text(8)),
             ("calibration", text(64)), ("samples", "<i8"), ("length", "<i8"), ("draw", "<i8"), ("status", text(8)),
             ("error", text(96)), ("achieved_sparsity", "<f8"), ("seconds", "<f8"), ("ranks", "<i8")]
    out = numpy.zeros(len(rows), dtype)
    for i, (method, sparsity, calibration, n, draw) in enumerate(rows):
        out[i] = (f"{i:032x}", "nano", method, "{}", sparsity, calibration, n, 128 if n else 0, draw, "done", "",
                  0 if method == "dense" else 0.5, 0.25 * (i % 7), 1)
    return out


def make(path, sets=4, draws=2, sparsities=("0.5", "2:4"), samples=(16,), datasets=3, blocks=3, masks=False, hostile=False,
         whole=False, attribution=False, seed=0):
    """whole: nothing failed and nothing missing; attribution: of all tasks but the last. Returns how many variants there are."""
    rng = numpy.random.default_rng(seed)
    calibrations = names(sets, "set")
    data = names(datasets, "task")
    if hostile:
        calibrations[0] = data[0] = HOSTILE
    v = variants(calibrations, draws, sparsities, samples)
    sign = {c: rng.normal() * 0.02 for c in calibrations}
    cells, metrics, layers = [], [], []
    for i, row in enumerate(v):
        dense = i == 0
        missing = not whole and i == len(v) - 1
        if not whole and i == len(v) - 2:
            v["status"][i], v["error"][i] = "failed", HOSTILE if hostile else "weights are not finite"
        elif missing:
            v["status"][i] = "pending"
        harm = 0 if dense else 0.08 + sign.get(row["calibration"].decode(), 0) + 0.01 * rng.normal()
        for d, name in enumerate(data):
            perplexity = d == datasets - 1
            state = v["status"][i].decode()
            error = v["error"][i].decode()
            if not whole and state == "done" and i > 1 and (i + d) % 97 == 5:
                state, error = "failed", "the data set's file is gone"
            cells.append((row["id"], name, state, error, 0.5 if state == "done" else numpy.nan))
            if state != "done":
                continue
            if perplexity:
                value = 20 * numpy.exp(4 * harm + 0.02 * d)
                metrics.append((row["id"], name, "language_modeling", "perplexity", value, numpy.nan, 40))
            else:
                value = round((0.8 - harm * (1 + 0.1 * d)) * 200) / 200
                for k, metric in enumerate(("acc", "acc_norm")):
                    metrics.append((row["id"], name, "topic", metric, value + 0.01 * k, 0.03, 200))
        if row["calibration"] and v["status"][i] == b"done":
            for b in range(blocks):
                for k, linear in enumerate(("self_attn.q_proj", "mlp.up_proj")):
                    layers.append((row["id"], b, linear, 0.5, 0.1 + 0.02 * b + 0.05 * k + 0.01 * rng.random(), numpy.nan, 0.01))
    with h5py.File(path, "w") as f:
        for name, value in (("schema_version", "1"), ("espalier_version", "0.1.0"), ("experiment_name", HOSTILE if hostile else "made"),
                            ("experiment", "experiment: made\n"), ("command", "espalier run made.yaml"), ("host", "here"),
                            ("started", "2026-01-02T03:04:05Z"), ("seed", "0"), ("mpi", "none"), ("blas", "OpenBLAS"), ("git_revision", "abc")):
            f.attrs[name] = value
        f["variants"] = v
        f["metrics"] = numpy.array(metrics, [("variant", text(32)), ("dataset", text(96)), ("kind", text(20)), ("metric", text(24)),
                                             ("value", "<f8"), ("stderr", "<f8"), ("items", "<i8")])
        f["cells"] = numpy.array(cells, [("variant", text(32)), ("dataset", text(96)), ("status", text(8)), ("error", text(96)), ("seconds", "<f8")])
        f["layers"] = numpy.array(layers, [("variant", text(32)), ("layer", "<i8"), ("linear", text(32)), ("sparsity", "<f8"),
                                           ("relative_error", "<f8"), ("damp", "<f8"), ("seconds", "<f8")])
        make_items(f, v, data[:-1], cells, rng)
        if masks:
            make_masks(f, v, rng)
        if attribution:
            make_attribution(f, v, data[:-1], rng, hostile)
    return len(v)


def make_items(f, v, data, cells, rng, items=50):
    """Per-item answers of the tasks; -1 where a cell is not done."""
    done = {(c[0], c[1]) for c in cells if c[2] == "done"}
    for name in data:
        right = rng.random((len(v), items)) < 0.7
        kept = numpy.where(numpy.array([(i, name) in done for i in v["id"]])[:, None], right, -1).astype("i1")
        group = f.create_group("items/" + name.replace("/", ":"))
        group["variants"], group["correct"], group["correct_norm"] = v["id"].astype("S32"), kept, kept


def make_masks(f, v, rng, rows=24, cols=20):
    """Half of each row is removed; draws of a set agree more than sets do."""
    base = rng.random((rows, cols))
    of_set = {}
    for row in v:
        if not row["calibration"] or row["status"] != b"done":
            continue
        own = of_set.setdefault(row["calibration"], rng.random((rows, cols)))
        for k, name in enumerate(("model.layers.0.self_attn.q_proj.weight", "model.layers.1.mlp.up_proj.weight")):
            score = base + 0.3 * own + 0.1 * rng.random((rows, cols))
            kept = score > numpy.median(score, axis=1, keepdims=True)
            at = f.create_dataset(f"masks/{row['id'].decode()}/{name}", data=numpy.packbits(kept, axis=1, bitorder="little"))
            at.attrs.create("cols", cols, dtype="<i4")


WORDS = ("badly", "delicious", "größe", "refund", "slow", "wonderful", "don't", "supercalifragilisticexpialidocious")
SENTENCE = ("The", " service", " was", " slow", " and", " it", " all", " went", " badly", ",\n", "but", " the", " food", ":", " wonder", "ful", " “",
            "größe", "”", " 🍕", " portions", ",", " don", "'t", " ask", " for", " a", " refund", ".")


def make_attribution(f, v, data, rng, hostile, blocks=6, units=64, neurons=8):
    """A base per data set; a loss per pruned variant and data set, of which one failed. The more a variant lost of its matched units, the
    more accuracy it lost."""
    t = {name: [] for name in ("bases", "words", "units", "matches", "apart", "causal", "examples", "example_tokens", "blocks", "losses",
                               "word_losses", "activations", "traces")}
    traced = []
    words = list(WORDS)
    sentence = list(SENTENCE)
    if hostile:
        words[0] = "<script>" + "w" * 55
        sentence[3] = HOSTILE
    text_of = "".join(sentence)
    dense = v["id"][0]
    matched = {}
    for d, name in enumerate(data):
        key = (dense, name)
        chosen = [(int(rng.integers(blocks)), int(u)) for u in rng.choice(units, len(words) * 7, replace=False)]
        t["bases"].append((*key, "nano", "done", "", "", "leave_one_out", "z", 8192, blocks, units, 0.8, -0.9, 21.5))
        for w, word in enumerate(words):
            t["words"].append((*key, w, word, 40 - 3 * w, 0.9 - 0.1 * w, 0.7 - 0.1 * w, 1.1 - 0.1 * w))
        for i, (block, unit) in enumerate(chosen):
            t["units"].append((*key, i, block, unit, 0.1 + 0.01 * i, 0.05, "\n".join(words[:5]) if i % 4 else ""))
        matches = [(w, int(u)) for w in range(len(words)) for u in rng.choice(len(chosen), neurons, replace=False)]
        strength = 1 + 4 * rng.random(len(matches))
        for m, (w, u) in enumerate(matches):
            t["matches"].append((*key, m, w, u, 12 - 0.3 * m, 0.001 * (m + 1), int(m % 5 != 4), strength[m]))
        t["apart"] += [(*key, 0, 3, "massive", 900.5, 12), (*key, 2, 9, "always_on", 4.5, 0.25)]
        for k in range(5):
            harm = -0.2 if k == 0 else -0.01 * k
            t["causal"].append((*key, k, len(chosen), 0.8 + harm, -0.9 + harm, harm, harm - 0.03, harm + 0.03, 2 * harm, 2 * harm - 0.1, 2 * harm + 0.1))
        colours = []
        for e in range(len(matches)):
            word = matches[e][0]
            a = 0.2 * rng.normal(size=len(sentence))
            a[(8, 19, 17, 27, 3, 14, 22, 12)[word]] = strength[e]
            colours.append(a)
            t["examples"].append((*key, e, e, 7 + e, text_of, len(t["example_tokens"]), len(sentence)))
            start = 0
            for piece, value in zip(sentence, a):
                size = len(piece.encode())
                t["example_tokens"].append((start, start + size, value))
                start += size
        t["blocks"] += [(*key, b, b % 3, numpy.nan) for b in range(blocks)]
        matched[d] = matches, strength, colours
    for i, row in enumerate(v):
        if i == 0 or row["status"] != b"done":
            continue
        for d, name in enumerate(data):
            key = (row["id"], name)
            if i == 5 and d == 0:
                t["losses"].append((*key, "failed", "its activations are not finite", "", *[numpy.nan] * 10))
                continue
            matches, strength, colours = matched[d]
            lost = float(numpy.clip(0.45 + 0.2 * rng.normal(), 0.05, 0.95))
            drop = 0.4 * lost + 0.03 * rng.normal()
            t["losses"].append((*key, "done", "", "", lost, 0.8 - drop, -0.9 - 2 * drop, 0.8 - drop / 2, -0.9 - drop, 0.5, 0.3, 0.7,
                                0.3 * lost + 0.1 * rng.random(), 21.5 * numpy.exp(drop + 0.2 * rng.random())))
            t["word_losses"] += [(*key, w, lost + 0.05 * rng.normal()) for w in range(len(words))]
            t["activations"] += [(*key, m, strength[m] * (1 - lost) * (0.9 + 0.2 * rng.random())) for m in range(len(matches))]
            t["blocks"] += [(*key, b, 2 + b % 3, numpy.nan if b == 1 else lost) for b in range(blocks)]
            for e, a in enumerate(colours):
                t["traces"].append((*key, e, len(traced), len(a)))
                traced += list(a * (1 - lost))
    key = [("variant", text(32)), ("dataset", text(96))]
    columns = {
        "bases": "model:t status:t error:t id:t influence:t score:t background blocks units_per_block accuracy:f gold:f perplexity:f",
        "words": "word text:t occurrences influence:f low:f high:f",
        "units": "index block unit mean:f spread:f lens:t",
        "matches": "match word unit score:f p:f found activation:f",
        "apart": "block unit kind:t mean:f spread:f",
        "causal": "set units accuracy:f gold:f accuracy_change:f accuracy_low:f accuracy_high:f gold_change:f gold_low:f gold_high:f",
        "examples": "example match item text:t first tokens", "example_tokens": "start end activation:f", "blocks": "block dead loss:f",
        "losses": "status:t error:t id:t loss:f accuracy:f gold:f patched_accuracy:f patched_gold:f restored:f restored_low:f restored_high:f "
                  "layer_error:f perplexity:f",
        "word_losses": "word loss:f", "activations": "match activation:f", "traces": "example first tokens"}
    kinds = {"": "<i8", "f": "<f8", "t": text(512)}
    for name, rows in t.items():
        own = [(c.partition(":")[0], kinds[c.partition(":")[2]]) for c in columns[name].split()]
        rows = [tuple(x.encode() if isinstance(x, str) else x for x in row) for row in rows]
        f[f"attribution/{name}"] = numpy.array(rows, (key if name != "example_tokens" else []) + own)
    f["attribution/trace_tokens"] = numpy.array(traced, "<f4")
