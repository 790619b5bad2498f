#include "base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/file.h"
#include "base/mem.h"

enum { DEEPEST = 64 }; /* nested lists and maps: far beyond any file that people write */

struct reader {
  yaml_parser_t parser;
  yaml_event_t event;
  const char *path;
  struct error *err;
};

static long event_line(const yaml_event_t *event) {
  return (long)event->start_mark.line + 1;
}

static status next(struct reader *r) {
  if (yaml_parser_parse(&r->parser, &r->event)) {
    return STATUS_OK;
  }
  memset(&r->event, 0, sizeof r->event);
  const char *problem = r->parser.problem ? r->parser.problem : "unreadable";
  long line = (long)r->parser.problem_mark.line + 1;
  if (r->parser.error == YAML_READER_ERROR) {
    return err_at(r->err, STATUS_INPUT, r->path, 0, "not UTF-8 text at byte %zu (%s)",
                  r->parser.problem_offset, problem);
  }
  return err_at(r->err, STATUS_INPUT, r->path, line, "YAML: %s%s%s", problem,
                r->parser.context ? ", " : "", r->parser.context ? r->parser.context : "");
}

static void node_free(struct yaml *node) {
  for (size_t i = 0; i < node->count; i++) {
    node_free(&node->items[i]);
    if (node->keys) {
      node_free(&node->keys[i]);
    }
  }
  free(node->items);
  free(node->keys);
  free(node->text);
  *node = (struct yaml){0};
}

static status read_node(struct reader *r, struct yaml *out, int depth);

static status read_text(struct reader *r, struct yaml *out) {
  const char *text = (const char *)r->event.data.scalar.value;
  size_t n = r->event.data.scalar.length;
  if (memchr(text, 0, n)) {
    return err_at(r->err, STATUS_INPUT, r->path, out->line, "a NUL character in a text");
  }
  out->quoted = r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  return mem_dup(&out->text, text, n, r->err);
}

static status add_key(struct reader *r, struct yaml *map, struct yaml *key) {
  if (key->kind != YAML_TEXT) {
    return err_at(r->err, STATUS_INPUT, r->path, key->line,
                  "a key is not a plain word (expected NAME: value)");
  }
  for (size_t i = 0; i < map->count; i++) {
    if (strcmp(map->keys[i].text, key->text) == 0) {
      return err_at(r->err, STATUS_INPUT, r->path, key->line,
                    "'%s' stands twice (first on line %ld)", key->text, map->keys[i].line);
    }
  }
  return STATUS_OK;
}

/* Reads items up to the event that ends the collection; the start event has been consumed. */
static status read_items(struct reader *r, struct yaml *out, yaml_event_type_t end, int depth) {
  size_t cap = 0, key_cap = 0;
  while (true) {
    TRY(next(r));
    if (r->event.type == end) {
      yaml_event_delete(&r->event);
      return STATUS_OK;
    }
    struct yaml key = {0};
    if (out->kind == YAML_MAP) {
      TRY(mem_reserve(&out->keys, &key_cap, out->count + 1, sizeof *out->keys, r->err));
      status st = read_node(r, &key, depth + 1);
      if (st == STATUS_OK) {
        st = add_key(r, out, &key);
      }
      if (st == STATUS_OK) {
        st = next(r);
      }
      if (st != STATUS_OK) {
        node_free(&key);
        return st;
      }
    }
    struct yaml value = {0};
    status st = mem_reserve(&out->items, &cap, out->count + 1, sizeof *out->items, r->err);
    if (st == STATUS_OK) {
      st = read_node(r, &value, depth + 1);
    }
    if (st != STATUS_OK) {
      node_free(&key);
      node_free(&value);
      return st;
    }
    if (out->keys) {
      out->keys[out->count] = key;
    }
    out->items[out->count++] = value;
  }
}

/* Consumes r->event, which starts a node. */
static status read_node(struct reader *r, struct yaml *out, int depth) {
  out->line = event_line(&r->event);
  yaml_event_type_t type = r->event.type;
  status st = STATUS_OK;
  const char *refused = NULL;
  if (type == YAML_ALIAS_EVENT) {
    refused = "an alias (*name)";
  } else if (type == YAML_SCALAR_EVENT) {
    out->kind = YAML_TEXT;
    refused = r->event.data.scalar.anchor ? "an anchor (&name)" : NULL;
    refused = r->event.data.scalar.tag ? "a tag (!name)" : refused;
    st = refused ? STATUS_OK : read_text(r, out);
  } else if (type == YAML_SEQUENCE_START_EVENT) {
    out->kind = YAML_LIST;
    refused = r->event.data.sequence_start.anchor ? "an anchor (&name)" : NULL;
    refused = r->event.data.sequence_start.tag ? "a tag (!name)" : refused;
  } else {
    out->kind = YAML_MAP;
    refused = r->event.data.mapping_start.anchor ? "an anchor (&name)" : NULL;
    refused = r->event.data.mapping_start.tag ? "a tag (!name)" : refused;
  }
  yaml_event_delete(&r->event);
  TRY(st);
  if (refused) {
    return err_at(r->err, STATUS_INPUT, r->path, out->line, "%s is not allowed here", refused);
  }
  if (depth > DEEPEST) {
    return err_at(r->err, STATUS_INPUT, r->path, out->line, "nested deeper than %d levels",
                  DEEPEST);
  }
  if (out->kind == YAML_LIST) {
    return read_items(r, out, YAML_SEQUENCE_END_EVENT, depth);
  }
  return out->kind == YAML_MAP ? read_items(r, out, YAML_MAPPING_END_EVENT, depth) : STATUS_OK;
}

static status expect(struct reader *r, yaml_event_type_t type, const char *otherwise) {
  TRY(next(r));
  yaml_event_type_t got = r->event.type;
  long line = event_line(&r->event);
  yaml_event_delete(&r->event);
  return got == type ? STATUS_OK : err_at(r->err, STATUS_INPUT, r->path, line, "%s", otherwise);
}

static status read_document(struct reader *r, struct yaml *root) {
  TRY(expect(r, YAML_STREAM_START_EVENT, "not a YAML file"));
  TRY(expect(r, YAML_DOCUMENT_START_EVENT, "an empty file (expected NAME: value lines)"));
  TRY(next(r));
  TRY(read_node(r, root, 0));
  TRY(expect(r, YAML_DOCUMENT_END_EVENT, "not the end of the document"));
  TRY(expect(r, YAML_STREAM_END_EVENT, "a second YAML document (expected one per file)"));
  if (root->kind != YAML_MAP) {
    return err_at(r->err, STATUS_INPUT, r->path, root->line,
                  "not a map (expected NAME: value lines)");
  }
  return STATUS_OK;
}

status yaml_open(struct yaml_file *out, const char *path, struct error *err) {
  struct yaml_file file = {0};
  TRY(mem_dup(&file.path, path, strlen(path), err));
  status st = file_read(&file.bytes, &file.size, path, err);
  if (st == STATUS_OK) {
    struct reader r = {.path = path, .err = err};
    if (yaml_parser_initialize(&r.parser)) {
      yaml_parser_set_input_string(&r.parser, (const unsigned char *)file.bytes, file.size);
      st = read_document(&r, &file.root);
      yaml_event_delete(&r.event);
      yaml_parser_delete(&r.parser);
    } else {
      st = err_set(err, STATUS_MEMORY, "out of memory: a YAML parser");
    }
  }
  if (st != STATUS_OK) {
    yaml_close(&file);
    return st;
  }
  *out = file;
  return STATUS_OK;
}

void yaml_close(struct yaml_file *file) {
  node_free(&file->root);
  free(file->path);
  free(file->bytes);
  *file = (struct yaml_file){0};
}
