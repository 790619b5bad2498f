#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/merge_parts.h"

static int compare_ids(const void *a, const void *b, void *user) {
  const struct merge *m = user;
  size_t i = *(const size_t *)a, k = *(const size_t *)b;
  return strcmp(m->variants[i].row->id, m->variants[k].row->id);
}

bool merge_find_variant(const struct merge *m, const char *id, size_t *out) {
  size_t low = 0, high = m->variant_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    int order = strcmp(m->variants[m->by_id[middle]].row->id, id);
    if (order == 0) {
      *out = m->by_id[middle];
      return true;
    }
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return false;
}

bool merge_find_dataset(const struct merge *m, const char *name, size_t *out) {
  for (*out = 0; *out < m->dataset_count; ++*out) {
    if (strcmp(m->datasets[*out].name, name) == 0) {
      return true;
    }
  }
  return false;
}

void merge_name_variant(const struct merge *m, size_t variant, char *out, size_t size) {
  const struct results_variant *v = m->variants[variant].row;
  if (v->calibration[0]) {
    (void)snprintf(out, size, "%s %s %s draw %d of %s", v->method, v->sparsity, v->calibration,
                   v->draw, v->model);
  } else {
    (void)snprintf(out, size, "%s %s of %s", v->method, v->sparsity, v->model);
  }
}

/* Experiments in the order of inputs; within one the plan's order; then that of inputs. */
static int compare_places(const void *a, const void *b) {
  const struct merge_variant *v = a, *w = b;
  if (v->group != w->group) {
    return v->group < w->group ? -1 : 1;
  }
  if (v->row->position != w->row->position) {
    return v->row->position < w->row->position ? -1 : 1;
  }
  return (v->input > w->input) - (v->input < w->input);
}

static int compare_twins(const void *a, const void *b) {
  const struct merge_variant *v = a, *w = b;
  int order = strcmp(v->row->id, w->row->id);
  return order ? order : (v->input > w->input) - (v->input < w->input);
}

static void find_groups(struct merge *m) {
  for (size_t i = 0; i < m->input_count; i++) {
    m->inputs[i].group = i;
    const struct attributes *a = &m->inputs[i].attributes;
    const char *text = attributes_text(a, "experiment");
    for (size_t k = 0; text && k < i; k++) {
      const char *other = attributes_text(&m->inputs[k].attributes, "experiment");
      if (other && strcmp(text, other) == 0) {
        m->inputs[i].group = m->inputs[k].group;
        break;
      }
    }
  }
}

static status unite_variants(struct merge *m, struct error *err) {
  size_t most = 0, n = 0, kept = 0;
  for (size_t i = 0; i < m->input_count; i++) {
    most += m->inputs[i].file.variant_count;
  }
  TRY(mem_alloc(&m->variants, most, sizeof *m->variants, err));
  TRY(mem_alloc(&m->by_id, most, sizeof *m->by_id, err));
  for (size_t i = 0; i < m->input_count; i++) {
    const struct merge_input *in = &m->inputs[i];
    for (size_t v = 0; v < in->file.variant_count; v++) {
      m->variants[n++] =
          (struct merge_variant){.row = &in->file.variants[v], .input = i, .group = in->group};
    }
  }
  qsort(m->variants, n, sizeof *m->variants, compare_twins);
  for (size_t i = 0; i < n; i++) {
    if (kept == 0 || strcmp(m->variants[kept - 1].row->id, m->variants[i].row->id) != 0) {
      m->variants[kept++] = m->variants[i];
    }
  }
  qsort(m->variants, kept, sizeof *m->variants, compare_places);
  m->variant_count = kept;
  for (size_t i = 0; i < kept; i++) {
    m->by_id[i] = i;
  }
  qsort_r(m->by_id, kept, sizeof *m->by_id, compare_ids, m);
  return STATUS_OK;
}

static status add_dataset(struct merge *m, const char *name, const char *kind, struct error *err) {
  size_t at;
  if (merge_find_dataset(m, name, &at)) {
    if (!m->datasets[at].kind[0]) {
      m->datasets[at].kind = kind;
    }
    return STATUS_OK;
  }
  TRY(mem_reserve(&m->datasets, &m->dataset_cap, m->dataset_count + 1, sizeof *m->datasets, err));
  m->datasets[m->dataset_count++] = (struct dataset_info){name, kind};
  return STATUS_OK;
}

static status unite_datasets(struct merge *m, struct error *err) {
  for (size_t i = 0; i < m->input_count; i++) {
    const struct results_file *f = &m->inputs[i].file;
    for (size_t d = 0; d < f->dataset_count; d++) {
      TRY(add_dataset(m, f->datasets[d].name, f->datasets[d].kind, err));
    }
    /* files older than /datasets */
    for (size_t c = 0; c < f->cell_count && !f->dataset_count; c++) {
      TRY(add_dataset(m, f->cells[c].dataset, "", err));
    }
    for (size_t k = 0; k < f->metric_count && !f->dataset_count; k++) {
      TRY(add_dataset(m, f->metrics[k].dataset, f->metrics[k].kind, err));
    }
  }
  return STATUS_OK;
}

static status unite_cells(struct merge *m, struct error *err) {
  size_t cells = m->variant_count * m->dataset_count;
  TRY(mem_alloc(&m->wanted, cells, sizeof *m->wanted, err));
  TRY(mem_alloc(&m->cell_ids, cells, sizeof *m->cell_ids, err));
  TRY(mem_alloc(&m->cells, cells, sizeof(struct cell_record *), err));
  TRY(mem_alloc(&m->cell_inputs, cells, sizeof *m->cell_inputs, err));
  for (size_t i = 0; i < cells; i++) {
    m->cell_ids[i] = "";
  }
  for (size_t i = 0; i < m->input_count; i++) {
    const struct results_file *f = &m->inputs[i].file;
    for (size_t c = 0; c < f->cell_count; c++) {
      size_t v, d;
      if (!merge_find_variant(m, f->cells[c].variant, &v) ||
          !merge_find_dataset(m, f->cells[c].dataset, &d)) {
        return err_at(err, STATUS_INPUT, m->inputs[i].path, 0,
                      "a row of /cells has no variant or data set");
      }
      size_t at = merge_at(m, v, d);
      m->wanted[at] = true;
      m->cell_ids[at] = m->cell_ids[at][0] ? m->cell_ids[at] : f->cells[c].id;
    }
  }
  return STATUS_OK;
}

status merge_plan(struct merge *m, struct error *err) {
  find_groups(m);
  TRY(unite_variants(m, err));
  TRY(unite_datasets(m, err));
  return unite_cells(m, err);
}
