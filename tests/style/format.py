#!/usr/bin/env python3
"""Every C file is as clang-format leaves it.   usage: format.py CLANG_FORMAT SOURCE"""
import glob
import subprocess
import sys

tool, source = sys.argv[1:]
files = sorted(f for d in ("src", "tests") for f in glob.glob(f"{source}/{d}/**/*.[ch]", recursive=True))
done = subprocess.run([tool, "--dry-run", "-Werror", "--style=file", *files], capture_output=True, text=True)
print(done.stderr[-4000:] or f"{len(files)} files")
sys.exit(done.returncode)
