"""A results file in NumPy: rows as dictionaries, the dense model, and changes to it with nothing left out unseen.

Needs python3-h5py and python3-numpy. Everything here reads the file as configs/README.md and h5dump show it, so it is
also the place to look when you read it from another language."""
import math
from collections import OrderedDict

import h5py
import numpy

# Metrics without an upper end: their change is a factor, and no mean is taken over data sets.
OPEN = ("perplexity", "byte_perplexity", "word_perplexity", "bits_per_byte")
SETTING = ("model", "method", "parameters", "sparsity", "samples", "length", "propagate")


def table(f, name):
    """A compound data set as a list of dictionaries, text decoded."""
    if name not in f:
        return []
    data = f[name][:]
    columns = {}
    for field in data.dtype.names:
        values = data[field].tolist()
        columns[field] = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values]
    return [dict(zip(columns, row)) for row in zip(*columns.values())]


class Results:
    """variants, metrics, cells and layers as lists of dictionaries; `value` finds one number."""

    def __init__(self, path):
        self.path = path
        with h5py.File(path, "r") as f:
            if "schema_version" not in f.attrs:
                raise ValueError(f"{path}: not a results file of espalier")
            self.attributes = {k: f.attrs[k] for k in f.attrs}
            self.variants = table(f, "variants")
            self.metrics = table(f, "metrics")
            self.cells = table(f, "cells")
            self.layers = table(f, "layers")
        self.by_id = {v["id"]: v for v in self.variants}
        self.datasets = list(OrderedDict.fromkeys(c["dataset"] for c in self.cells))
        self.status = {(c["variant"], c["dataset"]): c["status"] for c in self.cells}
        self.values = {(m["variant"], m["dataset"], m["metric"]): m for m in self.metrics}
        self.first = {}  # data set -> its task's first metric
        for m in self.metrics:
            self.first.setdefault(m["dataset"], m["metric"])
        self._bases = None
        self.denses = {v["model"]: v for v in self.variants if v["method"] == "dense"}

    def value(self, variant, dataset, metric=None):
        """NaN where there is none."""
        m = self.values.get((variant["id"], dataset, metric or self.first.get(dataset)))
        return m["value"] if m else math.nan

    def dense(self, model, dataset, metric=None):
        return self.value(self.denses[model], dataset, metric) if model in self.denses else math.nan

    def change(self, variant, dataset, metric=None):
        """The difference to the dense model, or for perplexities and their like the factor."""
        metric = metric or self.first.get(dataset)
        value, dense = self.value(variant, dataset, metric), self.dense(variant["model"], dataset, metric)
        return value / dense if metric in OPEN else value - dense

    def settings(self):
        """Variants that differ in calibration set and draw alone: setting -> {calibration: [variants]}. A method
        without calibration has the one set ""."""
        found = OrderedDict()
        for v in self.variants:
            if v["method"] != "dense":
                key = tuple(v.get(k, "") for k in SETTING)
                found.setdefault(key, OrderedDict()).setdefault(v["calibration"], []).append(v)
        return found

    def spread(self, variants, dataset, of=None, metric=None):
        """(mean, standard deviation (n - 1), n, planned) of a list of draws. `of` is self.change or self.value. Draws
        without a result are not in the mean, and n < planned says so."""
        of = of or self.change
        planned = sum((v["id"], dataset) in self.status for v in variants)
        values = numpy.array([of(v, dataset, metric) for v in variants])
        values = values[~numpy.isnan(values)]
        mean = values.mean() if len(values) else math.nan
        return mean, values.std(ddof=1) if len(values) > 1 else math.nan, len(values), planned

    def correct(self, dataset, column="correct"):
        """Per item right (1) or wrong (0): variant id -> array. Variants without items are left out."""
        with h5py.File(self.path, "r") as f:
            group = f.get("items/" + dataset.replace("/", ":"))
            if group is None:
                return {}
            ids = [i.decode() for i in group["variants"][:]]
            rows = group[column][:]
        return {i: row for i, row in zip(ids, rows) if (row >= 0).all()}

    def removed(self, variant):
        """Removed weights of a variant with masks, as booleans, linear by linear: name -> [rows][cols]; {} without."""
        with h5py.File(self.path, "r") as f:
            group = f.get("masks/" + variant["id"])
            if group is None:
                return {}
            return {name: numpy.unpackbits(d[:], axis=1, count=int(d.attrs["cols"]), bitorder="little") == 0
                    for name, d in group.items()}


    def attribution(self):
        """What `attribution:` left: a Base per data set (and model) that has one, with the losses of pruned variants."""
        if self._bases is None:
            with h5py.File(self.path, "r") as f:
                names = ("bases", "words", "units", "matches", "apart", "causal", "examples", "example_tokens", "blocks", "losses",
                         "word_losses", "activations", "traces")
                g = {n: table(f, f"attribution/{n}") for n in names}
                g["trace_tokens"] = f["attribution/trace_tokens"][:] if "attribution" in f else numpy.zeros(0)
            models = len({b["model"] for b in g["bases"]})
            rows = group_rows(g)
            self._bases = [Base(self, g, rows, b, models > 1) for b in g["bases"] if b["status"] == "done"]
        return self._bases


class Base:
    """The dense model on a data set: its row of /attribution/bases, words, units, matches, apart, causal, dead, and
    examples with their tokens' `pieces` of text and `activation`; losses of pruned variants, rows with `variant`."""

    def __init__(self, results, g, rows, row, several):
        key = row["variant"], row["dataset"]
        self.row, self.model, self.dataset = row, row["model"], row["dataset"]
        self.name = self.title = f"{self.dataset}, {self.model}" if several else self.dataset
        self._rows, self._tokens = rows, g["trace_tokens"]
        for name in ("words", "units", "matches", "apart", "causal", "examples"):
            setattr(self, name, rows[name].get(key, []))
        self.dead = [b["dead"] for b in rows["blocks"].get(key, [])]
        for e in self.examples:
            tokens, data = g["example_tokens"][e["first"]:e["first"] + e["tokens"]], e["text"].encode()
            e["pieces"] = cut(data, [t["start"] for t in tokens] + [t["end"] for t in tokens[-1:]])
            e["activation"] = numpy.array([t["activation"] for t in tokens])
        self.losses = [x for x in g["losses"] if x["status"] == "done" and x["dataset"] == self.dataset
                       and results.by_id[x["variant"]]["model"] == self.model and self._fits(x)]
        self.by_variant = {x["variant"]: x for x in self.losses}

    def _of(self, name, loss):
        return self._rows[name].get((loss["variant"], loss["dataset"]), [])

    def _fits(self, loss):
        """Whether its words, matches and examples are the base's."""
        return (len(self._of("word_losses", loss)) == len(self.words) and len(self._of("activations", loss)) == len(self.matches)
                and [t["tokens"] for t in self._of("traces", loss)] == [e["tokens"] for e in self.examples])

    def word_losses(self, loss):
        return [r["loss"] for r in self._of("word_losses", loss)]

    def activations(self, loss):
        """Of each match, pruned; the dense ones stand in the matches."""
        return [r["activation"] for r in self._of("activations", loss)]

    def traces(self, loss):
        """Of each example the tokens' activations, pruned."""
        return [self._tokens[t["first"]:t["first"] + t["tokens"]] for t in self._of("traces", loss)]


def group_rows(g):
    """Table -> (variant, data set) -> rows."""
    out = {}
    for name, rows in g.items():
        out[name] = {}
        if name not in ("example_tokens", "trace_tokens"):
            for row in rows:
                out[name].setdefault((row["variant"], row["dataset"]), []).append(row)
    return out


def cut(data, starts):
    """UTF-8 bytes in pieces; a character that several share is the first one's."""
    def boundary(i):
        while i < len(data) and data[i] & 0xc0 == 0x80:
            i += 1
        return i
    at = [boundary(i) for i in starts]
    return [data[a:b].decode("utf-8", "replace") for a, b in zip(at, at[1:])]


def title(setting, settings):
    """A setting's name: method and sparsity, and what else differs between settings with calibration."""
    s = dict(zip(SETTING, setting))
    calibrated = [dict(zip(SETTING, k)) for k, rows in settings.items() if "" not in rows]
    parts = [s["method"], s["sparsity"]]
    if len({k[0] for k in settings}) > 1:
        parts.insert(0, s["model"])
    if len({k[2] for k in settings if k[1] == s["method"]}) > 1:
        parts.append(s["parameters"])
    for field, unit in (("samples", " samples"), ("length", " tokens"), ("propagate", " propagation")):
        if s[field] and len({c[field] for c in calibrated}) > 1:
            parts.append(f"{s[field]}{unit}")
    return ", ".join(parts)
