"""One, two and three ranks give byte-identical metrics tables; so does one process without mpirun."""
from common import *

if not have_h5py():
    skip("python3-h5py is not installed")
with Scratch() as s:
    env = {"ESPALIER_DATA": make_data(f"{s}/data")}
    grid = small_grid(s)
    run("run", grid, "-o", f"{s}/r0.h5", env=env, cwd=s)
    want = metrics(f"{s}/r0.h5")
    expect(len(want) > 0, "no metrics")
    for ranks in (1, 2, 3):
        run("run", grid, "-o", f"{s}/r{ranks}.h5", ranks=ranks, env=env, cwd=s)
        expect(metrics(f"{s}/r{ranks}.h5") == want, f"{ranks} ranks give other metrics than one process")
    table = run("table", f"{s}/r0.h5").stdout
    for word in ("dense", "magnitude", "wanda", "sparsegpt", "ria", "±", "sst2", "wikitext2"):
        expect(word in table, f"the table lacks '{word}':\n{table}")
    again = run("run", grid, "-o", f"{s}/r0.h5", env=env, cwd=s)
    expect(metrics(f"{s}/r0.h5") == want, "a second run of a finished grid changed the metrics")
    status = run("status", f"{s}/r0.h5").stdout
    expect("fail" not in status or "0 failed" in status, f"status of a finished run:\n{status}")
