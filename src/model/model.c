#include "model/parts.h"

const char *model_folder(const struct model *m) {
  return m->folder;
}

const char *model_type(const struct model *m) {
  return m->family->type;
}

int model_blocks(const struct model *m) {
  return m->arch.config.blocks;
}

int model_hidden(const struct model *m) {
  return m->arch.config.hidden;
}

int model_vocab(const struct model *m) {
  return m->arch.config.vocab;
}

int model_positions(const struct model *m) {
  return m->arch.config.positions;
}

int model_bos(const struct model *m) {
  return m->arch.config.bos;
}

int model_eos(const struct model *m) {
  return m->arch.config.eos;
}

uint64_t model_parameters(const struct model *m) {
  return m->parameters;
}

const struct linear *model_linears(const struct model *m, int *count) {
  *count = m->linear_count;
  return m->linears;
}

int model_inputs(const struct model *m) {
  return m->inputs;
}

enum slot model_linear_slot(const struct model *m, int linear) {
  return m->places[linear].slot;
}

int model_linear_part(const struct model *m, int linear) {
  return m->places[linear].part;
}

const struct model_config *model_config(const struct model *m) {
  return &m->arch.config;
}

status model_linear_name(const struct model *m, int block, int linear, char **out,
                         struct error *err) {
  const struct place *p = &m->places[linear];
  return model_slot_name(m, p->slot, block, p->part, "weight", out, err);
}

void model_set_precision(struct model *m, enum precision precision) {
  m->precision = precision;
}

enum precision model_precision(const struct model *m) {
  return m->precision;
}

bool model_shares_contexts(const struct model *m) {
  return model_config(m)->rope_scaling != ROPE_LONG;
}

double model_block_flops(const struct model *m) {
  const struct model_config *c = &m->arch.config;
  double weights = (double)c->experts * c->hidden; /* the router's */
  for (int i = 0; i < m->linear_count; i++) {
    const struct linear *l = &m->linears[i];
    bool chosen = arch_parts(&m->arch, m->places[i].slot) > 1;
    double share = chosen ? (double)c->experts_used / c->experts : 1;
    weights += share * l->rows * l->cols;
  }
  return 2 * weights * c->blocks;
}

double model_head_flops(const struct model *m) {
  const struct model_config *c = &m->arch.config;
  double projection = m->arch.weight[SLOT_PROJECT_OUT] ? (double)c->embed_dim * c->hidden : 0;
  return 2 * ((double)c->vocab * c->embed_dim + projection);
}
