#!/usr/bin/env python3
"""Runs of a small grid on 3 ranks, each hit at a random time by SIGKILL to a random rank, to all ranks or to mpirun, then
resumed (a resumed run may be hit again): no cell that was finished is lost or computed again, and /metrics ends with the bytes
of an undisturbed run.

usage: kill_campaign.py [--runs N] [--seed S]"""
import argparse
import signal
import time

from common import *
from journal import finished_cells

CELLS = 10  # of the grid below: a dense one and two methods at two sparsities, on two data sets

CAMPAIGN_GRID = """\
experiment: campaign
models: [{model}]
methods: [magnitude, wanda]
sparsity: [0.5, "2:4"]
calibration: {{sets: [c4], samples: 8, length: 64}}
datasets: [sst2, wikitext2]
limit: 16
window: 64
"""


def processes(session, *names):
    found = subprocess.run(["pgrep", "-s", str(session), *names], capture_output=True, text=True).stdout.split()
    return [int(pid) for pid in found]


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def gone(p, seconds):
    """Waits for mpirun and for ranks that lost it: they leave by themselves, or are killed after a while. False: they were."""
    until = time.time() + seconds
    while p.poll() is None or processes(p.pid, "-x", "espalier"):
        if time.time() > until:
            for pid in processes(p.pid):
                kill(pid)
            p.wait(timeout=60)
            return False
        time.sleep(0.05)
    return True


def start(grid, out, env, cwd, recover):
    command = MPIRUN + (["--enable-recovery"] if recover else []) + ["-n", "3", BINARY, "run", grid, "-o", out, "--quiet", "--threads", "1"]
    return subprocess.Popen(command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def disturb(p, moment, victim, rng):
    """Kills at a moment; False when the run ended before."""
    if not moment(p):
        return False
    ranks = processes(p.pid, "-x", "espalier")
    if victim == "mpirun":
        kill(p.pid)
    elif victim == "all":
        for pid in ranks:
            kill(pid)
    elif ranks:
        kill(rng.choice(ranks))
    return True


def at_time(seconds):
    def moment(p):
        try:
            p.wait(timeout=seconds)
            return False
        except subprocess.TimeoutExpired:
            return True
    return moment


def at_cells(journal, wanted, seconds, limit):
    """So long after so many cells are finished."""
    def moment(p):
        until = time.time() + limit
        while p.poll() is None and len(finished_cells(journal)) < wanted:
            if time.time() > until:
                gone(p, 0)
                sys.exit(f"FAILED: no {wanted} cells in {limit:.0f} s, with nothing killed")
            time.sleep(0.005)
        return at_time(seconds)(p)
    return moment


def one_run(number, rng, grid, want, whole, env, s, tally):
    out, journal = f"{s}/run.h5", f"{s}/run.journal"
    for path in (out, journal):
        if os.path.exists(path):
            os.remove(path)
    before, hits, limit = [], 0, max(60, 10 * whole)
    for attempt in range(20):
        victim, recover = rng.choice(["rank", "rank", "all", "mpirun"]), rng.random() < 0.3
        moment = at_time(rng.uniform(0.05, 1.1) * whole) if rng.random() < 0.3 else \
            at_cells(journal, rng.randrange(CELLS), rng.expovariate(50 / whole), limit)
        p = start(grid, out, env, s, recover)
        hit = (attempt == 0 or rng.random() < 0.3) and disturb(p, moment, victim, rng)
        begun = len(before) > 0 or os.path.exists(journal)
        left = gone(p, limit)
        after = finished_cells(journal)
        where = f"run {number}, start {attempt} ({victim if hit else 'undisturbed'}{', recovery' if recover else ''})"
        expect(after[:len(before)] == before, f"{where}: finished cells were lost: {len(before)} before, {len(after)} after")
        expect(len(set(after)) == len(after), f"{where}: {len(after) - len(set(after))} finished cells were computed again")
        if hit:
            hits += 1
            tally[victim] = tally.get(victim, 0) + 1
            tally["amid cells"] = tally.get("amid cells", 0) + (0 < len(after) < CELLS)
        expect(left, f"{where}: did not end in {limit:.0f} s ({'once begun' if begun else 'at the start'})")
        before = after
        # what mpirun --enable-recovery returns is not always what the ranks did
        complete = run("status", "--check", out, check=None).returncode == 0
        expect(complete or hit, f"{where}: ended with status {p.returncode}, not complete")
        expect(hit or recover or p.returncode == 0, f"{where}: ended with status {p.returncode}")
        if complete and not hit:
            break
    else:
        sys.exit(f"FAILED: run {number} did not end in 20 starts")
    expect(metrics(out) == want, f"run {number}: other metrics after {hits} kills\n{run('status', out, check=None).stdout}")
    return hits


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    if not have_h5py():
        skip("python3-h5py is not installed")
    rng, tally, hit = random.Random(a.seed), {}, 0
    with Scratch() as s:
        env = {**os.environ, "ESPALIER_DATA": make_data(f"{s}/data"), "OMP_NUM_THREADS": "1",
               "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
        grid = write(f"{s}/campaign.yaml", CAMPAIGN_GRID.format(model=MODEL))
        begin = time.time()
        expect(start(grid, f"{s}/whole.h5", env, s, False).wait(timeout=600) == 0, "the undisturbed run failed")
        whole = time.time() - begin
        want = metrics(f"{s}/whole.h5")
        cells = len(finished_cells(f"{s}/whole.journal"))
        expect(cells == CELLS, f"{cells} cells in the undisturbed run's journal")
        for number in range(a.runs):
            hits = one_run(number, rng, grid, want, whole, env, s, tally)
            hit += hits > 0
            if (number + 1) % 10 == 0:
                print(f"{number + 1} runs, {hit} of them hit, kills: {tally}", flush=True)
    expect(hit * 2 >= a.runs, f"only {hit} of {a.runs} runs were hit")
    print(f"{a.runs} runs of {cells} cells, seed {a.seed}: {hit} hit, kills: {tally}, no cell lost or repeated; "
          f"an undisturbed run takes {whole:.1f} s")


main()
