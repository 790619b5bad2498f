#include "store/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

status rows_add(struct rows *r, const union value *values, struct error *err) {
  size_t n = r->column_count;
  TRY(mem_reserve(&r->values, &r->cap, (r->count + 1) * n, sizeof *r->values, err));
  memcpy(r->values + r->count++ * n, values, n * sizeof *values);
  return STATUS_OK;
}

void rows_free(struct rows *r) {
  free(r->values);
  *r = (struct rows){0};
}

/* Bytes of the UTF-8 character at p, 0 where there is none (overlong forms and surrogates are not
 * looked for: they are rare and harm nobody). */
static size_t utf8_length(const unsigned char *p) {
  size_t n = p[0] < 0x80                    ? 1
             : p[0] >= 0xc2 && p[0] <= 0xdf ? 2
             : (p[0] & 0xf0) == 0xe0        ? 3
             : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
                                            : 0;
  for (size_t i = 1; i < n; i++) {
    if ((p[i] & 0xc0) != 0x80) {
      return 0;
    }
  }
  return n;
}

static void put_text(unsigned char *to, const char *text) {
  const unsigned char *p = (const unsigned char *)text;
  while (*p) {
    size_t n = utf8_length(p);
    if (n == 0) {
      *to++ = '?';
      p++;
      continue;
    }
    memcpy(to, p, n);
    to += n;
    p += n;
  }
}

/* A row's layout, packed, in file and memory alike. */
struct layout {
  size_t widths[COLUMNS_MOST], offsets[COLUMNS_MOST], stride;
};

static void lay_out(const struct rows *r, struct layout *l) {
  l->stride = 0;
  for (size_t c = 0; c < r->column_count; c++) {
    l->widths[c] = 8;
    if (r->columns[c].kind == COLUMN_TEXT) {
      l->widths[c] = 1;
      for (size_t i = 0; i < r->count; i++) {
        size_t n = strlen(r->values[i * r->column_count + c].text);
        l->widths[c] = n > l->widths[c] ? n : l->widths[c];
      }
    }
    l->offsets[c] = l->stride;
    l->stride += l->widths[c];
  }
}

/* The compound type of a layout: native numbers for memory, little-endian ones for files. */
static status row_type(const struct h5 *h, const struct column *columns, size_t count,
                       const struct layout *l, H5T_str_t padding, bool native, hid_t *out,
                       struct error *err) {
  hid_t type = H5Tcreate(H5T_COMPOUND, l->stride);
  status st = type < 0 ? h5_fail(h, "a table's type", err) : STATUS_OK;
  for (size_t c = 0; st == STATUS_OK && c < count; c++) {
    hid_t text = -1, member = native ? H5T_NATIVE_INT64 : H5T_STD_I64LE;
    if (columns[c].kind == COLUMN_REAL) {
      member = native ? H5T_NATIVE_DOUBLE : H5T_IEEE_F64LE;
    } else if (columns[c].kind == COLUMN_TEXT) {
      st = h5_text_type(h, l->widths[c], padding, &text, err);
      member = text;
    }
    if (st == STATUS_OK && H5Tinsert(type, columns[c].name, l->offsets[c], member) < 0) {
      st = h5_fail(h, columns[c].name, err);
    }
    if (text >= 0) {
      (void)H5Tclose(text);
    }
  }
  if (st != STATUS_OK && type >= 0) {
    (void)H5Tclose(type);
  }
  *out = type;
  return st;
}

static void pack_rows(const struct rows *r, const struct layout *l, unsigned char *at) {
  for (size_t i = 0; i < r->count; i++, at += l->stride) {
    for (size_t c = 0; c < r->column_count; c++) {
      const union value *v = &r->values[i * r->column_count + c];
      if (r->columns[c].kind == COLUMN_TEXT) {
        put_text(at + l->offsets[c], v->text);
      } else if (r->columns[c].kind == COLUMN_REAL) {
        memcpy(at + l->offsets[c], &v->real, 8);
      } else {
        memcpy(at + l->offsets[c], &v->integer, 8);
      }
    }
  }
}

status rows_write(const struct rows *r, const struct h5 *h, const char *place, struct error *err) {
  struct layout l;
  lay_out(r, &l);
  hid_t type = -1, memory = -1;
  unsigned char *packed = NULL;
  hsize_t dims[1] = {r->count};
  status st;
  TRY_GOTO(st, end, mem_alloc(&packed, r->count, l.stride, err));
  pack_rows(r, &l, packed);
  /* Padded on both sides: a text as wide as its column has no NUL. */
  TRY_GOTO(st, end,
           row_type(h, r->columns, r->column_count, &l, H5T_STR_NULLPAD, false, &type, err));
  TRY_GOTO(st, end,
           row_type(h, r->columns, r->column_count, &l, H5T_STR_NULLPAD, true, &memory, err));
  TRY_GOTO(st, end, h5_array(h, place, type, memory, 1, dims, packed, err));
end:
  if (memory >= 0) {
    (void)H5Tclose(memory);
  }
  if (type >= 0) {
    (void)H5Tclose(type);
  }
  free(packed);
  return st;
}

/* The memory layout for reading: text one byte wider than in the file, for its NUL. */
static status read_layout(const struct h5 *h, const char *place, hid_t type,
                          const struct column *columns, size_t count, struct layout *l,
                          struct error *err) {
  l->stride = 0;
  for (size_t c = 0; c < count; c++) {
    static const H5T_class_t classes[] = {H5T_STRING, H5T_FLOAT, H5T_INTEGER};
    int at = H5Tget_member_index(type, columns[c].name);
    if (at < 0 || H5Tget_member_class(type, (unsigned)at) != classes[columns[c].kind]) {
      return err_at(err, STATUS_INPUT, h->path, 0, "%s has no column '%s' as espalier writes it",
                    place, columns[c].name);
    }
    l->widths[c] = 8;
    if (columns[c].kind == COLUMN_TEXT) {
      hid_t text = H5Tget_member_type(type, (unsigned)at);
      bool fixed = text >= 0 && H5Tis_variable_str(text) == 0;
      l->widths[c] = fixed ? H5Tget_size(text) + 1 : 0;
      (void)H5Tclose(text);
      if (!fixed) {
        return err_at(err, STATUS_INPUT, h->path, 0, "%s: column '%s' is not of fixed width", place,
                      columns[c].name);
      }
    }
    l->offsets[c] = l->stride;
    l->stride += l->widths[c];
  }
  return STATUS_OK;
}

/* How many rows there are, checked against the file's size before they become an allocation. */
static status count_rows(const struct h5 *h, const char *place, hid_t set, hid_t type, size_t *out,
                         struct error *err) {
  if (H5Tget_class(type) != H5T_COMPOUND) {
    return err_at(err, STATUS_INPUT, h->path, 0, "%s is no table", place);
  }
  hid_t space = H5Dget_space(set);
  hsize_t rows = 0, bytes = 0;
  status st = STATUS_OK;
  if (space < 0 || H5Fget_filesize(h->file, &bytes) < 0 || H5Sget_simple_extent_ndims(space) != 1 ||
      H5Sget_simple_extent_dims(space, &rows, NULL) < 0) {
    st = h5_fail(h, place, err);
  } else if (rows > bytes / H5Tget_size(type)) {
    st = err_at(err, STATUS_INPUT, h->path, 0, "%s claims %llu rows, more than the file holds",
                place, (unsigned long long)rows);
  }
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  *out = (size_t)rows;
  return st;
}

bool rows_have(const struct h5 *h, const char *place, const char *column) {
  bool found = false;
  hid_t set = H5Lexists(h->file, place, H5P_DEFAULT) > 0 ? H5Dopen2(h->file, place, H5P_DEFAULT)
                                                         : H5I_INVALID_HID;
  hid_t type = set >= 0 ? H5Dget_type(set) : H5I_INVALID_HID;
  if (type >= 0) {
    found = H5Tget_class(type) == H5T_COMPOUND && H5Tget_member_index(type, column) >= 0;
    (void)H5Tclose(type);
  }
  if (set >= 0) {
    (void)H5Dclose(set);
  }
  return found;
}

status rows_read(struct read_rows *out, const struct h5 *h, const char *place,
                 const struct column *columns, size_t column_count, struct error *err) {
  *out = (struct read_rows){0};
  struct layout l;
  hid_t type = -1, memory = -1, set = H5Dopen2(h->file, place, H5P_DEFAULT);
  if (set < 0) {
    return err_at(err, STATUS_INPUT, h->path, 0, "has no table %s", place);
  }
  status st = STATUS_OK;
  if ((type = H5Dget_type(set)) < 0) {
    st = h5_fail(h, place, err);
    goto end;
  }
  TRY_GOTO(st, end, count_rows(h, place, set, type, &out->count, err));
  TRY_GOTO(st, end, read_layout(h, place, type, columns, column_count, &l, err));
  TRY_GOTO(st, end, row_type(h, columns, column_count, &l, H5T_STR_NULLTERM, true, &memory, err));
  out->stride = l.stride;
  memcpy(out->offsets, l.offsets, column_count * sizeof l.offsets[0]);
  TRY_GOTO(st, end, mem_alloc(&out->at, out->count, out->stride, err));
  if (out->count && H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, out->at) < 0) {
    st = h5_fail(h, place, err);
  }
end:
  if (st != STATUS_OK) {
    free(out->at);
    *out = (struct read_rows){0};
  }
  if (memory >= 0) {
    (void)H5Tclose(memory);
  }
  if (type >= 0) {
    (void)H5Tclose(type);
  }
  (void)H5Dclose(set);
  return st;
}

char *read_text(const struct read_rows *r, size_t row, size_t column) {
  return (char *)r->at + row * r->stride + r->offsets[column];
}

double read_real(const struct read_rows *r, size_t row, size_t column) {
  double value;
  memcpy(&value, r->at + row * r->stride + r->offsets[column], sizeof value);
  return value;
}

int64_t read_integer(const struct read_rows *r, size_t row, size_t column) {
  int64_t value;
  memcpy(&value, r->at + row * r->stride + r->offsets[column], sizeof value);
  return value;
}
