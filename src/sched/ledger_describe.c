#include "base/mem.h"
#include "sched/ledger_parts.h"

static status describe_plan(struct ledger *l, struct error *err) {
  struct plan *p = l->plan;
  TRY(mem_alloc(&l->variant_infos, p->variant_count, sizeof *l->variant_infos, err));
  TRY(mem_alloc(&l->dataset_infos, p->dataset_count, sizeof *l->dataset_infos, err));
  for (size_t i = 0; i < p->variant_count; i++) {
    const struct variant *v = &p->variants[i];
    l->variant_infos[i] = (struct variant_info){
        .id = v->id,
        .model = p->models[v->model].name,
        .method = v->label,
        .parameters = v->params_json,
        .sparsity = v->sparsity_text,
        .calibration = v->calibration < 0 ? "" : p->calibrations[v->calibration].name,
        .samples = v->samples,
        .length = v->length,
        .draw = v->draw,
        .propagate = v->calibration < 0 ? "" : propagate_name(p->grid->propagate),
        .position = (int32_t)i,
        .elsewhere = v->elsewhere};
  }
  size_t cells = p->variant_count * p->dataset_count;
  TRY(mem_alloc(&l->wanted, cells, sizeof *l->wanted, err));
  TRY(mem_alloc(&l->cell_ids, cells, sizeof *l->cell_ids, err));
  for (size_t i = 0; i < cells; i++) {
    l->wanted[i] = p->cells[i].wanted;
    l->cell_ids[i] = p->cells[i].id;
  }
  for (size_t i = 0; i < p->dataset_count; i++) {
    l->dataset_infos[i] =
        (struct dataset_info){p->datasets[i].name, task_kind_name(p->datasets[i].kind)};
  }
  return STATUS_OK;
}

static status describe_draws(struct ledger *l, struct error *err) {
  struct plan *p = l->plan;
  size_t count;
  TRY(plan_distinct_draws(p, &l->draw_variants, &count, err));
  TRY(mem_alloc(&l->draws, count, sizeof *l->draws, err));
  l->calibration_count = count;
  TRY(mem_alloc(&l->draw_digests, count, sizeof *l->draw_digests, err));
  TRY(mem_alloc(&l->distances, count * p->dataset_count * DISTANCE_KINDS, sizeof *l->distances,
                err));
  TRY(mem_alloc(&l->calibration_infos, count, sizeof *l->calibration_infos, err));
  for (size_t i = 0; i < count; i++) {
    const struct variant *v = &p->variants[l->draw_variants[i]];
    TRY(plan_draw(p, l->draw_variants[i], &l->draws[i], err));
    TRY(sequences_digest(&l->draws[i], l->draw_digests[i], err));
    l->calibration_infos[i] = (struct calibration_info){.model = p->models[v->model].name,
                                                        .set = p->calibrations[v->calibration].name,
                                                        .draw = v->draw,
                                                        .samples = v->samples,
                                                        .length = v->length,
                                                        .ids = &l->draws[i]};
  }
  return STATUS_OK;
}

status ledger_describe(struct ledger *l, struct error *err) {
  TRY(describe_plan(l, err));
  return describe_draws(l, err);
}
