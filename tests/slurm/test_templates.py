"""Each template of slurm/, edited in its three places and submitted to a real Slurm of one node: the allocation runs out
at least once (and a signal ends a second one), and /metrics ends up byte for byte as an uninterrupted run leaves it."""
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from cluster import Cluster, NoCluster
from common import *

GRID = """\
experiment: small
models: [{model}]
methods: [magnitude, wanda, sparsegpt, ria]
sparsity: [0.5, "2:4"]
calibration:
  sets: [c4, wikitext2]
  samples: 8
  length: 128
  draws: 1
datasets: [sst2, wikitext2]
limit: 100
window: 128
windows: 60
store: {{masks: true}}
"""
DEADLINE = 600  # seconds for all templates together


def edit(name, folder, experiment, results, allocation, left):
    """The template with its three places edited and nothing else. On a job's first start the third place also lets the
    allocation pass until `left` seconds are left, as another program in the same job would."""
    lines = open(f"{SOURCE}/slurm/{name}.sh").read().split("\n")
    out, place = [], 0
    for line in lines:
        at = re.match(r"# --- ([123]|nothing)", line)
        place = (int(at[1]) if at[1] != "nothing" else 0) if at else place
        option = re.match(r"#SBATCH (--[a-z-]+)", line)
        if place == 1 and option and option[1] == "--job-name":
            line = f"#SBATCH --job-name={name}"
        if place == 1 and option and option[1] in allocation:
            line = f"#SBATCH {option[1]}={allocation[option[1]]}"
        if place == 1 and option and option[1] in ("--mem-per-cpu", "--signal"):
            continue  # a node of 1 GB; Slurm sends a signal up to a minute early, of two minutes that these jobs have
        if place == 2:
            line = re.sub("^experiment=.*", f"experiment={experiment}", line)
            line = re.sub("^results=.*", f"results={results}", line)
        if place == 3:
            line = re.sub("^export PATH=.*", f"export PATH={os.path.dirname(BINARY)}:$PATH", line)
            line = re.sub("^launch=.*", 'launch="mpirun --enable-recovery --oversubscribe --bind-to none"\n' + WAIT.format(left=left), line)
        out.append(line)
    return write(f"{folder}/{name}.sh", "\n".join(out))


WAIT = """\
if [ "${{SLURM_RESTART_COUNT:-0}}" -eq 0 ] && [ "${{ESPALIER_LINK:-1}}" -eq 1 ]; then
  seconds() {{ squeue -h -j "${{SLURM_ARRAY_TASK_ID:+${{SLURM_ARRAY_JOB_ID}}_}}${{SLURM_ARRAY_TASK_ID:-$SLURM_JOB_ID}}" -o %L | awk -F: '{{ print $(NF - 1) * 60 + $NF }}'; }}
  while [ "$(seconds)" -gt {left} ]; do sleep 0.5; done
fi"""


def jobs(cluster):
    """job id -> (name, state, restarts), of all jobs that the controller still knows."""
    out = {}
    for line in cluster.ask("scontrol", "-o", "show", "job", check=False).splitlines():
        field = dict(f.split("=", 1) for f in line.split() if "=" in f)
        if "JobId" in field:
            out[field["JobId"]] = (field["JobName"], field["JobState"], int(field.get("Restarts", 0)))
    return out


def done_cells(path):
    answer = run("status", path, check=None).stdout
    return int((re.search(r"cells  (\d+) of", answer) or ["", "0"])[1])


class Interrupter:
    """Sends a job's batch script the signal that --signal=B:USR1 would, once its second start has finished a cell."""

    def __init__(self, cluster, job, path):
        self.cluster, self.job, self.path, self.before, self.sent = cluster, job, path, None, False

    def look(self, known):
        _, state, restarts = known.get(self.job, ("", "", 0))
        if self.sent or restarts != 1:
            return
        if state == "PENDING":
            self.before = done_cells(self.path)
        elif state == "RUNNING" and self.before is not None and done_cells(self.path) > self.before:
            self.cluster.ask("scancel", "--batch", "--signal=USR1", self.job)
            self.sent = True


def wait_for_jobs(cluster, interrupter):
    """Until no job is left to run. A requeued job would wait for two minutes: here it waits until the old script is gone
    for sure, since Slurm takes the end of that one for the end of what it has started already."""
    until = time.time() + DEADLINE
    since = {}
    while time.time() < until:
        known = jobs(cluster)
        interrupter.look(known)
        left = {j: v for j, v in known.items() if v[1] not in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL")}
        if not left:
            return known
        for job, (_, state, restarts) in left.items():
            if state == "PENDING" and restarts and time.time() - since.setdefault((job, restarts), time.time()) > 12:
                cluster.ask("scontrol", "update", f"JobId={job}", "StartTime=now", check=False)
        time.sleep(0.3)
    sys.exit(f"FAILED: jobs are left after {DEADLINE} s: {jobs(cluster)}")


def logs(folder):
    return "".join(f"{p.name}:\n{p.read_text()[-8000:]}\n" for p in sorted(pathlib.Path(folder).glob("*.log")))


def everything(s):
    return "".join(logs(f"{s}/{name}") for name in ("requeue", "chain", "array"))


def check_file(folder, want, what):
    path = f"{folder}/small.h5"
    expect(os.path.exists(path), f"{what} left no results file\n{logs(folder)}")
    expect(run("status", "--check", path, check=None).returncode == 0, f"{what} is not complete\n{logs(folder)}")
    expect(metrics(path) == want, f"{what}: other /metrics than an uninterrupted run's")


def main(s):
    env = {"ESPALIER_DATA": make_data(f"{s}/data", items=100), "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
    os.environ.update(env)
    grid = write(f"{s}/small.yaml", GRID.format(model=MODEL))
    os.makedirs(f"{s}/slurm")
    with Cluster(f"{s}/slurm") as cluster:
        start = time.time()
        run("run", grid, "-o", f"{s}/whole.h5", "--quiet", ranks=2, cwd=s)
        whole = time.time() - start
        want = metrics(f"{s}/whole.h5")
        left = min(60, max(4, int(whole / 3)))  # seconds; others run beside it: no template is through in that
        one = {"--ntasks-per-node": 2, "--cpus-per-task": 1, "--time": 2}
        submitted = {}
        for name, allocation in (("requeue", one), ("chain", one),
                                 ("array", {**one, "--array": "1-2", "--ntasks-per-node": 1})):
            folder = f"{s}/{name}"
            os.makedirs(folder)
            script = edit(name, folder, grid, f"{folder}/small.h5", allocation, left)
            cluster.env.update(env)
            done = subprocess.run(["sbatch", script], cwd=folder, env=cluster.env, text=True, capture_output=True)
            expect(done.returncode == 0, f"sbatch {name}: {done.stderr}")
            submitted[name] = done.stdout.split()[-1]
        known = wait_for_jobs(cluster, Interrupter(cluster, submitted["requeue"], f"{s}/requeue/small.h5"))
        for name in ("requeue", "chain", "array"):
            check_file(f"{s}/{name}", want, f"slurm/{name}.sh")
        for name in ("requeue", "chain", "array"):
            expect("stopped for time" in logs(f"{s}/{name}"), f"slurm/{name}.sh was never out of time\n{everything(s)}")
        expect("stopped by a signal" in logs(f"{s}/requeue"), f"USR1 did not stop slurm/requeue.sh\n{everything(s)}")
        requeues = {name: sum(r for n, _, r in known.values() if n == name) for name in ("requeue", "array")}
        links = sorted(state for n, state, _ in known.values() if n == "chain")
        expect(min(requeues.values()) >= 1, f"a template was never requeued: {known}\n{everything(s)}")
        expect(len(links) >= 3 and links.count("COMPLETED") == 1 and links.count("CANCELLED") == 1,
               f"a chain runs until it is done and takes its last link back: {links}\n{everything(s)}")
        print(f"an uninterrupted run takes {whole:.0f} s, the first allocations had {left} s for it; requeues {requeues}, "
              f"links {links}; {time.time() - start:.0f} s in all")


if not have_h5py():
    skip("python3-h5py is not installed")
with Scratch() as scratch:
    try:
        main(scratch)
    except NoCluster as reason:
        skip(f"no Slurm here: {reason}")
