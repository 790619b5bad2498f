#include "data/text.h"

uint32_t text_decode(const char *at, size_t *bytes) {
  const unsigned char *p = (const unsigned char *)at;
  if (p[0] < 0x80) {
    *bytes = 1;
    return p[0];
  }
  if (p[0] < 0xe0) {
    *bytes = 2;
    return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
  }
  if (p[0] < 0xf0) {
    *bytes = 3;
    return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
  }
  *bytes = 4;
  return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
         (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
}

size_t text_encode(uint32_t point, char out[4]) {
  if (point < 0x80) {
    out[0] = (char)point;
    return 1;
  }
  if (point < 0x800) {
    out[0] = (char)(0xc0 | point >> 6);
    out[1] = (char)(0x80 | (point & 0x3f));
    return 2;
  }
  if (point < 0x10000) {
    out[0] = (char)(0xe0 | point >> 12);
    out[1] = (char)(0x80 | (point >> 6 & 0x3f));
    out[2] = (char)(0x80 | (point & 0x3f));
    return 3;
  }
  out[0] = (char)(0xf0 | point >> 18);
  out[1] = (char)(0x80 | (point >> 12 & 0x3f));
  out[2] = (char)(0x80 | (point >> 6 & 0x3f));
  out[3] = (char)(0x80 | (point & 0x3f));
  return 4;
}

/* Length of the valid sequence at p with `left` bytes, or 0. */
static size_t sequence(const unsigned char *p, size_t left) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t n = p[0] < 0x80   ? 1
             : p[0] < 0xc2 ? 0
             : p[0] < 0xe0 ? 2
             : p[0] < 0xf0 ? 3
             : p[0] < 0xf5 ? 4
                           : 0;
  if (n == 0 || n > left) {
    return 0;
  }
  for (size_t i = 1; i < n; i++) {
    if ((p[i] & 0xc0) != 0x80) {
      return 0;
    }
  }
  size_t used;
  uint32_t point = text_decode((const char *)p, &used);
  bool surrogate = point >= 0xd800 && point < 0xe000;
  return point < least[n] || surrogate || point > 0x10ffff ? 0 : n;
}

size_t text_invalid(const char *at, size_t n) {
  size_t i = 0;
  while (i < n) {
    size_t bytes = sequence((const unsigned char *)at + i, n - i);
    if (bytes == 0) {
      return i;
    }
    i += bytes;
  }
  return n;
}

static bool starts_point(char c) {
  return ((unsigned char)c & 0xc0) != 0x80;
}

size_t text_points(const char *at, size_t n) {
  size_t points = 0;
  for (size_t i = 0; i < n; i++) {
    points += starts_point(at[i]);
  }
  return points;
}

size_t text_offset(const char *at, size_t n, size_t index) {
  size_t points = 0;
  for (size_t i = 0; i < n; i++) {
    if (starts_point(at[i]) && points++ == index) {
      return i;
    }
  }
  return n;
}

bool text_is_space(uint32_t c) {
  return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
         c == 0x205f || c == 0x3000;
}

size_t text_space_left(const char *at, size_t n) {
  size_t i = 0;
  while (i < n) {
    size_t bytes;
    if (!text_is_space(text_decode(at + i, &bytes))) {
      break;
    }
    i += bytes;
  }
  return i;
}

size_t text_space_right(const char *at, size_t n) {
  size_t end = n;
  while (end > 0) {
    size_t start = end - 1, bytes;
    while (start > 0 && !starts_point(at[start])) {
      start--;
    }
    if (!text_is_space(text_decode(at + start, &bytes))) {
      break;
    }
    end = start;
  }
  return n - end;
}

size_t text_words(const char *at, size_t n) {
  size_t words = 1;
  bool inside = false;
  for (size_t i = 0, bytes; i < n; i += bytes) {
    bool space = text_is_space(text_decode(at + i, &bytes));
    words += space && !inside;
    inside = space;
  }
  return words;
}

/* Runs of letters whose lower case lies `step` further; stride 2: every other one is upper case. */
static const struct {
  uint32_t first, last, step, stride;
} cases[] = {
    {0x41, 0x5a, 32, 1},    {0xc0, 0xd6, 32, 1},    {0xd8, 0xde, 32, 1},     {0x100, 0x12e, 1, 2},
    {0x132, 0x136, 1, 2},   {0x139, 0x147, 1, 2},   {0x14a, 0x176, 1, 2},    {0x179, 0x17d, 1, 2},
    {0x386, 0x386, 38, 1},  {0x388, 0x38a, 37, 1},  {0x38c, 0x38c, 64, 1},   {0x38e, 0x38f, 63, 1},
    {0x391, 0x3a1, 32, 1},  {0x3a3, 0x3ab, 32, 1},  {0x400, 0x40f, 80, 1},   {0x410, 0x42f, 32, 1},
    {0x460, 0x480, 1, 2},   {0x48a, 0x4be, 1, 2},   {0x4d0, 0x52e, 1, 2},    {0x531, 0x556, 48, 1},
    {0x1e00, 0x1e94, 1, 2}, {0x1ea0, 0x1efe, 1, 2}, {0xff21, 0xff3a, 32, 1},
};

uint32_t text_lower(uint32_t point) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (point >= cases[i].first && point <= cases[i].last &&
        (point - cases[i].first) % cases[i].stride == 0) {
      return point + cases[i].step;
    }
  }
  return point;
}

uint32_t text_upper(uint32_t point) {
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint32_t upper = point - cases[i].step;
    if (point >= cases[i].step && upper >= cases[i].first && upper <= cases[i].last &&
        (upper - cases[i].first) % cases[i].stride == 0) {
      return upper;
    }
  }
  return point;
}
