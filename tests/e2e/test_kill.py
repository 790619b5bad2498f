"""A run killed with SIGKILL at ten random times and resumed each time ends with the metrics of an undisturbed one."""
import signal
import time

from common import *

if not have_h5py():
    skip("python3-h5py is not installed")
with Scratch() as s:
    env = {**os.environ, "ESPALIER_DATA": make_data(f"{s}/data"), "ASAN_OPTIONS": "detect_leaks=0"}
    grid = small_grid(s)
    start = time.time()
    run("run", grid, "-o", f"{s}/whole.h5", ranks=2, env=env, cwd=s)
    whole = time.time() - start
    want = metrics(f"{s}/whole.h5")
    rng = random.Random(1)
    kills = finished = 0
    while kills < 10 and finished < 20:
        out = f"{s}/killed.h5"
        p = subprocess.Popen(MPIRUN + ["-n", "3", BINARY, "run", grid, "-o", out, "--quiet"], env=env, cwd=s,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            p.wait(timeout=rng.uniform(0.1, 0.9) * whole)
            finished += 1
            expect(p.returncode == 0, f"a resumed run ended with status {p.returncode}")
            os.remove(out)
            os.remove(out.replace(".h5", ".journal"))
            continue
        except subprocess.TimeoutExpired:
            pass
        victims = subprocess.run(["pgrep", "-s", str(p.pid), "-x", "espalier"], capture_output=True, text=True).stdout.split()
        if kills % 2 and victims:  # one rank, or all of them with mpirun
            os.kill(int(rng.choice(victims)), signal.SIGKILL)
            p.wait(timeout=60)
        else:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()
            for v in victims:
                try:
                    os.kill(int(v), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        kills += 1
        time.sleep(0.3)
    expect(kills == 10, f"only {kills} runs could be killed")
    run("run", grid, "-o", f"{s}/killed.h5", ranks=2, env=env, cwd=s)
    expect(metrics(f"{s}/killed.h5") == want, "the resumed run has other metrics")
    print(f"killed {kills} times; an undisturbed run takes {whole:.1f} s")
