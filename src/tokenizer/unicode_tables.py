#!/usr/bin/env python3
"""Prints unicode_tables.c. Needs the Python package unicodedata2 16.0.0 (Unicode 16), Python 3.11
(whose own unicodedata is Unicode 14) and Perl 5.36 (which knows in which version a code point came).

usage: unicode_tables.py > unicode_tables.c && clang-format -i unicode_tables.c"""
import subprocess
import unicodedata as old
import unicodedata2 as new

assert new.unidata_version == "16.0.0" and old.unidata_version == "14.0.0"
CODES = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def present(version):
    perl = "for (0 .. 0x10ffff) { next if $_ >= 0xd800 && $_ <= 0xdfff; print qq($_\\n) if chr =~ /\\p{Present_In: %s}/ }"
    return set(map(int, subprocess.check_output(["perl", "-e", perl % version]).split()))


def category(c):
    return new.category(chr(c))


def pair(c):
    d = new.decomposition(chr(c)).split()
    return int(d[0], 16) if len(d) == 2 and d[0][0] != "<" else None


def ranges(codes, key=lambda c: None):
    out = []
    for c in sorted(codes):
        if out and out[-1][1] == c - 1 and out[-1][2] == key(c):
            out[-1][1] = c
        else:
            out.append([c, c, key(c)])
    return out


def table(name, kind, codes, key=None):
    rows = ranges(codes, key or (lambda c: None))
    cells = ", ".join("{0x%X, 0x%X%s}" % (a, b, ', "%s"' % k if k else "") for a, b, k in rows)
    print(f"\nconst struct {kind} {name}[] = {{{cells}}};\nconst size_t {name}_count = {len(rows)};")


in8, in9 = present("8.0"), present("9.0")
print("/* Made by unicode_tables.py, which says from what; unicode.h says what each table is for. */")
print('#include "tokenizer/unicode.h"')
table("unicode_newer", "code_category", [c for c in CODES if category(c) != old.category(chr(c))], category)
table("unicode_inert", "code_range", [c for c in CODES if c not in in9 and category(c) != "Cn"
                                      and (new.combining(chr(c)) or new.decomposition(chr(c)))]
      + [c for c in {pair(c) for c in CODES if c not in in9} - {None} if c not in in9 and not new.decomposition(chr(c))])
# Four code points have changed their category since Unicode 8 and 9.
table("unicode_punctuation", "code_range", {c for c in CODES if c in in8 and category(c)[0] == "P"}
      | set(map(ord, "$+<=>^`|~")) | {0x166D, 0x111C9})
table("unicode_marks", "code_range", {c for c in CODES if c in in9 and category(c)[0] == "M"} - {0x111C9} | {0x1CF2, 0x1CF3})
