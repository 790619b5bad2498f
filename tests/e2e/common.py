"""What the end-to-end tests share: a scratch folder with data, running the program, reading results.
Only Python's standard library, and h5py where a results file is read independently."""
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

SOURCE = os.environ.get("ESPALIER_SOURCE") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("ESPALIER_BINARY") or os.path.join(SOURCE, "build/release/espalier")
MODEL = os.path.join(SOURCE, "experiments/demo/nano-llama")
MPIRUN = ["mpirun", "--oversubscribe", "--bind-to", "none"]

os.environ["OMPI_ALLOW_RUN_AS_ROOT"] = os.environ["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"


def folder(kind):
    """ESPALIER_REFERENCE and its like, or ../shared/KIND beside the source; None when it is absent."""
    path = os.environ.get("ESPALIER_" + kind.upper()) or os.path.join(SOURCE, "../shared", kind)
    return path if os.path.isdir(path) else None


def skip(reason):
    print(f"SKIPPED: {os.path.basename(sys.argv[0])}: {reason}")
    sys.exit(77)


def find_model(name):
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    for place in (folder("models"), os.path.join(cache, "espalier/models"), os.path.join(SOURCE, "experiments/demo")):
        if place and os.path.exists(os.path.join(place, name, "config.json")):
            return os.path.join(place, name)
    return None


class Scratch:
    """A folder that goes away, unless KEEP is set in the environment."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="espalier-e2e-")
        return self.path

    def __exit__(self, *_):
        if os.environ.get("KEEP"):
            print("kept", self.path)
        else:
            shutil.rmtree(self.path)


def run(*args, ranks=0, cwd=None, env=None, stdin=None, check=0, timeout=600):
    """Runs the program; check: the exit status it must have (None: any)."""
    command = (MPIRUN + ["-n", str(ranks)] if ranks else []) + [BINARY, *map(str, args)]
    env = {**os.environ, **(env or {})}
    if ranks:  # what MPI keeps until the process ends cannot be told from leaks once its plugins are gone
        env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
    done = subprocess.run(command, cwd=cwd, env=env, input=stdin, text=True,
                          capture_output=True, timeout=timeout)
    if check is not None and done.returncode != check:
        sys.exit(f"FAILED: {' '.join(command)}\nstatus {done.returncode}, wanted {check}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done


def expect(condition, message):
    if not condition:
        sys.exit("FAILED: " + message)


def kill_at(args, journal, size, ranks=0, env=None, cwd=None, timeout=300):
    """Starts the program and sends all its processes SIGKILL once its journal has that many bytes: a moment that does not
    depend on how busy the machine is. False: it ended before, with status 0."""
    command = (MPIRUN + ["-n", str(ranks)] if ranks else []) + [BINARY, *map(str, args)]
    p = subprocess.Popen(command, env=env, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    until = time.time() + timeout
    while not os.path.exists(journal) or os.path.getsize(journal) < size:
        if p.poll() is not None:
            expect(p.returncode == 0, f"{' '.join(command)} ended with status {p.returncode}")
            return False
        expect(time.time() < until, f"{' '.join(command)}: no {size} bytes of journal in {timeout} s")
        time.sleep(0.002)
    mates = subprocess.run(["pgrep", "-s", str(p.pid)], capture_output=True, text=True).stdout.split()
    for pid in mates:
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass
    p.wait()
    while subprocess.run(["pgrep", "-s", str(p.pid)], capture_output=True).returncode == 0:
        time.sleep(0.01)
    return True


WORDS = ("river stone light paper window garden morning market engine history letter island kitchen music winter "
         "summer teacher village mountain science and the of to in a was is that for it with as on be at by").split()


def text(rng, words):
    return " ".join(rng.choice(WORDS) for _ in range(words)) + "."


def make_data(path, seed=0, items=24):
    """Small data sets in the layout of ESPALIER_DATA: c4 and sst2 and wikitext2 look-alikes."""
    rng = random.Random(seed)
    write_jsonl(f"{path}/c4/train.jsonl", [{"text": text(rng, 150)} for _ in range(40)])
    write_jsonl(f"{path}/sst2/train.jsonl", [{"sentence": text(rng, 12), "label": i % 2} for i in range(80)])
    write_jsonl(f"{path}/sst2/test.jsonl", [{"sentence": text(rng, 12), "label": i % 2} for i in range(items)])
    write_jsonl(f"{path}/wikitext2/train.jsonl", [{"text": text(rng, 60)} for _ in range(60)])
    write_jsonl(f"{path}/wikitext2/test.jsonl", [{"text": text(rng, 60)} for _ in range(30)])
    return path


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb" if isinstance(content, bytes) else "w") as f:
        f.write(content)
    return path


def write_jsonl(path, rows):
    return write(path, "".join(json.dumps(r) + "\n" for r in rows))


GRID = """\
experiment: small
models: [{model}]
methods: [dense, magnitude, wanda, sparsegpt, ria]
sparsity: [0.5, "2:4"]
calibration:
  sets: [c4]
  samples: 4
  length: 64
  draws: 2
datasets: [sst2, wikitext2]
limit: 8
window: 64
"""


def small_grid(path, extra="", model=MODEL):
    return write(f"{path}/small.yaml", GRID.format(model=model) + extra)


def metrics(path):
    """The bytes of /metrics, read by h5py."""
    import h5py
    with h5py.File(path, "r") as f:
        return f["metrics"][:].tobytes()


def have_h5py():
    try:
        import h5py  # noqa: F401
        return True
    except ImportError:
        return False


def read_safetensors(path):
    """An independent reader: name -> (dtype, shape, bytes)."""
    raw = open(path, "rb").read()
    n = struct.unpack("<Q", raw[:8])[0]
    head = json.loads(raw[8:8 + n])
    body = raw[8 + n:]
    return {k: (v["dtype"], v["shape"], body[v["data_offsets"][0]:v["data_offsets"][1]])
            for k, v in head.items() if k != "__metadata__"}


def count_zeros(dtype, raw):
    width, mask = {"BF16": (2, 0x7FFF), "F16": (2, 0x7FFF), "F32": (4, 0x7FFFFFFF)}[dtype]
    values = memoryview(raw).cast({2: "H", 4: "I"}[width])
    return sum(1 for v in values if v & mask == 0)
