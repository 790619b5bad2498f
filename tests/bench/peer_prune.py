#!/usr/bin/env python3
"""Pruning one linear beside a peer: the methods written from their papers' formulas in PyTorch 2,
and Espalier's, on the same weights and Gram matrix, in turns, on the same threads.

    python3 -m venv /tmp/peer && /tmp/peer/bin/pip install torch numpy
    cmake --build build/release --target bench_prune
    /tmp/peer/bin/python tests/bench/peer_prune.py --bench build/release/tests/bench_prune

Prints medians of seconds, of processor seconds (all threads; what to look at on a machine that does
other work too), their ratios, and the share of weights on whose removal both agree.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy
import torch

SAMPLES = 128  # calibration sequences; a common factor of all statistics
DAMP, BLOCKSIZE = 0.01, 128


def make_layer(rows, cols, seed=0):
    """Weights as a normal distribution has them, and the Gram matrix of inputs that share factors
    and differ in scale."""
    draw = torch.Generator().manual_seed(seed)
    weights = 0.02 * torch.randn(rows, cols, generator=draw)
    tokens, shared = cols + cols // 2, 64
    x = torch.randn(tokens, cols, generator=draw)
    x += 0.3 * torch.randn(tokens, shared, generator=draw) @ torch.randn(shared, cols, generator=draw)
    x *= torch.exp(torch.randn(cols, generator=draw))
    gram = x.T @ x
    return weights, (gram + gram.T) / 2


def norms_of(gram):
    return torch.sqrt(torch.diag(gram) / SAMPLES)


def wanda(weights, gram, ratio):
    """arXiv 2306.11695: the smallest |W|·‖X‖ of each row, by a stable sort."""
    scores = weights.abs() * norms_of(gram)
    order = torch.sort(scores, dim=1, stable=True).indices
    gone = torch.zeros_like(weights, dtype=torch.bool)
    gone.scatter_(1, order[:, : int(weights.shape[1] * ratio)], True)
    weights[gone] = 0


def ria(weights, gram, ratio):
    """Plug-and-Play (ICLR 2024): relative importance by row and column, times √‖X‖; one threshold
    for the layer from its sorted scores."""
    size = weights.abs()
    scores = (size / size.sum(0) + size / size.sum(1, keepdim=True)) * norms_of(gram) ** 0.5
    threshold = torch.sort(scores.flatten()).values[int(scores.numel() * ratio)]
    weights[scores <= threshold] = 0


def factor_of(gram):
    """U upper triangular with H⁻¹ = UᵀU."""
    h = gram * (2 / SAMPLES)
    h.diagonal().add_(DAMP * h.diagonal().mean())
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(h))
    return torch.linalg.cholesky(inverse, upper=True)


def sparsegpt(weights, gram, ratio):
    """arXiv 2301.00774: block by block, a threshold for the block, then column by column."""
    u = factor_of(gram)
    for first in range(0, weights.shape[1], BLOCKSIZE):
        end = min(first + BLOCKSIZE, weights.shape[1])
        block, own = weights[:, first:end].clone(), u[first:end, first:end]
        scores = block**2 / own.diagonal() ** 2
        gone = scores <= torch.sort(scores.flatten()).values[int(scores.numel() * ratio)]
        errors = torch.zeros_like(block)
        for i in range(end - first):
            errors[:, i] = torch.where(gone[:, i], block[:, i] / own[i, i], 0)
            block[:, i:] -= torch.outer(errors[:, i], own[i, i:])
            block[gone[:, i], i] = 0
        weights[:, first:end] = block
        weights[:, end:] -= errors @ u[first:end, end:]


METHODS = {"wanda": wanda, "ria": ria, "sparsegpt": sparsegpt}


class Espalier:
    """One bench_prune that waits for its turns."""

    def __init__(self, bench, threads, rows, cols, method, ratio, folder):
        self.pruned = folder / "pruned"
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), OMP_WAIT_POLICY="passive")
        self.process = subprocess.Popen(
            [bench, str(rows), str(cols), method, str(ratio), folder / "weights", folder / "gram",
             self.pruned], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def turn(self):
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        figures = json.loads(self.process.stdout.readline())
        return figures["seconds"], figures["processor_seconds"]

    def close(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise SystemExit("bench_prune failed")
        return torch.from_numpy(numpy.fromfile(self.pruned, dtype=numpy.float32))


def peer_turn(method, layer, ratio):
    weights = layer[0].clone()
    wall, busy = time.perf_counter(), time.process_time()
    METHODS[method](weights, layer[1], ratio)
    return (time.perf_counter() - wall, time.process_time() - busy), weights


def compare(arguments, rows, cols, method, layer, folder):
    ours = Espalier(arguments.bench, arguments.threads, rows, cols, method, arguments.sparsity, folder)
    mine, theirs = [], []
    for _ in range(arguments.turns + 1):
        figures, weights = peer_turn(method, layer, arguments.sparsity)
        theirs.append(figures)
        mine.append(ours.turn())
    pruned = ours.close()
    same = ((pruned == 0) == (weights.flatten() == 0)).double().mean().item()
    # The first turn of each warms up.
    a, b = ([statistics.median(column) for column in zip(*turns[1:])] for turns in (mine, theirs))
    print(f"{rows}x{cols} {method:9} espalier {a[0]:8.4f} s ({a[1]:7.3f} busy)  "
          f"PyTorch {b[0]:8.4f} s ({b[1]:7.3f} busy)  ratio {b[0] / a[0]:6.1f} "
          f"({b[1] / a[1]:6.1f} busy)  masks agree {100 * same:.4f} %", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--bench", required=True, help="the program bench_prune")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--sparsity", type=float, default=0.5)
    parser.add_argument("--shapes", nargs="+", default=["768x3072", "2048x2048", "2048x8192"])
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"PyTorch {torch.__version__}, {arguments.threads} threads, medians of "
          f"{arguments.turns} turns, load {os.getloadavg()[0]:.1f}")
    for shape in arguments.shapes:
        rows, cols = map(int, shape.split("x"))
        layer = make_layer(rows, cols)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            layer[0].numpy().tofile(folder / "weights")
            layer[1].numpy().tofile(folder / "gram")
            for method in arguments.methods:
                compare(arguments, rows, cols, method, layer, folder)


if __name__ == "__main__":
    main()
