"""A rank of a group dies or hangs amid work, in groups of 2 of 4 ranks under mpirun --enable-recovery: nobody waits for it for
ever. The others of its group end and their work goes to the group that is left; where it was of rank 0's group the run ends
with a line that says so. What was finished is kept, and the same command ends with the metrics of an undisturbed run."""
import signal
import time

from common import *
from journal import finished_cells

LONG = 240  # seconds: nothing here takes that long, nor may anything wait longer
MEMBER_GRID = """\
experiment: member
models: [{model}]
methods: [wanda, sparsegpt, ria]
sparsity: [0.5, "2:4"]
calibration: {{sets: [c4], samples: 8, length: 64}}
datasets: [sst2, wikitext2]
limit: 16
window: 64
"""
CELLS = 14


class Ranks:
    def __init__(self, count, *words):
        command = [*MPIRUN, "--enable-recovery", "-n", str(count), BINARY, *words]
        self.log = tempfile.TemporaryFile("w+")
        self.p = subprocess.Popen(command, env=ENV, stdout=subprocess.DEVNULL, stderr=self.log, start_new_session=True)

    def text(self):
        self.log.seek(0)
        return self.log.read()

    def pids(self):
        found = subprocess.run(["pgrep", "-s", str(self.p.pid), "-x", "espalier"], capture_output=True, text=True).stdout.split()
        out = {}
        for pid in found:
            for part in open(f"/proc/{pid}/environ").read().split("\0"):
                if part.startswith("OMPI_COMM_WORLD_RANK="):
                    out[int(part.split("=")[1])] = int(pid)
        return out

    def end(self):
        try:
            return self.p.wait(timeout=LONG)
        except subprocess.TimeoutExpired:
            left = self.pids()
            os.killpg(self.p.pid, signal.SIGKILL)
            for pid in left.values():
                os.kill(pid, signal.SIGKILL)
            sys.exit(f"FAILED: the run waits for ever, with ranks {sorted(left)}:\n{self.text()}")


class Run(Ranks):
    def __init__(self, out, *options):
        super().__init__(4, "run", GRID_FILE, "-o", out, "--threads", "1", "--group-size", "2", *options)
        self.journal = out.replace(".h5", ".journal")

    def wait_cells(self, wanted):
        until = time.time() + LONG
        while len(finished_cells(self.journal)) < wanted:
            expect(self.p.poll() is None, f"the run ended before {wanted} cells:\n{self.text()}")
            expect(time.time() < until, f"no {wanted} cells in {LONG} s:\n{self.text()}")
            time.sleep(0.005)


def strike(name, rank, number, cells, *options):
    """Hits the rank once so many cells are finished: (status, text)."""
    out = f"{SCRATCH}/{name}.h5"
    r = Run(out, *options)
    r.wait_cells(cells)
    pids = r.pids()
    os.kill(pids[rank], number)
    status = r.end()
    until = time.time() + 30
    while any(os.path.exists(f"/proc/{p}") for p in pids.values()) and time.time() < until:
        time.sleep(0.05)
    left = [k for k, p in pids.items() if os.path.exists(f"/proc/{p}")]
    expect(not left, f"{name}: ranks {left} are still there:\n{r.text()}")
    before = finished_cells(r.journal)
    expect(len(before) >= cells, f"{name}: {len(before)} cells, {cells} were finished")
    # mpirun --enable-recovery ends with 0 whatever its ranks ended with: the results know better
    run("status", "--check", out, env=ENV, check=0 if len(before) == CELLS else 75)
    again = Run(out, "--quiet")
    expect(again.end() == 0, f"{name}: the same command again:\n{again.text()}")
    after = finished_cells(r.journal)
    expect(after[:len(before)] == before, f"{name}: finished cells were lost ({len(before)} before, {len(after)} after)")
    expect(len(after) == len(set(after)) == CELLS, f"{name}: {len(after)} cells in the journal, {len(set(after))} different")
    expect(metrics(out) == WANT, f"{name}: other metrics")
    return status, r.text(), len(before)


def others_carry_on(name, rank, number, cells, *options):
    status, text, done = strike(name, rank, number, cells, *options)
    expect(status == 0 and done == CELLS, f"{name}: status {status}, {done} cells\n{text}")
    expect("rank 2 is lost, its work goes to others" in text, f"{name}: no word of it:\n{text}")


def run_ends(name, rank, cells):
    status, text, done = strike(name, rank, signal.SIGKILL, cells)
    expect(done < CELLS, f"{name}: {done} cells\n{text}")
    expect(f"rank {rank} is gone" in text and "to carry on: the same command" in text, f"{name}: no word of it:\n{text}")


def prune_ends():
    out = f"{SCRATCH}/pruned"
    r = Ranks(2, "prune", "--model", MODEL, "--method", "wanda", "--sparsity", "0.5", "--calibration", f"{SCRATCH}/ids.jsonl",
              "--threads", "1", "-o", out)
    until = time.time() + LONG
    while "block " not in r.text():  # told every few seconds, not at every block
        expect(r.p.poll() is None and time.time() < until, f"prune says nothing of its blocks:\n{r.text()}")
        time.sleep(0.005)
    os.kill(r.pids()[1], signal.SIGKILL)
    r.end()
    expect("rank 1 is gone: the others end too" in r.text(), f"no word of a lost rank:\n{r.text()}")
    expect(not os.path.exists(f"{out}/config.json"), "half a checkpoint was left")


if not have_h5py():
    skip("python3-h5py is not installed")
with Scratch() as SCRATCH:
    ENV = {**os.environ, "ESPALIER_DATA": make_data(f"{SCRATCH}/data"), "OMP_NUM_THREADS": "1",
           "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    GRID_FILE = write(f"{SCRATCH}/member.yaml", MEMBER_GRID.format(model=MODEL))
    whole = Run(f"{SCRATCH}/whole.h5", "--quiet")
    expect(whole.end() == 0, whole.text())
    WANT = metrics(f"{SCRATCH}/whole.h5")
    write_jsonl(f"{SCRATCH}/ids.jsonl", [{"input_ids": [(7 * i + j) % 500 for j in range(512)]} for i in range(400)])
    for case in (prune_ends, lambda: others_carry_on("a member", 3, signal.SIGKILL, 2),
                 lambda: others_carry_on("a leader", 2, signal.SIGKILL, 3),
                 lambda: others_carry_on("a member that hangs", 3, signal.SIGSTOP, 1, "--lease-timeout", "4"),
                 lambda: run_ends("a member of the first group", 1, 2),
                 lambda: run_ends("the first rank", 0, 3)):
        begin = time.time()
        case()
        print(f"{time.time() - begin:.1f} s", flush=True)
