"""Reads model.safetensors with nothing but the standard library and prints, a line per tensor in
the header's order: name, dtype, shape, share of zeros, alignment of its first byte."""
import json
import struct
import sys

SIZES = {"F32": 4, "F16": 2, "BF16": 2, "BOOL": 1, "I64": 8}

with open(sys.argv[1], "rb") as file:
    data = file.read()
(length,) = struct.unpack("<Q", data[:8])
assert length % 8 == 0, "the buffer is not aligned"
header = json.loads(data[8 : 8 + length])
buffer = data[8 + length :]
covered = 0
for name, entry in sorted(
    ((n, e) for n, e in header.items() if n != "__metadata__"), key=lambda x: x[1]["data_offsets"]
):
    begin, end = entry["data_offsets"]
    assert begin == covered, name
    covered = end
assert covered == len(buffer), "bytes behind the last tensor"
for name, entry in header.items():
    if name == "__metadata__":
        print(name, json.dumps(entry))
        continue
    begin, end = entry["data_offsets"]
    size = SIZES[entry["dtype"]]
    count = 1
    for n in entry["shape"]:
        count *= n
    assert end - begin == count * size, name
    zeros = sum(not any(buffer[i : i + size]) for i in range(begin, end, size))
    print(name, entry["dtype"], entry["shape"], f"{zeros}/{count}", (8 + length + begin) % size)
