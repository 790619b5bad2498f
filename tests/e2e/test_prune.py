"""prune writes a checkpoint that score and an independent safetensors reader load, with the promised sparsity."""
from common import *

with Scratch() as s:
    data = make_data(f"{s}/data")
    dense = read_safetensors(f"{MODEL}/model.safetensors")
    for method, sparsity, exact in (("wanda", "0.5", True), ("sparsegpt", "2:4", True), ("magnitude", "0.6", False), ("ria", "4:8", True)):
        out = f"{s}/{method}"
        run("prune", "--model", MODEL, "--method", method, "--sparsity", sparsity, "--calibration", f"{data}/c4/train.jsonl",
            "--samples", 4, "--length", 64, "-o", out)
        pruned = read_safetensors(f"{out}/model.safetensors")
        expect(list(pruned) == list(dense), "other tensors than the source has")
        zeros = total = 0
        for name, (dtype, shape, raw) in pruned.items():
            expect((dtype, shape) == dense[name][:2], f"{name} changed its type or shape")
            if "_proj" in name:
                z, n = count_zeros(dtype, raw), shape[0] * shape[1]
                zeros, total = zeros + z, total + n
                if ":" in sparsity:
                    m = int(sparsity.split(":")[1])
                    v = memoryview(raw).cast("H")
                    expect(all(sum(1 for x in v[i:i + m] if x & 0x7FFF == 0) >= m // 2 for i in range(0, n, m)), f"{name} breaks {sparsity}")
                if exact:
                    expect(2 * z == n, f"{name} has {z} zeros of {n}")
            else:
                expect(raw == dense[name][2], f"{name} is no linear of a block and changed")
        expect(abs(zeros / total - float(eval(sparsity.replace(":", "/")))) < 2e-3, f"{method}: {zeros / total} zeros")
        answer = run("score", "--model", out, "-", stdin='{"context": "the river was", "continuation": " light"}\n').stdout
        expect(json.loads(answer)["tokens"] >= 1, answer)
    # a second prune into the same folder is refused, and nothing is left behind by it
    run("prune", "--model", MODEL, "--method", "magnitude", "--sparsity", "0.5", "-o", f"{s}/wanda", check=2)
    expect(sorted(os.listdir(s)) == ["data", "magnitude", "ria", "sparsegpt", "wanda"], f"left behind: {os.listdir(s)}")
    # under mpirun all ranks are one group
    run("prune", "--model", MODEL, "--method", "sparsegpt", "--sparsity", "0.5", "--calibration", f"{data}/c4/train.jsonl",
        "--samples", 4, "--length", 64, "-o", f"{s}/two", "--factor", "scalapack", ranks=2)
    requests = "".join(json.dumps({"context": text(random.Random(i), 9), "continuation": " " + text(random.Random(i + 50), 3)}) + "\n" for i in range(12))
    one = run("score", "--model", f"{s}/two", "-", stdin=requests).stdout
    write(f"{s}/requests.jsonl", requests)
    two = run("score", "--model", f"{s}/two", f"{s}/requests.jsonl", ranks=2).stdout
    expect(one == two and one.count("\n") == 12, "score differs between one process and two ranks")
