"""A model that a run gets through in a second, and a task for it."""
import numpy

from common import *

TASK = """\
kind: sentiment
type: multiple_choice
data: {data}
context: "{{{{text}}}} It was"
choices: [cold, warm]
label: label
metrics: [acc]
"""


def make(folder_):
    """A random llama of two small blocks that reads nano-llama's tokens."""
    config = json.load(open(f"{MODEL}/config.json"))
    config.update(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, torch_dtype="float32")
    shapes = {"model.embed_tokens.weight": (4096, 32), "lm_head.weight": (4096, 32), "model.norm.weight": (32,)}
    for b in range(2):
        at = f"model.layers.{b}."
        shapes.update({at + "input_layernorm.weight": (32,), at + "post_attention_layernorm.weight": (32,)})
        shapes.update({f"{at}self_attn.{n}_proj.weight": (16 if n in "kv" else 32, 32) for n in "qkvo"})
        shapes.update({f"{at}mlp.{n}_proj.weight": (32, 48) if n == "down" else (48, 32) for n in ("gate", "up", "down")})
    rng, head, body = numpy.random.RandomState(4), {}, b""
    for name, shape in shapes.items():
        raw = (rng.uniform(-0.4, 0.4, shape) + (len(shape) == 1)).astype("<f4").tobytes()
        head[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    text_ = json.dumps(head).encode()
    write(f"{folder_}/model.safetensors", struct.pack("<Q", len(text_)) + text_ + body)
    write(f"{folder_}/config.json", json.dumps(config))
    shutil.copy(f"{MODEL}/tokenizer.json", f"{folder_}/tokenizer.json")
    return folder_


def make_task(folder_):
    """mine.yaml, of 20 items in two classes."""
    rng = random.Random(2)
    write_jsonl(f"{folder_}/items.jsonl", [{"text": text(rng, 10), "label": i % 2} for i in range(20)])
    return write(f"{folder_}/mine.yaml", TASK.format(data=f"{folder_}/items.jsonl"))
