"""What clusters do to a run: full and read-only disks, deleted results, damaged journals, a second run on the same file, ranks
that hang or are killed, models that change, signals. Each time: a line that says what is wrong, the right exit status, nothing
that was finished lost or computed again, and the metrics of an undisturbed run once the same command is started again."""
import resource
import signal
import time

from common import *
from journal import finished_cells

FAULT_GRID = """\
experiment: faults
models: [{model}]
methods: [magnitude, wanda, ria]
sparsity: [0.5, "2:4"]
calibration: {{sets: [c4], samples: 8, length: 64}}
datasets: [sst2, wikitext2]
limit: 16
window: 64
"""
CELLS = 14
NOBODY = 65534


class Run:
    """A run in the background, its standard error in a file."""

    def __init__(self, grid, out, *options, ranks=0, recover=False, **popen):
        command = (MPIRUN + (["--enable-recovery"] if recover else []) + ["-n", str(ranks)]) if ranks else []
        command += [BINARY, "run", grid, "-o", out, "--threads", "1", *options]
        self.journal, self.log = out.replace(".h5", ".journal"), tempfile.TemporaryFile("w+")
        self.p = subprocess.Popen(command, env=ENV, stdout=subprocess.DEVNULL, stderr=self.log, start_new_session=True, **popen)

    def wait_cells(self, wanted):
        until = time.time() + 300
        while len(finished_cells(self.journal)) < wanted:
            expect(self.p.poll() is None, f"the run ended before {wanted} cells:\n{self.text()}")
            expect(time.time() < until, f"no {wanted} cells in 300 s:\n{self.text()}")
            time.sleep(0.005)

    def text(self):
        size = os.fstat(self.log.fileno()).st_size
        return os.pread(self.log.fileno(), size, 0).decode(errors="replace")  # the place where the run writes is not moved

    def end(self, status, *parts):
        """Waits; the last of the program's lines must hold the parts."""
        code = self.p.wait(timeout=300)
        lines = [x for x in self.text().split("\n") if x.startswith("espalier: ")]
        expect(code == status, f"status {code}, wanted {status}:\n{self.text()}")
        expect(not parts or (lines and all(x in lines[-1] for x in parts)), f"no line with {parts}:\n{self.text()}")
        expect(not parts or len(lines) == 1, f"more than one line:\n{self.text()}")

    def ranks(self):
        """rank -> process"""
        found = subprocess.run(["pgrep", "-s", str(self.p.pid), "-x", "espalier"], capture_output=True, text=True).stdout.split()
        out = {}
        for pid in found:
            for part in open(f"/proc/{pid}/environ").read().split("\0"):
                if part.startswith("OMPI_COMM_WORLD_RANK="):
                    out[int(part.split("=")[1])] = int(pid)
        return out


def carries_on(what, grid, out, before):
    """The same command again ends well, with what was finished kept and the metrics of an undisturbed run."""
    Run(grid, out, "--quiet").end(0)
    after = finished_cells(out.replace(".h5", ".journal"))
    expect(after[:len(before)] == before, f"{what}: finished cells were lost ({len(before)} before, {len(after)} after)")
    expect(len(after) == len(set(after)) == CELLS, f"{what}: {len(after)} cells in the journal, {len(set(after))} different")
    expect(metrics(out) == WANT, f"{what}: other metrics")


def full_disk_by_limit(s, grid):
    out = f"{s}/limit.h5"
    small = int(SIZES["h5"] + 0.5 * SIZES["journal"]) if SIZES["journal"] > 2 * SIZES["h5"] else int(SIZES["journal"] * 0.5)
    r = Run(grid, out, "--quiet", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (small, small)))
    r.end(2, "limit.", "File too large")
    carries_on("file size limit", grid, out, finished_cells(r.journal))


def full_disk(s, grid):
    disk = f"{s}/disk"
    os.makedirs(disk)
    size = SIZES["start"] + SIZES["journal"] // 2 + 4096
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], capture_output=True).returncode:
        print("SKIPPED: a full disk: needs root's mount (a limit on file sizes stands in for it)")
        return
    try:
        out = f"{disk}/r.h5"
        r = Run(grid, out, "--quiet")
        r.end(2, disk, "No space left on device")
        before = finished_cells(r.journal)
        expect(0 < len(before) < CELLS, f"{len(before)} cells on the small disk")
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        carries_on("full disk", grid, out, before)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        Run(grid, f"{disk}/other.h5", "--quiet").end(2, "other", "Read-only file system")
        Run(grid, out, "--quiet").end(2, disk, "Read-only file system")
        expect(metrics(out) == WANT, "a read-only disk changed the metrics")
    finally:
        subprocess.run(["umount", disk], check=True)


def folder_without_permission(s, grid):
    """A folder that stops taking new files under the run."""
    place = f"{s}/locked"
    os.makedirs(place)
    user = {}
    if os.geteuid() == 0:
        os.chmod(s, 0o755)
        os.chown(place, NOBODY, NOBODY)
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        if subprocess.run([BINARY, "plan", grid], env=ENV, capture_output=True, **user).returncode:
            print("SKIPPED: a folder that turns read-only: another user cannot read the program or its data here")
            return
    out = f"{place}/r.h5"
    r = Run(grid, out, "--quiet", **user)
    r.wait_cells(2)
    os.chmod(place, 0o555)
    r.end(2, place, "Permission denied")
    os.chmod(place, 0o755)
    before = finished_cells(r.journal)
    expect(len(before) == CELLS, f"{len(before)} cells in a journal that could be written")
    carries_on("locked folder", grid, out, before)


def results_deleted(s, grid):
    place = f"{s}/deleted"
    os.makedirs(place)
    out = f"{place}/r.h5"
    r = Run(grid, out, "--quiet")
    r.wait_cells(3)
    shutil.rmtree(place)
    r.end(2, r.journal, "was deleted while a run wrote it", "it is there again")
    before = finished_cells(r.journal)
    expect(len(before) >= 3, f"{len(before)} cells were put back")
    carries_on("deleted results", grid, out, before)


def journal_damaged(s, grid):
    out = f"{s}/damaged.h5"
    Run(grid, out, "--quiet").end(0)
    journal = out.replace(".h5", ".journal")
    whole, rng = open(journal, "rb").read(), random.Random(5)
    cut = whole[:rng.randrange(len(whole) // 3, len(whole) - 1)]
    write(journal, cut)
    before = finished_cells(journal)
    r = Run(grid, out)
    expect(r.p.wait(timeout=300) == 0 and "incomplete and are dropped" in r.text(), f"a cut journal:\n{r.text()}")
    carries_on("cut journal", grid, out, before)
    at = rng.randrange(len(whole) // 2, len(whole))
    write(journal, whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1:])
    r = Run(grid, out)
    expect(r.p.wait(timeout=300) == 0 and "are dropped" in r.text(), f"a flipped bit:\n{r.text()}")
    expect(metrics(out) == WANT, "a flipped bit in the journal changed the metrics")
    write(journal, b"something else\n")
    Run(grid, out, "--quiet").end(2, journal, "not a journal")
    expect(open(journal, "rb").read() == b"something else\n", "what is no journal was changed")


def two_runs(s, grid):
    out = f"{s}/two.h5"
    first = Run(grid, out, "--quiet")
    first.wait_cells(1)
    os.kill(first.p.pid, signal.SIGSTOP)
    Run(grid, out, "--quiet").end(2, first.journal, f"is being written by another run (pid {first.p.pid} on host ")
    Run(grid, out, "--quiet", ranks=2).end(2, f"another run (pid {first.p.pid} on host ")
    before = finished_cells(first.journal)
    os.kill(first.p.pid, signal.SIGKILL)
    first.p.wait()
    carries_on("a dead owner", grid, out, before)


def hung_rank(s, grid):
    out = f"{s}/hung.h5"
    r = Run(grid, out, "--lease-timeout", "5", ranks=3, recover=True)
    r.wait_cells(1)
    victim = r.ranks()[2]
    os.kill(victim, signal.SIGSTOP)
    expect(r.p.wait(timeout=300) == 0, f"a rank that hangs: status {r.p.returncode}\n{r.text()}")
    expect("rank 2 is lost" in r.text(), f"no word of the rank that hangs:\n{r.text()}")
    until = time.time() + 30
    while os.path.exists(f"/proc/{victim}") and time.time() < until:
        time.sleep(0.05)
    expect(not os.path.exists(f"/proc/{victim}"), "the rank that hung is still there")
    carries_on("hung rank", grid, out, finished_cells(r.journal))


def killed_rank(s, grid):
    out = f"{s}/killed.h5"
    r = Run(grid, out, ranks=3, recover=True)
    r.wait_cells(1)
    os.kill(r.ranks()[1], signal.SIGKILL)  # as the kernel does to a process that takes too much memory
    expect(r.p.wait(timeout=300) == 0, f"a rank killed: status {r.p.returncode}\n{r.text()}")
    expect("rank 1 is lost" in r.text(), f"no word of the rank that was killed:\n{r.text()}")
    carries_on("killed rank", grid, out, finished_cells(r.journal))


def model_changed(s, grid):
    """The grid of all others with a copy of the model, so that identities are the same."""
    model, out = f"{s}/{os.path.basename(MODEL)}", f"{s}/model.h5"
    shutil.copytree(MODEL, model)
    weights = f"{model}/model.safetensors"
    os.chmod(weights, 0o644)
    own = write(f"{s}/own.yaml", FAULT_GRID.format(model=model))
    r = Run(own, out, "--quiet")
    r.wait_cells(2)
    os.kill(r.p.pid, signal.SIGTERM)
    r.end(75, "stopped by a signal", f"of {CELLS} cells done")
    before, h5 = finished_cells(r.journal), open(out, "rb").read()
    with open(weights, "r+b") as f:
        f.seek(-2, os.SEEK_END)
        last = f.read(2)
        f.seek(-2, os.SEEK_END)
        f.write(bytes([last[0] ^ 1, last[1]]))
    Run(own, out, "--quiet").end(2, model, "is another model now than", "model.h5 was begun with", "-o")
    expect(open(out, "rb").read() == h5 and finished_cells(r.journal) == before, "the refused run changed the results")
    with open(weights, "r+b") as f:
        f.seek(-2, os.SEEK_END)
        f.write(last)
    carries_on("restored model", own, out, before)


def signals(s, grid):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        out = f"{s}/{number.name}.h5"
        r = Run(grid, out, "--quiet")
        r.wait_cells(2)
        os.kill(r.p.pid, number)
        r.end(75, "stopped by a signal", "to carry on")
        before = finished_cells(r.journal)
        expect(2 <= len(before) < CELLS, f"{number.name}: {len(before)} cells")
        status = run("status", out).stdout
        expect(f"{len(before)} of {CELLS}" in status, f"{number.name}: the results file was not written:\n{status}")
        carries_on(number.name, grid, out, before)
    out = f"{s}/ranks.h5"
    r = Run(grid, out, "--quiet", ranks=2)
    r.wait_cells(2)
    os.kill(r.p.pid, signal.SIGUSR1)  # mpirun hands it on to the ranks
    expect(r.p.wait(timeout=300) == 75 and "stopped by a signal" in r.text(), f"status {r.p.returncode}\n{r.text()}")
    carries_on("SIGUSR1 to mpirun", grid, out, finished_cells(r.journal))


def many_signals(s, grid):
    """One signal after the other, from the start on: whatever they hit, the run stops as for one."""
    for number, ranks in ((signal.SIGUSR1, 3), (signal.SIGUSR1, 0), (signal.SIGTERM, 0)):
        what = f"{number.name} again and again, {ranks} ranks"
        out = f"{s}/many-{number.name}-{ranks}.h5"
        r = Run(grid, out, "--quiet", ranks=ranks)
        r.wait_cells(2)
        sent = 0
        while sent < 40 and r.p.poll() is None and "stopped" not in r.text():  # mpirun takes none while it clears up
            os.kill(r.p.pid, number)
            sent += 1
            time.sleep(0.0003)
        r.p.wait(timeout=300)
        expect(r.p.returncode == 75 and "stopped by a signal" in r.text() and sent > 1, f"{what}, {sent} times: status {r.p.returncode}\n{r.text()}")
        carries_on(what, grid, out, finished_cells(r.journal))


def signal_to_one_rank(s, grid):
    """A rank that is told to stop, rank 0 or another, stops the run in order."""
    for rank in (0, 1):
        what, out = f"SIGTERM to rank {rank}", f"{s}/one-rank-{rank}.h5"
        r = Run(grid, out, "--quiet", ranks=3)
        r.wait_cells(2)
        os.kill(r.ranks()[rank], signal.SIGTERM)
        code, text = r.p.wait(timeout=300), r.text()
        expect(code == 75 and text.count("stopped by a signal") == 1, f"{what}: status {code}\n{text}")
        carries_on(what, grid, out, finished_cells(r.journal))


if not have_h5py():
    skip("python3-h5py is not installed")
with Scratch() as scratch:
    ENV = {**os.environ, "ESPALIER_DATA": make_data(f"{scratch}/data"), "OMP_NUM_THREADS": "1",
           "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    GRID_FILE = write(f"{scratch}/faults.yaml", FAULT_GRID.format(model=MODEL))
    whole = Run(GRID_FILE, f"{scratch}/whole.h5", "--quiet")
    whole.wait_cells(1)
    SIZES = {"start": os.path.getsize(f"{scratch}/whole.h5")}
    whole.end(0)
    SIZES.update(h5=os.path.getsize(f"{scratch}/whole.h5"), journal=os.path.getsize(whole.journal))
    WANT = metrics(f"{scratch}/whole.h5")
    cases = [full_disk_by_limit, full_disk, folder_without_permission, results_deleted, journal_damaged, two_runs, hung_rank,
             killed_rank, model_changed, signals, many_signals, signal_to_one_rank]
    for case in cases:
        if len(sys.argv) < 2 or case.__name__ in sys.argv[1:]:
            begin = time.time()
            case(scratch, GRID_FILE)
            print(f"{case.__name__}: {time.time() - begin:.1f} s", flush=True)
