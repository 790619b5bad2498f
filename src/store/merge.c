#include "store/merge.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/merge_parts.h"

static bool same_file(const char *a, const char *b) {
  struct stat s, t;
  return strcmp(a, b) == 0 ||
         (stat(a, &s) == 0 && stat(b, &t) == 0 && s.st_dev == t.st_dev && s.st_ino == t.st_ino);
}

static status open_input(struct merge *m, const char *path, struct error *err) {
  struct merge_input *in = &m->inputs[m->input_count++];
  *in = (struct merge_input){.path = path, .has_file = file_exists(path)};
  TRY(journal_path(&in->journal, path, err));
  if (!in->has_file) {
    return STATUS_OK;
  }
  TRY(results_read(&in->file, path, err));
  if (!file_exists(in->journal)) {
    return err_at(err, STATUS_INPUT, path, 0, "its journal %s is missing (a merge needs both)",
                  in->journal);
  }
  TRY(attributes_read(&in->attributes, path, err));
  return calibrations_read(&in->draws, path, err);
}

/* An output that is there is merged too, unless a run has it. */
static status open_output(struct merge *m, const char *output, struct error *err) {
  char *journal;
  TRY(journal_path(&journal, output, err));
  struct journal_facts facts = {0};
  status st = STATUS_OK;
  if (file_exists(journal)) {
    st = journal_scan(journal, NULL, NULL, &facts, err);
  }
  if (st == STATUS_OK && facts.held) {
    st = err_at(err, STATUS_INPUT, journal, 0, "is being written by a run (pid %ld on host %s)",
                facts.pid, facts.host);
  }
  if (st == STATUS_OK && (file_exists(output) || file_exists(journal))) {
    st = open_input(m, output, err);
  }
  free(journal);
  return st;
}

static status open_inputs(struct merge *m, const char *output, const char *const *paths,
                          size_t count, struct error *err) {
  TRY(mem_alloc(&m->inputs, count + 1, sizeof *m->inputs, err));
  TRY(open_output(m, output, err));
  for (size_t i = 0; i < count; i++) {
    if (!file_exists(paths[i])) {
      return err_at(err, STATUS_INPUT, paths[i], 0, "No such file");
    }
    for (size_t k = 0; k < i; k++) {
      if (same_file(paths[i], paths[k])) {
        return err_at(err, STATUS_INPUT, paths[i], 0, "is given twice");
      }
    }
    if (!same_file(paths[i], output)) {
      TRY(open_input(m, paths[i], err));
    }
  }
  return STATUS_OK;
}

static void close_merge(struct merge *m) {
  for (size_t i = 0; i < m->input_count; i++) {
    struct merge_input *in = &m->inputs[i];
    free(in->journal);
    results_close(&in->file);
    attributes_free(&in->attributes);
    calibrations_free(&in->draws);
  }
  for (size_t i = 0; m->cells && i < m->variant_count * m->dataset_count; i++) {
    if (m->cells[i]) {
      cell_record_free(m->cells[i]);
      free(m->cells[i]);
    }
  }
  for (size_t i = 0; i < m->variant_count; i++) {
    if (m->variants[i].record) {
      variant_record_free(m->variants[i].record);
      free(m->variants[i].record);
    }
  }
  merge_free_attributions(m);
  free(m->inputs);
  free(m->variants);
  free(m->by_id);
  free(m->datasets);
  free(m->wanted);
  free((void *)m->cell_ids);
  free((void *)m->cells);
  free(m->cell_inputs);
  free(m->parts);
  free(m->masks);
  free(m->distances);
  free(m->distance_inputs);
  free(m->others);
}

static status gather(struct merge *m, struct error *err) {
  TRY(merge_plan(m, err));
  TRY(merge_make_attributions(m, err));
  for (size_t i = 0; i < m->input_count; i++) {
    TRY(merge_take_journal(m, i, err));
  }
  for (size_t i = 0; i < m->variant_count * m->dataset_count; i++) {
    m->cell_ids[i] = m->cells[i] ? m->cells[i]->id : m->cell_ids[i];
  }
  TRY(merge_settle_masks(m, err));
  merge_settle_others(m);
  return STATUS_OK;
}

/* Rows keep their places in the plan where there is only one. */
static status list_variants(const struct merge *m, struct variant_info **infos,
                            const struct variant_record ***records, struct error *err) {
  bool one = true;
  TRY(mem_alloc(infos, m->variant_count, sizeof **infos, err));
  TRY(mem_alloc(records, m->variant_count, sizeof(struct variant_record *), err));
  for (size_t i = 0; i < m->variant_count; i++) {
    one = one && m->variants[i].group == m->variants[0].group;
  }
  for (size_t i = 0; i < m->variant_count; i++) {
    const struct results_variant *v = m->variants[i].row;
    (*records)[i] = m->variants[i].record;
    (*infos)[i] = (struct variant_info){.id = v->id,
                                        .model = v->model,
                                        .method = v->method,
                                        .parameters = v->parameters,
                                        .sparsity = v->sparsity,
                                        .calibration = v->calibration,
                                        .samples = v->samples,
                                        .length = v->length,
                                        .draw = v->draw,
                                        .propagate = v->propagate,
                                        .position = one ? v->position : (int32_t)i};
  }
  return STATUS_OK;
}

static status write_results(struct merge *m, const char *output, const struct journal *journal,
                            const char *command, struct error *err) {
  struct results r = {.datasets = m->datasets,
                      .dataset_count = m->dataset_count,
                      .variant_count = m->variant_count,
                      .wanted = m->wanted,
                      .cell_ids = m->cell_ids,
                      .cell_records = (const struct cell_record *const *)m->cells,
                      .journal = journal,
                      .masks = m->masks,
                      .attribution_bases = (const struct attribution_base *const *)m->bases,
                      .attribution_losses = (const struct attribution_loss *const *)m->losses};
  struct attribute *attributes = NULL;
  struct variant_info *infos = NULL;
  const struct variant_record **records = NULL;
  struct calibration_info *draws = NULL;
  status st;
  TRY_GOTO(st, end, merge_attributes(m, command, &attributes, &r.attribute_count, err));
  TRY_GOTO(st, end, list_variants(m, &infos, &records, err));
  TRY_GOTO(st, end, merge_draws(m, &draws, &r.calibration_count, err));
  merge_sort_distances(m, draws, r.calibration_count);
  r.attributes = attributes;
  r.variants = infos;
  r.variant_records = records;
  r.calibrations = draws;
  r.distances = m->distances;
  r.distance_count = m->distance_count;
  st = results_write(output, &r, err);
end:
  for (size_t i = 0; i < r.attribute_count; i++) {
    free((char *)attributes[i].text);
  }
  free(attributes);
  free(infos);
  free((void *)records);
  free(draws);
  return st;
}

/* The journal first, as the truth: a file that is missing or older is made from it by the next
 * merge or run. */
static status write_all(struct merge *m, const char *output, const char *command,
                        struct error *err) {
  char *path = NULL, *temporary = NULL;
  struct journal *journal = NULL;
  status st;
  TRY_GOTO(st, end, journal_path(&path, output, err));
  TRY_GOTO(st, end, str_format(&temporary, err, "%s.merge", path));
  (void)unlink(temporary); /* of a merge that was killed */
  TRY_GOTO(st, end, journal_open(&journal, temporary, NULL, NULL, NULL, err));
  TRY_GOTO(st, end, merge_write_journal(m, journal, err));
  TRY_GOTO(st, end, file_publish(temporary, path, err));
  TRY_GOTO(st, end, write_results(m, output, journal, command, err));
end:
  journal_close(journal);
  if (temporary) {
    (void)unlink(temporary);
  }
  free(temporary);
  free(path);
  return st;
}

static void count(const struct merge *m, struct merge_outcome *out) {
  out->files = m->input_count;
  out->variants = m->variant_count;
  out->twice = m->twice;
  for (size_t i = 0; i < m->variant_count * m->dataset_count; i++) {
    const struct cell_record *c = m->cells[i];
    out->cells += m->wanted[i];
    out->done += c != NULL;
    out->failed += c && c->failed;
  }
}

status merge_results(const char *output, const char *const *paths, size_t path_count,
                     const char *command, struct merge_outcome *out, struct error *err) {
  struct merge m = {0};
  *out = (struct merge_outcome){0};
  status st = open_inputs(&m, output, paths, path_count, err);
  if (st == STATUS_OK) {
    st = gather(&m, err);
  }
  if (st == STATUS_OK) {
    count(&m, out);
    st = write_all(&m, output, command, err);
  }
  close_merge(&m);
  return st;
}
