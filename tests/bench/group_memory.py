"""Peak anonymous memory of each rank of `espalier prune`, alone and in groups, and of what the ranks have in common (with
MPI's own buffers).

    group_memory.py BINARY MODEL IDS.jsonl [RANKS ...] [-- OPTIONS OF prune]

Prunes MODEL with SparseGPT at 0.5, once for each number of ranks (1 and 2 when none is given; the first is what the
others are compared with); ranks of a group hold blocks of every Gram matrix (--factor scalapack). By hand, as README.md
has it:
    cmake --build B --target make_model
    B/tests/make_model 1.1b hidden=2048,blocks=4,heads=32,ffn=5632,vocab=32000,kv_heads=4,positions=2048 bfloat16
    peak_memory.py --ids 4 512 32000 > ids.jsonl
    group_memory.py B/espalier 1.1b ids.jsonl 1 2 -- --precision bfloat16 --threads 1"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))
from memory import anonymous  # noqa: E402

MPIRUN = ["mpirun", "--oversubscribe", "--bind-to", "none"]


def rank_of(pid, binary):
    """The rank of a process that runs the binary under this mpirun, else None."""
    try:
        if not os.path.samefile(f"/proc/{pid}/exe", binary):
            return None
        with open(f"/proc/{pid}/environ") as f:
            return next((int(x.split("=")[1]) for x in f.read().split("\0") if x.startswith("OMPI_COMM_WORLD_RANK=")), None)
    except OSError:
        return None


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(x) for x in f.read().split()]
    except OSError:
        return []


def peaks(command, binary, ranks):
    """Bytes of each rank, of what they have in common, and seconds."""
    start, most, common = time.time(), [0] * ranks, 0
    process = subprocess.Popen(command)
    while process.poll() is None:
        for pid in children(process.pid):
            rank = rank_of(pid, binary)
            if rank is not None:
                most[rank] = max(most[rank], anonymous(pid))
                common = max(common, anonymous(pid, "RssShmem"))
        time.sleep(0.02)
    if process.returncode != 0:
        sys.exit(process.returncode)
    return most, common, time.time() - start


def main(words):
    cut = words.index("--") if "--" in words else len(words)
    options, words = words[cut + 1:], words[:cut]
    if len(words) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    binary, model, ids = words[:3]
    alone = None
    for ranks in [int(x) for x in words[3:]] or [1, 2]:
        folder = tempfile.mkdtemp(prefix="espalier-group-")
        command = [*MPIRUN, "-n", str(ranks), binary, "prune", "--model", model, "--method", "sparsegpt", "--sparsity", "0.5",
                   "--calibration", ids, "-o", folder, "--quiet", *options]
        command += ["--factor", "scalapack"] if ranks > 1 else []
        try:
            most, common, seconds = peaks(command, binary, ranks)
        finally:
            shutil.rmtree(folder)
        alone = alone or max(most)
        each = " ".join(f"{m / 2**20:.0f}" for m in most)
        whole = max(most) + common / ranks
        print(f"{ranks} ranks: {each} MiB of their own at most, {common / 2**20:.0f} in common; "
              f"a rank's own {max(most) / alone:.2f} and with its part of the common {whole / alone:.2f} of the first, "
              f"{seconds:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
