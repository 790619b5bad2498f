#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/table.h"

status word_list_add(struct word_list *list, const char *text, struct error *err) {
  word_list_free(list);
  TRY(mem_dup(&list->copy, text, strlen(text), err));
  size_t cap = 0;
  char *rest = list->copy;
  while (rest) {
    const char *word = strsep(&rest, ",");
    word += strspn(word, " ");
    if (!*word) {
      return err_set(err, STATUS_INPUT, "'%s': an empty name (expected names with commas between)",
                     text);
    }
    TRY(mem_reserve(&list->at, &cap, list->count + 1, sizeof(char *), err));
    list->at[list->count++] = word;
  }
  return STATUS_OK;
}

void word_list_free(struct word_list *list) {
  free(list->copy);
  free((void *)list->at);
  *list = (struct word_list){0};
}
