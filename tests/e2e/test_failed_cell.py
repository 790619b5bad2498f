"""A cell that fails is a failed row with its reason; the rest completes, and the exit status is 1."""
import math

from common import *

with Scratch() as s:
    env = {"ESPALIER_DATA": make_data(f"{s}/data")}
    broken = f"{s}/models/broken"
    shutil.copytree(MODEL, broken)
    os.chmod(broken, 0o755)
    raw = bytearray(open(f"{broken}/model.safetensors", "rb").read())
    n = struct.unpack("<Q", raw[:8])[0]
    at = 8 + n + json.loads(raw[8:8 + n])["model.layers.4.mlp.up_proj.weight"]["data_offsets"][0]
    raw[at:at + 2] = b"\xc0\x7f"  # a NaN in bfloat16
    os.remove(f"{broken}/model.safetensors")
    write(f"{broken}/model.safetensors", bytes(raw))
    grid = small_grid(s).replace("x", "x")
    write(grid, GRID.format(model=f"{MODEL}, {broken}").replace("[dense, magnitude, wanda, sparsegpt, ria]", "[wanda]"))
    done = run("run", grid, "-o", f"{s}/r.h5", env=env, cwd=s, check=1)
    expect("failed" in done.stderr + done.stdout, "no word about the failure")
    status = run("status", f"{s}/r.h5").stdout
    expect("model.layers.4.mlp.up_proj.weight" in status, f"the reason is missing:\n{status}")
    table = run("table", f"{s}/r.h5").stdout
    expect("failed" in table and "±" in table, f"the table hides the failure or lost the rest:\n{table}")
    if have_h5py():
        import h5py
        with h5py.File(f"{s}/r.h5", "r") as f:
            states = [(v["method"].decode().rstrip("\0"), v["status"].decode().rstrip("\0")) for v in f["variants"][:]]
            expect(("wanda", "failed") in states and ("wanda", "done") in states, f"/variants: {states}")
            expect(all(math.isfinite(m["value"]) for m in f["metrics"][:]), "a metric that is not finite")
    # the same for pruning by hand: refused with the tensor's name, nothing written
    bad = run("prune", "--model", broken, "--method", "magnitude", "--sparsity", "0.5", "-o", f"{s}/out", check=2)
    expect("model.layers.4.mlp.up_proj.weight" in bad.stderr and not os.path.exists(f"{s}/out"), bad.stderr)
