"""Groups of ranks inside a run: the metrics of one process, whatever the groups; sizes that do not divide the
ranks are refused."""
from common import *

if not have_h5py():
    skip("python3-h5py is not installed")
with Scratch() as s:
    env = {"ESPALIER_DATA": make_data(f"{s}/data")}
    grid = write(f"{s}/groups.yaml", GRID.format(model=MODEL).replace("draws: 2", "draws: 1").replace('0.5, "2:4"', "0.6"))
    run("run", grid, "-o", f"{s}/r0.h5", env=env, cwd=s)
    want = metrics(f"{s}/r0.h5")
    expect(len(want) > 0, "no metrics")
    for ranks, size in ((2, 2), (4, 2)):
        out = f"{s}/r{ranks}-{size}.h5"
        run("run", grid, "-o", out, "--group-size", size, ranks=ranks, env=env, cwd=s)
        expect(metrics(out) == want, f"{ranks} ranks in groups of {size} give other metrics than one process")
    refused = run("run", grid, "-o", f"{s}/r3.h5", "--group-size", 2, ranks=3, env=env, cwd=s, check=2)
    expect("groups of 2 ranks do not divide" in refused.stderr, f"another message:\n{refused.stderr}")
