#include "store/calibrations.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/results_parts.h"

/* One object of the file under its own handle, so that its attributes read like the root's. */
struct object {
  struct h5 h;
  const char *name;
};

static status open_object(const struct h5 *in, const char *name, struct object *out,
                          struct error *err) {
  *out = (struct object){*in, name};
  out->h.file = H5Oopen(in->file, name, H5P_DEFAULT);
  return out->h.file < 0 ? h5_fail(in, name, err) : STATUS_OK;
}

static void close_object(struct object *o) {
  (void)H5Oclose(o->h.file);
}

/* Calls see with every member of a group, by name. */
static status each_member(const struct object *group,
                          status (*see)(void *user, const struct object *member, struct error *err),
                          void *user, struct error *err) {
  H5G_info_t info;
  if (H5Gget_info(group->h.file, &info) < 0) {
    return h5_fail(&group->h, group->name, err);
  }
  for (hsize_t i = 0; i < info.nlinks; i++) {
    char name[512];
    struct object member;
    if (H5Lget_name_by_idx(group->h.file, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                           H5P_DEFAULT) < 0) {
      return h5_fail(&group->h, group->name, err);
    }
    TRY(open_object(&group->h, name, &member, err));
    status st = see(user, &member, err);
    close_object(&member);
    TRY(st);
  }
  return STATUS_OK;
}

static status read_int(const struct object *o, const char *name, int *out, struct error *err) {
  hid_t at = H5Aexists(o->h.file, name) > 0 ? H5Aopen(o->h.file, name, H5P_DEFAULT) : -1;
  if (at < 0) {
    return err_at(err, STATUS_INPUT, o->h.path, 0, "%s has no attribute '%s'", o->name, name);
  }
  status st = H5Aread(at, H5T_NATIVE_INT, out) < 0 ? h5_fail(&o->h, name, err) : STATUS_OK;
  (void)H5Aclose(at);
  return st;
}

/* A whole data set of integers, of rank 1 or 2; *out is the caller's to free. */
static status read_integers(const struct h5 *h, hid_t set, hid_t memory, size_t width, int rank,
                            hsize_t dims[2], void **out, struct error *err) {
  hid_t space = set >= 0 ? H5Dget_space(set) : H5I_INVALID_HID;
  bool fits = space >= 0 && H5Sget_simple_extent_ndims(space) == rank &&
              H5Sget_simple_extent_dims(space, dims, NULL) == rank;
  if (space >= 0) {
    (void)H5Sclose(space);
  }
  if (!fits) {
    return err_at(err, STATUS_INPUT, h->path, 0, "a calibration draw has another shape");
  }
  void *at = NULL;
  size_t count = (size_t)dims[0] * (rank == 2 ? (size_t)dims[1] : 1);
  TRY(mem_alloc(&at, count, width, err));
  if (count && H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, at) < 0) {
    free(at);
    return h5_fail(h, "a calibration draw", err);
  }
  *out = at;
  return STATUS_OK;
}

static status read_equal(const struct object *o, struct sequences *out, struct error *err) {
  hsize_t dims[2];
  void *at = NULL;
  TRY(read_integers(&o->h, o->h.file, H5T_NATIVE_INT32, sizeof(int32_t), 2, dims, &at, err));
  const int32_t *ids = at;
  status st = STATUS_OK;
  for (size_t i = 0; st == STATUS_OK && i < dims[0]; i++) {
    st = sequences_add(out, ids + i * dims[1], dims[1], err);
  }
  free(at);
  return st;
}

static status add_cut(struct sequences *out, const struct object *o, const int32_t *ids,
                      size_t id_count, const int64_t *first, size_t count, struct error *err) {
  for (size_t i = 0; first && i + 1 < count; i++) {
    if (first[i] < 0 || first[i + 1] < first[i] || (size_t)first[i + 1] > id_count) {
      return err_at(err, STATUS_INPUT, o->h.path, 0, "%s is cut behind its end", o->name);
    }
    TRY(sequences_add(out, ids + first[i], (size_t)(first[i + 1] - first[i]), err));
  }
  return STATUS_OK;
}

static status read_cut(const struct object *o, struct sequences *out, struct error *err) {
  hsize_t id_count[2] = {0}, count[2] = {0};
  void *ids = NULL, *first = NULL;
  hid_t sets[2] = {H5Dopen2(o->h.file, "ids", H5P_DEFAULT),
                   H5Dopen2(o->h.file, "first", H5P_DEFAULT)};
  status st;
  TRY_GOTO(
      st, end,
      read_integers(&o->h, sets[0], H5T_NATIVE_INT32, sizeof(int32_t), 1, id_count, &ids, err));
  TRY_GOTO(st, end,
           read_integers(&o->h, sets[1], H5T_NATIVE_INT64, sizeof(int64_t), 1, count, &first, err));
  TRY_GOTO(st, end, add_cut(out, o, ids, id_count[0], first, count[0], err));
end:
  for (int i = 0; i < 2; i++) {
    if (sets[i] >= 0) {
      (void)H5Dclose(sets[i]);
    }
  }
  free(ids);
  free(first);
  return st;
}

static status see_draw(void *user, const struct object *o, struct error *err) {
  struct calibrations *c = user;
  TRY(mem_reserve(&c->at, &c->cap, c->count + 1, sizeof *c->at, err));
  struct calibration_draw *d = &c->at[c->count++];
  *d = (struct calibration_draw){0};
  TRY(h5_read_attribute(&o->h, "set", &d->set, err));
  if (H5Aexists(o->h.file, "model") > 0) {
    TRY(h5_read_attribute(&o->h, "model", &d->model, err));
  } else {
    TRY(mem_dup(&d->model, "", 0, err));
  }
  TRY(read_int(o, "draw", &d->draw, err));
  TRY(read_int(o, "samples", &d->samples, err));
  TRY(read_int(o, "length", &d->length, err));
  return H5Iget_type(o->h.file) == H5I_DATASET ? read_equal(o, &d->ids, err)
                                               : read_cut(o, &d->ids, err);
}

static status see_set(void *user, const struct object *set, struct error *err) {
  return each_member(set, see_draw, user, err);
}

static status read_all(struct calibrations *out, const struct h5 *h, struct error *err) {
  struct object root;
  if (H5Lexists(h->file, "/calibration", H5P_DEFAULT) <= 0) {
    return STATUS_OK;
  }
  TRY(open_object(h, "/calibration", &root, err));
  status st = each_member(&root, see_set, out, err);
  close_object(&root);
  return st;
}

status calibrations_read(struct calibrations *out, const char *path, struct error *err) {
  *out = (struct calibrations){0};
  struct h5 h;
  TRY(h5_open(&h, path, err));
  status st = results_bad_input(read_all(out, &h, err), err);
  h5_close(&h);
  return st;
}

void calibrations_free(struct calibrations *c) {
  for (size_t i = 0; i < c->count; i++) {
    free(c->at[i].set);
    free(c->at[i].model);
    sequences_free(&c->at[i].ids);
  }
  free(c->at);
  *c = (struct calibrations){0};
}
