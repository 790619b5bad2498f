#!/usr/bin/env python3
"""Loops that stand between the products are turned into vectors: gcc's own report says so.

    tests/style/vectors.py BUILD_FOLDER     (with a compile_commands.json of gcc)
"""
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Where the loops stand, by function, and the file whose compilation shows them. The exact GELU is
# not among them: the C library has its erf for single numbers only.
LOOPS = {
    "src/model/norm.c": ["rms", "layer", "apply"],
    "src/model/rope.c": ["rotate_half", "rotate_interleaved"],
    "src/model/activation.c": ["silu", "relu", "gelu_tanh", "activation_apply"],
    "src/model/attention.c": ["soften", "one_head"],
    "src/model/vector.h": ["vector_cap", "vector_max", "vector_exp_sum"],
    "src/model/head.c": ["summarise"],
    "src/linalg/packed.c": ["add_bias", "deliver"],
    "src/linalg/operand.h": ["operand_narrow", "operand_widen"],
}


def functions(path):
    """name -> (first line, last line), by the house's layout: a body ends with a brace in column 0."""
    found, name, start = {}, None, 0
    for number, line in enumerate((ROOT / path).read_text().split("\n"), 1):
        head = re.match(r"[a-z].*?\b(\w+)\(", line)
        if head and not line.startswith(("typedef", "return")):
            name, start = head.group(1), number
        if line == "}" and name:
            found[name] = (start, number)
            name = None
    return found


def vectorised(build):
    """(file, line) of every loop that gcc reports, over all files that LOOPS names."""
    lines = set()
    commands = json.loads((Path(build) / "compile_commands.json").read_text())
    for entry in commands:
        path = Path(entry["file"]).resolve()
        if not path.is_relative_to(ROOT) or str(path.relative_to(ROOT)) not in LOOPS | {"src/model/block.c": []}:
            continue
        words = shlex.split(entry["command"])
        out = words.index("-o")
        words[out + 1] = "/dev/null"
        report = subprocess.run([*words, "-fopt-info-vec-optimized"], cwd=entry["directory"], check=True,
                                capture_output=True, text=True).stderr
        for file, line in re.findall(r"^(\S+?):(\d+):\d+: optimized: loop vectorized", report, re.M):
            full = (Path(entry["directory"]) / file).resolve()
            if full.is_relative_to(ROOT):
                lines.add((str(full.relative_to(ROOT)), int(line)))
    return lines


def main():
    lines, failed = vectorised(sys.argv[1]), []
    for path, names in LOOPS.items():
        ranges = functions(path)
        for name in names:
            first, last = ranges[name]
            if not any(file == path and first <= line <= last for file, line in lines):
                failed.append(f"{path}:{first}: no loop of {name} is vectorised")
    print("\n".join(failed) or f"{sum(map(len, LOOPS.values()))} functions have vectorised loops")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
