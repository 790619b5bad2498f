"""What sharing saves before evaluation, beside what `espalier plan` foretells: the seconds of /variants of one
grid (methods x sparsities x sample counts), and of the same variants in grids of one variant each, in turns.

    sharing.py --espalier B/espalier [--model nano-llama] [--set c4] [--samples 32 64 128] [--length 256]

ESPALIER_MODELS and ESPALIER_DATA name the folders of models and data sets; /usr/bin/python3 has h5py on Debian.
Ends with 1 unless `propagate: dense` takes at most a quarter, and `propagate: pruned` what plan foretold within a
fifth."""
import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile

import h5py

METHODS = ("wanda", "ria", "sparsegpt")
SPARSITIES = ("0.5", "0.7", "2:4")
MOST_DENSE, WITHIN_PRUNED = 0.25, 0.2

GRID = """\
experiment: {name}
models: [{model}]
methods: [{methods}]
sparsity: [{sparsities}]
calibration: {{sets: [{set}], samples: [{samples}], length: {length}, propagate: {propagate}}}
datasets: [{dataset}]
limit: 1
windows: 1
window: 16
"""


class Bench:
    def __init__(self, arguments, folder):
        self.a = arguments
        self.folder = folder

    def grid(self, name, propagate, methods, sparsities, samples):
        path = os.path.join(self.folder, name + ".yaml")
        with open(path, "w") as f:
            f.write(GRID.format(name=name, model=self.a.model, set=self.a.set, length=self.a.length,
                                dataset=self.a.dataset, propagate=propagate, methods=", ".join(methods),
                                sparsities=", ".join(f'"{s}"' for s in sparsities),
                                samples=", ".join(map(str, samples))))
        return path

    def espalier(self, *words):
        command = [self.a.espalier, *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)}: status {done.returncode}\n{done.stderr}")
        return done.stdout

    def seconds(self, grid):
        """{(method, sparsity, samples): seconds before evaluation} of a run of its own."""
        out = grid.replace(".yaml", ".h5")
        self.espalier("run", grid, "-o", out, "--quiet")
        with h5py.File(out, "r") as f:
            rows = f["variants"][:]
        for end in (".h5", ".journal"):
            os.remove(out.replace(".h5", end))
        return {(r["method"].decode(), r["sparsity"].decode(), int(r["samples"])): float(r["seconds"])
                for r in rows if r["calibration"]}

    def measure(self, propagate):
        """(factor foretold, factor measured, seconds one by one, seconds shared)."""
        samples = self.a.samples
        whole = self.grid(f"{propagate}-whole", propagate, METHODS, SPARSITIES, samples)
        foretold = json.loads(self.espalier("plan", whole, "--json"))["sharing"][propagate]["factor"]
        variants = list(itertools.product(METHODS, SPARSITIES, samples))
        single = {v: self.grid(f"{propagate}-{i}", propagate, [v[0]], [v[1]], [v[2]]) for i, v in enumerate(variants)}
        alone = {v: [] for v in variants}
        shared = []
        for _ in range(self.a.turns):
            shared.append(self.seconds(whole))
            for v in variants:
                alone[v].append(self.seconds(single[v])[v])
        one_by_one = sum(min(times) for times in alone.values())
        together = min(sum(turn.values()) for turn in shared)
        best = min(shared, key=lambda turn: sum(turn.values()))
        for method in METHODS:
            print(f"  {method:10} one by one {sum(min(t) for v, t in alone.items() if v[0] == method):7.2f} s, "
                  f"shared {sum(t for v, t in best.items() if v[0] == method):7.2f} s")
        return foretold, together / one_by_one, one_by_one, together


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--espalier", required=True)
    parser.add_argument("--model", default="nano-llama")
    parser.add_argument("--set", default="c4")
    parser.add_argument("--dataset", default="wikitext2")
    parser.add_argument("--samples", type=int, nargs="+", default=[32, 64, 128])
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--turns", type=int, default=2, help="the best of so many counts")
    arguments = parser.parse_args()
    arguments.espalier = os.path.abspath(arguments.espalier)
    good = True
    with tempfile.TemporaryDirectory(prefix="espalier-sharing-") as folder:
        bench = Bench(arguments, folder)
        count = len(METHODS) * len(SPARSITIES) * len(arguments.samples)
        for propagate in ("dense", "pruned"):
            print(f"propagate: {propagate}, {count} variants of {arguments.model}")
            foretold, measured, alone, shared = bench.measure(propagate)
            kept = measured <= MOST_DENSE if propagate == "dense" else abs(measured / foretold - 1) <= WITHIN_PRUNED
            good = good and kept
            print(f"  {shared:.2f} s of {alone:.2f} s: {measured:.3f} of one by one, plan foretold {foretold:.3f}"
                  f"{'' if kept else ': not as promised'}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
