#!/usr/bin/env python3
"""Runs fuzz targets one after the other and says for how long. What is found stays in BUILD/found/TARGET.

usage: run.py BUILD [--seconds N] [--seed S] [TARGET...]     BUILD: build/fuzz/tests/fuzz; default: all targets, 600 s"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
source = os.environ.setdefault("ESPALIER_SOURCE", os.path.dirname(os.path.dirname(here)))
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("build")
parser.add_argument("--seconds", type=int, default=600)
parser.add_argument("--seed", type=int, default=0, help="of libFuzzer; 0: another one each time")
parser.add_argument("targets", nargs="*")
a = parser.parse_intermixed_args()
build = os.path.abspath(a.build)
targets = a.targets or sorted(os.path.basename(p)[5:] for p in glob.glob(f"{build}/fuzz_*") if os.access(p, os.X_OK) and os.path.isfile(p))
memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # an input is a file: thousands a second
failed = []
for target in targets:
    scratch = tempfile.mkdtemp(prefix="espalier-fuzz-", dir=memory)
    try:
        subprocess.run([sys.executable, f"{here}/seeds.py", source, f"{build}/seed_journal", f"{scratch}/seeds"],
                       check=True, stdout=subprocess.DEVNULL)
        found, corpus = f"{build}/found/{target}", f"{build}/corpus/{target}"
        os.makedirs(found, exist_ok=True)
        os.makedirs(corpus, exist_ok=True)  # what earlier runs found worth keeping
        os.makedirs(f"{scratch}/tmp")
        command = [f"{build}/fuzz_{target}", f"-max_total_time={a.seconds}", f"-seed={a.seed}", "-max_len=4096",
                   "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={found}/"]
        if os.path.exists(f"{here}/{target}.dict"):
            command.append(f"-dict={here}/{target}.dict")
        start = time.time()
        done = subprocess.run(command + [corpus, f"{scratch}/seeds/{target}"], stdin=subprocess.DEVNULL, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, "TMPDIR": f"{scratch}/tmp", "OMP_NUM_THREADS": "1",
                              "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "detect_leaks=1:allocator_may_return_null=1")})
        runs = re.findall(r"number_of_executed_units: (\d+)", done.stdout)
        cover = re.findall(r"cov: (\d+)", done.stdout)
        print(f"{target}: {time.time() - start:.0f} s, {runs[-1] if runs else '?'} runs, {cover[-1] if cover else '?'} edges, "
              + ("nothing found" if done.returncode == 0 else f"FAILED with status {done.returncode}"), flush=True)
        if done.returncode:
            failed.append(target)
            print(done.stdout[-6000:], flush=True)
    finally:
        shutil.rmtree(scratch)
sys.exit(f"FAILED: {', '.join(failed)} (inputs in {build}/found)" if failed else 0)
