"""A rank or mpirun that is killed while MPI starts leaves nobody waiting: the others end within a while, with a line."""
from common import *

ROUNDS = 4


def ranks_of(p):
    return [int(pid) for pid in subprocess.run(["pgrep", "-s", str(p.pid), "-x", "espalier"], capture_output=True, text=True).stdout.split()]


def gone(p, seconds):
    until = time.time() + seconds
    while time.time() < until:
        if not ranks_of(p):
            return True
        time.sleep(0.05)
    return False


with Scratch() as s:
    rng = random.Random(3)
    requests = write_jsonl(f"{s}/requests.jsonl", [{"context": text(rng, 20), "continuation": " " + rng.choice(WORDS)} for _ in range(2000)])
    env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    amid = 0
    for i in range(ROUNDS):
        victim = ("rank", "mpirun")[i % 2]
        command = MPIRUN + ["--enable-recovery", "-n", "3", BINARY, "score", "--model", MODEL, requests, "--quiet"]
        with open(f"{s}/errors", "w") as errors:
            p = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True)
        while p.poll() is None and not ranks_of(p):
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.2))
        ranks = ranks_of(p)
        if not ranks:
            continue
        os.kill(p.pid if victim == "mpirun" else rng.choice(ranks), signal.SIGKILL)
        ended = gone(p, 60)  # those that mpirun has not seen all of wait ten seconds
        for pid in ranks_of(p) + [p.pid]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        p.wait()
        said = open(f"{s}/errors").read()
        expect(ended, f"{victim} killed: others still wait after a minute\n{said}")
        amid += "MPI does not start" in said
    print(f"{amid} of {ROUNDS} amid MPI's start")
    expect(amid > 0, "nothing was killed amid MPI's start")
