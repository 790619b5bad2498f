/* The files of a checkpoint folder beside its weights: config.json, the index of shards, tokenizer
 * files and licences. */
#ifndef ESPALIER_MODEL_COMPANIONS_H
#define ESPALIER_MODEL_COMPANIONS_H

#include "model/model.h"
#include "model/write.h"

/* Copies them into `folder`. With a dtype, config.json's torch_dtype or dtype says so (where
 * neither stands, torch_dtype is added) and the index's total_size is `total` bytes. */
status companions_copy(const struct model *m, const char *folder, enum model_dtype dtype,
                       uint64_t total, struct error *err);

#endif
