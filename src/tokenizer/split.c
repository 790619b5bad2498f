#include "tokenizer/split.h"

#include "base/mem.h"

const char *const split_behavior_names[SPLIT_BEHAVIORS] = {
    "Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"};

static status add_span(struct pre_work *w, size_t start, size_t end, bool match,
                       struct error *err) {
  TRY(mem_reserve(&w->spans, &w->cap, w->count + 1, sizeof *w->spans, err));
  w->spans[w->count++] = (struct span){start, end, match};
  return STATUS_OK;
}

/* Spans that cover text [bytes]. */
static status find_spans(struct pre_work *w, struct scan *scan, const struct pattern *pattern,
                         const char *text, size_t bytes, bool invert, struct error *err) {
  size_t at = 0, start, end;
  bool found;
  w->count = 0;
  scan_start(scan, pattern, text, bytes);
  for (;;) {
    TRY(scan_next(scan, &found, &start, &end, err));
    if (!found) {
      return at < bytes ? add_span(w, at, bytes, invert, err) : STATUS_OK;
    }
    if (at < start) {
      TRY(add_span(w, at, start, invert, err));
    }
    TRY(add_span(w, start, end, !invert, err));
    at = end;
  }
}

/* Joins spans in place. A match joins its neighbour only when that is not a match itself. */
static void join_forward(struct pre_work *w, enum split_behavior behavior) {
  size_t kept = 0;
  bool previous = false;
  for (size_t i = 0; i < w->count; i++) {
    struct span s = w->spans[i];
    bool join = behavior == SPLIT_CONTIGUOUS ? s.match == previous : s.match && !previous;
    if (join && kept > 0) {
      w->spans[kept - 1].end = s.end;
    } else {
      w->spans[kept++] = s;
    }
    previous = s.match;
  }
  w->count = kept;
}

static void join_backward(struct pre_work *w) {
  size_t kept = w->count;
  bool previous = false;
  for (size_t i = w->count; i-- > 0;) {
    struct span s = w->spans[i];
    if (s.match && !previous && kept < w->count) {
      w->spans[kept].start = s.start;
    } else {
      w->spans[--kept] = s;
    }
    previous = s.match;
  }
  for (size_t i = kept; i < w->count; i++) {
    w->spans[i - kept] = w->spans[i];
  }
  w->count -= kept;
}

status split_piece(struct pre_work *w, struct scan *scan, const struct piece *piece,
                   const struct pattern *pattern, enum split_behavior behavior, bool invert,
                   struct error *err) {
  TRY(find_spans(w, scan, pattern, w->pieces.text.text.at + piece->start, piece->end - piece->start,
                 invert, err));
  if (behavior == SPLIT_CONTIGUOUS || behavior == SPLIT_MERGED_WITH_PREVIOUS) {
    join_forward(w, behavior);
  } else if (behavior == SPLIT_MERGED_WITH_NEXT) {
    join_backward(w);
  }
  struct pieces *out = &w->spare;
  TRY(mem_reserve(&out->at, &out->cap, out->count + w->count, sizeof *out->at, err));
  for (size_t i = 0; i < w->count; i++) {
    struct span s = w->spans[i];
    if (s.start < s.end && !(behavior == SPLIT_REMOVED && s.match)) {
      out->at[out->count++] = (struct piece){piece->start + s.start, piece->start + s.end,
                                             piece->first && s.start == 0};
    }
  }
  return STATUS_OK;
}
