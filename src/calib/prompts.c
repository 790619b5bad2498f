/* Documents that are a task's prompts, with or without their gold answers and examples in front.
 * The examples come from the set's own file, drawn as lm-evaluation-harness draws them
 * (data/fewshot.h), and are never the document at hand: calibration sees no data that the set does
 * not name. */
#include <stdlib.h>
#include <string.h>

#include "calib/set.h"
#include "data/fewshot.h"

struct prompts {
  const struct calibration *set;
  struct task task; /* as the set's, but for where examples come from */
  struct documents lines;
  struct fewshots fewshots;
  int shots;
  struct arena *arena;
  struct str before; /* description and examples */
};

/* Examples are drawn from the documents themselves, which the task's own pool may not be. */
static status prompts_open(struct prompts *p, struct error *err) {
  p->task = *p->set->task;
  p->task.fewshot.exclude = true;
  p->task.fewshot.first = false;
  p->shots =
      p->set->shots > 0 && p->task.fewshot.shots >= 0 ? p->task.fewshot.shots : p->set->shots;
  TRY(arena_create(&p->arena, err));
  TRY(documents_open(&p->lines, &p->task, p->set->data, 0, err));
  return p->shots > 0 ? fewshots_start(&p->fewshots, &p->task, &p->lines, p->shots, err)
                      : STATUS_OK;
}

static void prompts_close(struct prompts *p) {
  str_free(&p->before);
  fewshots_free(&p->fewshots);
  documents_close(&p->lines);
  arena_free(p->arena);
}

static status introduce(struct prompts *p, const struct jsonl_line *at, struct error *err) {
  char *description;
  TRY(render_description(&p->task, p->lines.file.path, at, p->arena, &description, err));
  p->before.count = 0;
  TRY(str_add(&p->before, description, strlen(description), err));
  return p->shots > 0 ? fewshots_add(&p->fewshots, at, p->arena, &p->before, err) : STATUS_OK;
}

/* A prompt with its gold answer, or alone; a text of a language modelling task as it is. */
static status prompt(struct prompts *p, const struct jsonl_line *at, char **out,
                     struct error *err) {
  struct rendered r;
  const char *path = p->lines.file.path;
  TRY(render_document(&p->task, path, at, p->arena, &r, err));
  if (r.text) {
    return mem_dup(out, r.text, strlen(r.text), err);
  }
  TRY(introduce(p, at, err));
  if (!p->set->answers) {
    return str_format(out, err, "%s%s", p->before.at, r.contexts[0]);
  }
  if (r.gold < 0 || (size_t)r.gold >= r.choices) {
    return err_at(err, STATUS_INPUT, path, at->line, "no gold answer among %zu choices", r.choices);
  }
  const char *gap = p->task.type == TASK_LAST_WORD ? "" : p->task.delimiter;
  return str_format(out, err, "%s%s%s%s", p->before.at, r.contexts[r.gold], gap, r.answers[r.gold]);
}

status prompts_read(struct pool *pool, struct error *err) {
  struct prompts p = {.set = pool->set};
  status st = prompts_open(&p, err);
  for (size_t i = 0; i < p.lines.count && st == STATUS_OK; i++) {
    struct document *d;
    st = pool_add(pool, p.lines.at[i].line, &d, err);
    if (st == STATUS_OK) {
      st = prompt(&p, &p.lines.at[i], &d->text, err);
    }
  }
  prompts_close(&p);
  return st;
}
