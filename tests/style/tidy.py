#!/usr/bin/env python3
"""clang-tidy finds nothing in src/.   usage: tidy.py CLANG_TIDY SOURCE BUILD"""
import concurrent.futures
import glob
import os
import subprocess
import sys

tool, source, build = sys.argv[1:]
files = sorted(glob.glob(f"{source}/src/**/*.c", recursive=True))


def check(path):
    # GCC's flags that clang does not know are not our concern here
    done = subprocess.run([tool, "-p", build, "--quiet", "--extra-arg=-Wno-unknown-warning-option", path],
                          capture_output=True, text=True)
    return path, done.returncode, done.stdout + (done.stderr if done.returncode else "")


with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    bad = [(p, text) for p, code, text in pool.map(check, files) if code]
for path, text in bad:
    print(text.strip())
print(f"{len(files)} files, {len(bad)} with findings")
sys.exit(bool(bad))
