#!/usr/bin/env python3
"""Checks every #include of src/ against the table of rooms in src/README.md, and the length of files.

usage: rooms.py SOURCE"""
import os
import re
import sys

LONGEST = 500  # lines of a hand-written file: one topic fits

source = sys.argv[1]
table = {}
for line in open(os.path.join(source, "src/README.md"), encoding="utf-8"):
    cells = [c.strip() for c in line.split("|")]
    if len(cells) == 5 and re.fullmatch(r"[a-z]+", cells[1]) and cells[1] != "room":
        table[cells[1]] = set(cells[2].split()) | {cells[1]}
problems = []
seen = set()
for folder, _, files in os.walk(os.path.join(source, "src")):
    room = os.path.relpath(folder, os.path.join(source, "src"))
    for name in files:
        if not name.endswith((".c", ".h")) or room == ".":
            continue
        seen.add(room)
        path = os.path.join(folder, name)
        text = open(path, encoding="utf-8").read()
        if room not in table:
            problems.append(f"{path}: room '{room}' is not in src/README.md")
            continue
        for n, line in enumerate(text.split("\n"), 1):
            m = re.match(r'\s*#\s*include\s+"([^"/]+)(?:/[^"]*)?"', line)
            if m and m.group(1) not in table[room]:
                problems.append(f"{path}:{n}: {room} may not use {m.group(1)} (src/README.md)")
        if text.count("\n") > LONGEST and "generated" not in text[:400].lower():
            problems.append(f"{path}: {text.count(chr(10))} lines (at most {LONGEST})")
for room in sorted(set(table) - seen):
    problems.append(f"src/README.md: room '{room}' has no files")
print("\n".join(problems) or f"{len(seen)} rooms, every include points downwards")
sys.exit(bool(problems))
