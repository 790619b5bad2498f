/* Text as Python sees it: code points, its notion of white space, its letters' case. All texts are
 * valid UTF-8 (jsonl_open and yaml_open see to that) unless a function says otherwise. */
#ifndef ESPALIER_DATA_TEXT_H
#define ESPALIER_DATA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The code point at `at`; *bytes is its length. at must not be the end. */
uint32_t text_decode(const char *at, size_t *bytes);

/* Writes a code point and returns its length (at most 4). */
size_t text_encode(uint32_t point, char out[4]);

/* Offset of the first byte that is not valid UTF-8 (RFC 3629), or n. */
size_t text_invalid(const char *at, size_t n);

/* Number of code points of n bytes. */
size_t text_points(const char *at, size_t n);

/* Byte offset of code point `index`, n when there are fewer. */
size_t text_offset(const char *at, size_t n, size_t index);

/* str.isspace() of one code point. */
bool text_is_space(uint32_t point);

/* Bytes that str.lstrip() and str.rstrip() leave out. */
size_t text_space_left(const char *at, size_t n);
size_t text_space_right(const char *at, size_t n);

/* len(re.split(r"\s+", text)): words, and one more for white space at either end. */
size_t text_words(const char *at, size_t n);

/* Simple case mapping of Latin (ASCII, Latin-1, Extended-A and Additional, full width), Greek,
 * Cyrillic and Armenian letters; others stay. */
uint32_t text_lower(uint32_t point);
uint32_t text_upper(uint32_t point);

#endif
