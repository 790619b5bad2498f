"""Writes spans.json: offsets, in bytes, that Hugging Face's tokenizers 0.23.3 gives for texts of our own.

    python3 tests/tokenizer/spans.py FOLDER > tests/tokenizer/spans.json

FOLDER holds tokenizers of model families (gpt2/tokenizer.json and so on). The small tokenizers below have the
normalisers and pre-tokenisers that those lack; they are written into the file.
"""

import json
import sys
import tempfile
from pathlib import Path

from tokenizers import Tokenizer

TEXTS = [
    "The weather was lovely, but the film wasn't.",
    "  two spaces, then a\ttab\nand 3 lines\r\n\n",
    "na\u00efve caf\u00e9s in \u00c5lesund cost 1\u00bd \u20ac",
    "\u4e2d\u6587\u548c\ud55c\uad6d\uc5b4, \u0420\u0443\u0441\u0441\u043a\u0438\u0439!",
    "smile \U0001f642\U0001f469\u200d\U0001f52c end",
    "\ufb01ne print: \u2460 \uff21\uff22 \u0130stanbul \u1e9e",
    "a <x> b<x>  c <X> d the<n>  the",
    "x",
    " ",
    "",
]

MARK = "\u2581"


def added(number, content, **flags):
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    return {"id": number, "content": content} | plain | flags


def small(normalizer, pre_tokenizer, unknown=None, tokens=(), fallback=False):
    """Characters of the texts, some of their pairs, and the bytes of the others."""
    letters = sorted(set("".join(TEXTS[:2]).replace(" ", MARK)) | {MARK, " ", "e"})
    bytes_ = [f"<0x{b:02X}>" for b in range(256)] if fallback else []
    pairs = [("t", "h"), ("th", "e"), (MARK, "the"), (MARK, "w"), ("a", "s"), (MARK + "w", "as"), ("l", "o")]
    names = ([unknown] if unknown else []) + bytes_ + letters + [a + b for a, b in pairs]
    vocab = {name: i for i, name in enumerate(names)}
    model = {"type": "BPE", "dropout": None, "unk_token": unknown, "continuing_subword_prefix": None,
             "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": fallback, "ignore_merges": False,
             "vocab": vocab, "merges": [list(p) for p in pairs]}
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [added(len(vocab) + i, *t[:1], **t[1]) for i, t in enumerate(tokens)],
            "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": None, "decoder": None,
            "model": model}


def sequence(*steps):
    return {"type": "Sequence", "normalizers": list(steps)}


def metaspace(scheme, split):
    return {"type": "Metaspace", "replacement": MARK, "prepend_scheme": scheme, "split": split}


SPACE = {"type": "Replace", "pattern": {"String": " "}, "content": MARK}
STRIPPING = [("<x>", {"lstrip": True, "rstrip": True}), ("<n>", {"rstrip": True, "normalized": True}),
             ("tab", {"single_word": True})]
WORDS = {"type": "Sequence", "pretokenizers": [
    {"type": "Whitespace"}, {"type": "Punctuation", "behavior": "Isolated"},
    {"type": "Digits", "individual_digits": True}]}

SMALL = {
    "gemma": small(SPACE, {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious",
                           "invert": False}, "<unk>", fallback=True),
    "metaspace always": small(None, metaspace("always", True), "<unk>", STRIPPING),
    "metaspace first": small(None, metaspace("first", False), "<unk>", STRIPPING, True),
    "metaspace never": small(None, metaspace("never", True), "<unk>"),
    "nfc": small(sequence({"type": "NFC"}, SPACE), None, "<unk>"),
    "nfkc and lower case": small(sequence({"type": "NFKC"}, {"type": "Lowercase"}, SPACE), None, "<unk>",
                                 STRIPPING, True),
    "accents": small(sequence({"type": "NFD"}, {"type": "StripAccents"}, SPACE), None, "<unk>"),
    "nfkd and strip": small(sequence({"type": "NFKD"}, {"type": "Strip", "strip_left": True, "strip_right": True},
                                     SPACE), None, "<unk>", fallback=True),
    "words": small({"type": "Lowercase"}, WORDS, "<unk>"),
    "prepend": small(sequence({"type": "Prepend", "prepend": MARK}, SPACE), None, "<unk>", STRIPPING, True),
}


def offsets(tokenizer):
    tokenizer.no_truncation()
    rows = []
    for text in TEXTS:
        at = [0]
        for letter in text:
            at.append(at[-1] + len(letter.encode()))
        rows.append([at[o] for pair in tokenizer.encode(text, add_special_tokens=False).offsets for o in pair])
    return rows


def main():
    cases = []
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        if (folder / "tokenizer.json").exists():
            cases.append({"folder": folder.name, "offsets": offsets(Tokenizer.from_file(str(folder / "tokenizer.json")))})
    for name, tree in SMALL.items():
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(tree, file)
            file.flush()
            cases.append({"name": name, "tokenizer": tree, "offsets": offsets(Tokenizer.from_file(file.name))})
    rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    print(f'{{"texts": {json.dumps(TEXTS)},\n"cases": [\n{rows}\n]}}')


if __name__ == "__main__":
    main()
