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
         whole=False, seed=0):
    """whole: nothing failed and nothing missing. Returns how many variants there are."""
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
