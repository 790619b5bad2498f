#include "sched/message.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/pack.h"

enum { LEASE_CELL_BYTES = 4 + 4 + 4 + 4 + 8 }; /* the least that one cell of a lease takes */

static status encode_lease(const struct message *m, struct str *to, struct error *err) {
  TRY(pack_u32(to, (uint32_t)m->variant, err));
  TRY(pack_text(to, m->variant_id, sizeof m->variant_id, err));
  TRY(pack_u8(to, m->prune_known, err));
  TRY(pack_u32(to, m->cell_count, err));
  for (uint32_t i = 0; i < m->cell_count; i++) {
    const struct lease_cell *c = &m->cells[i];
    TRY(pack_u32(to, (uint32_t)c->cell, err));
    TRY(pack_u32(to, (uint32_t)c->dataset, err));
    TRY(pack_text(to, c->id, sizeof c->id, err));
    TRY(pack_text(to, c->data_digest, sizeof c->data_digest, err));
    TRY(pack_u64(to, c->base_size, err));
    TRY(pack_array(to, c->base, c->base_size, 1, err));
  }
  return STATUS_OK;
}

static status encode(const struct message *m, struct str *to, struct error *err) {
  TRY(pack_u8(to, (uint8_t)m->kind, err));
  TRY(pack_u32(to, (uint32_t)m->task, err));
  TRY(pack_u64(to, (uint64_t)m->instance, err));
  TRY(pack_u32(to, (uint32_t)m->cell, err));
  if (m->kind == MESSAGE_LEASE) {
    TRY(encode_lease(m, to, err));
  } else if (m->kind == MESSAGE_RESULT) {
    TRY(pack_u64(to, m->record_size, err));
    TRY(pack_array(to, m->record, m->record_size, 1, err));
  } else if (m->kind == MESSAGE_END) {
    TRY(pack_u8(to, m->all_alive, err));
    TRY(pack_u32(to, (uint32_t)m->outcome, err));
  } else if (m->kind == MESSAGE_BYE) {
    TRY(pack_text(to, m->text, sizeof m->text, err));
  }
  return STATUS_OK;
}

status message_encode(const struct message *m, unsigned char **out, size_t *size,
                      struct error *err) {
  struct str to = {0};
  status st = encode(m, &to, err);
  if (st != STATUS_OK) {
    str_free(&to);
    return st;
  }
  *out = (unsigned char *)to.at;
  *size = to.count;
  return STATUS_OK;
}

static status read_int(struct unpack *from, int32_t *out, struct error *err) {
  uint32_t value;
  TRY(unpack_u32(from, &value, err));
  *out = (int32_t)value;
  return STATUS_OK;
}

static status read_bool(struct unpack *from, bool *out, struct error *err) {
  uint8_t value;
  TRY(unpack_u8(from, &value, err));
  *out = value != 0;
  return STATUS_OK;
}

static status read_bytes(struct unpack *from, unsigned char **out, uint64_t *size,
                         struct error *err) {
  TRY(unpack_u64(from, size, err));
  TRY(unpack_fits(from, *size, 1, err));
  TRY(mem_alloc(out, *size, 1, err));
  return unpack_array(from, *out, *size, 1, err);
}

static status decode_lease(struct message *m, struct unpack *from, struct error *err) {
  TRY(read_int(from, &m->variant, err));
  TRY(unpack_text(from, m->variant_id, sizeof m->variant_id, err));
  TRY(read_bool(from, &m->prune_known, err));
  uint32_t count;
  TRY(unpack_u32(from, &count, err));
  TRY(unpack_fits(from, count, LEASE_CELL_BYTES, err));
  TRY(mem_alloc(&m->cells, count, sizeof *m->cells, err));
  m->cell_count = count;
  for (uint32_t i = 0; i < count; i++) {
    struct lease_cell *c = &m->cells[i];
    TRY(read_int(from, &c->cell, err));
    TRY(read_int(from, &c->dataset, err));
    TRY(unpack_text(from, c->id, sizeof c->id, err));
    TRY(unpack_text(from, c->data_digest, sizeof c->data_digest, err));
    TRY(read_bytes(from, &c->base, &c->base_size, err));
  }
  return STATUS_OK;
}

static status decode(struct message *m, struct unpack *from, struct error *err) {
  uint8_t kind;
  uint64_t instance;
  TRY(unpack_u8(from, &kind, err));
  TRY(read_int(from, &m->task, err));
  TRY(unpack_u64(from, &instance, err));
  TRY(read_int(from, &m->cell, err));
  if (kind < MESSAGE_READY || kind > MESSAGE_PING) {
    return err_set(err, STATUS_INPUT, "a message of unknown kind %d", kind);
  }
  m->kind = (enum message_kind)kind;
  m->instance = (int64_t)instance;
  if (m->kind == MESSAGE_LEASE) {
    TRY(decode_lease(m, from, err));
  } else if (m->kind == MESSAGE_RESULT) {
    TRY(read_bytes(from, &m->record, &m->record_size, err));
  } else if (m->kind == MESSAGE_END) {
    TRY(read_bool(from, &m->all_alive, err));
    TRY(read_int(from, &m->outcome, err));
  } else if (m->kind == MESSAGE_BYE) {
    TRY(unpack_text(from, m->text, sizeof m->text, err));
  }
  if (from->left) {
    return err_set(err, STATUS_INPUT, "a message with %zu bytes too many", from->left);
  }
  return STATUS_OK;
}

status message_decode(struct message *out, const unsigned char *from, size_t size,
                      struct error *err) {
  struct message m = {0};
  struct unpack left = {from, size};
  status st = decode(&m, &left, err);
  if (st != STATUS_OK) {
    message_free(&m);
    return st;
  }
  *out = m;
  return STATUS_OK;
}

void message_free(struct message *m) {
  for (uint32_t i = 0; m->cells && i < m->cell_count; i++) {
    free(m->cells[i].base);
  }
  free(m->cells);
  free(m->record);
  *m = (struct message){0};
}
