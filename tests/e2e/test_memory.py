"""Layers are streamed: three times the blocks do not need more memory, in either precision."""
import array
import math

from common import *
from memory import peak

HIDDEN, FFN, HEADS, VOCAB, LENGTH = 512, 1408, 8, 512, 128
BLOCKS = (4, 12)
TOLERANCE = 16 << 20  # eight blocks are 102 MB in float32, 51 MB in bfloat16


def checkpoint(path, blocks):
    rng = random.Random(0)
    # a period that divides no row: bfloat16 numbers from 2^-7 to 2^-5, of both signs
    values = array.array("H", (rng.choice((0x3C00, 0xBC00)) + rng.randrange(256) for _ in range(99991)))
    period = values.tobytes()

    def weights(elements):
        return (period * (2 * elements // len(period) + 1))[:2 * elements]

    shapes = {"model.embed_tokens.weight": [VOCAB, HIDDEN], "lm_head.weight": [VOCAB, HIDDEN], "model.norm.weight": [HIDDEN]}
    for b in range(blocks):
        at = f"model.layers.{b}."
        for name in "qkvo":
            shapes[f"{at}self_attn.{name}_proj.weight"] = [HIDDEN, HIDDEN]
        shapes |= {f"{at}mlp.gate_proj.weight": [FFN, HIDDEN], f"{at}mlp.up_proj.weight": [FFN, HIDDEN],
                   f"{at}mlp.down_proj.weight": [HIDDEN, FFN],
                   f"{at}input_layernorm.weight": [HIDDEN], f"{at}post_attention_layernorm.weight": [HIDDEN]}
    head, parts, end = {}, [], 0
    for name, shape in shapes.items():
        elements = math.prod(shape)
        head[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [end, end + 2 * elements]}
        parts.append(b"\x80\x3f" * elements if "norm" in name else weights(elements))
        end += 2 * elements
    head = json.dumps(head).encode()
    write(f"{path}/model.safetensors", struct.pack("<Q", len(head)) + head + b"".join(parts))
    write(f"{path}/config.json", json.dumps({
        "model_type": "llama", "hidden_size": HIDDEN, "intermediate_size": FFN, "num_hidden_layers": blocks,
        "num_attention_heads": HEADS, "vocab_size": VOCAB, "rms_norm_eps": 1e-5, "max_position_embeddings": LENGTH,
        "hidden_act": "silu", "tie_word_embeddings": False, "torch_dtype": "bfloat16"}))
    return path


with Scratch() as s:
    rng = random.Random(1)
    calibration = write_jsonl(f"{s}/ids.jsonl", [{"input_ids": [rng.randrange(VOCAB) for _ in range(LENGTH)]} for _ in range(8)])
    models = [checkpoint(f"{s}/{blocks}", blocks) for blocks in BLOCKS]
    for method in ("wanda", "magnitude"):
        for precision in ("float32", "bfloat16"):
            used = []
            for model in models:
                out = f"{model}-{method}-{precision}"
                most, status = peak([BINARY, "prune", "--model", model, "--method", method, "--sparsity", "0.5", "--calibration", calibration,
                                     "--precision", precision, "-q", "-o", out], interval=0.001, stdout=subprocess.DEVNULL)
                expect(status == 0, f"{method} in {precision}: status {status}")
                expect(most > 4 * HIDDEN * FFN, f"{method} in {precision}: {most} bytes cannot be what it needs")
                used.append(most)
                shutil.rmtree(out)
            told = " and ".join(f"{u / 2**20:.1f} MiB with {b} blocks" for u, b in zip(used, BLOCKS))
            print(f"{method} in {precision}: {told}")
            expect(used[1] <= used[0] + TOLERANCE, f"{method} in {precision}: memory grows with the model: {told}")
