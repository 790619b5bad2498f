"""cmake --install works under any prefix, and the installed program finds its configs from there."""
from common import *

build = os.path.dirname(BINARY)
with Scratch() as s:
    done = subprocess.run(["cmake", "--install", build, "--prefix", f"{s}/prefix"], capture_output=True, text=True)
    expect(done.returncode == 0, done.stderr)
    moved = f"{s}/moved"
    os.rename(f"{s}/prefix", moved)
    env = {**os.environ, "ESPALIER_DATA": make_data(f"{s}/data")}
    for name in ("ESPALIER_SOURCE", "ESPALIER_CONFIGS"):
        env.pop(name, None)
    os.makedirs(f"{s}/empty")
    grid = small_grid(s, model="nano-llama")
    plan = subprocess.run([f"{moved}/bin/espalier", "plan", grid], capture_output=True, text=True, env=env, cwd=f"{s}/empty")
    expect(plan.returncode == 0, plan.stderr)
    expect("wanda" in plan.stdout, plan.stdout)
    shown = subprocess.run([f"{moved}/bin/espalier", "requests", "sst2", "--limit", "1"], capture_output=True, text=True, env=env, cwd=f"{s}/empty")
    expect(shown.returncode == 0 and "Is this sentence positive or negative?" in shown.stdout, shown.stderr)
    pages = f"{moved}/share/man/man1"
    if os.path.exists(f"{pages}/espalier.1"):
        with open(f"{pages}/espalier-plan.1") as page:
            expect(page.read().startswith(".") and os.path.exists(f"{pages}/espalier-compare.1"), "man pages")
