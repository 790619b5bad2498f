/* Errors are values: every function that can fail returns a status and, through a caller-owned
 * struct error, one line that says what is wrong where. Nothing below cli/ prints or exits. */
#ifndef ESPALIER_BASE_ERROR_H
#define ESPALIER_BASE_ERROR_H

/* code, exit status of the program when it ends with it, meaning */
#define STATUS_LIST(X)                                                                             \
  X(STATUS_OK, 0, "done")                                                                          \
  X(STATUS_PARTIAL, 1, "some cells failed")                                                        \
  X(STATUS_INPUT, 2, "bad usage or bad input")                                                     \
  X(STATUS_UNSUPPORTED, 2, "a valid input that this version does not handle")                      \
  X(STATUS_IO, 2, "the file system refused")                                                       \
  X(STATUS_MEMORY, 1, "out of memory")                                                             \
  X(STATUS_NUMERIC, 2, "not a number, infinite, or not positive definite")                         \
  X(STATUS_MPI, 1, "an MPI call failed")                                                           \
  X(STATUS_TIME, 75, "stopped for time with work left")                                            \
  X(STATUS_BUG, 1, "a broken promise inside the program")

typedef enum status {
#define X(code, exit, meaning) code,
  STATUS_LIST(X)
#undef X
} status;

enum { ERROR_TEXT = 1024 };

struct error {
  status code;
  char text[ERROR_TEXT]; /* one line, no trailing newline; "FILE:LINE: what (expected)" where known
                          */
};

/* The functions behind the macros below. */
void err_set_text(struct error *e, status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void err_at_text(struct error *e, status code, const char *file, long line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void err_errno_text(struct error *e, status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void err_prefix_text(struct error *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets *e (may be NULL) from a printf format and is worth the code, so that `return err_set(...)`
 * is the one way to fail. Macros, so that compilers and analysers see which code comes back. */
#define err_set(e, code, ...)                                                                      \
  ({                                                                                               \
    status err_code_ = (code);                                                                     \
    err_set_text((e), err_code_, __VA_ARGS__);                                                     \
    err_code_;                                                                                     \
  })

/* As err_set with "file:line: " in front; line 0 leaves the line out. */
#define err_at(e, code, file, line, ...)                                                           \
  ({                                                                                               \
    status err_code_ = (code);                                                                     \
    err_at_text((e), err_code_, (file), (line), __VA_ARGS__);                                      \
    err_code_;                                                                                     \
  })

/* As err_set, followed by ": " and the text of errno. */
#define err_errno(e, code, ...)                                                                    \
  ({                                                                                               \
    status err_code_ = (code);                                                                     \
    err_errno_text((e), err_code_, __VA_ARGS__);                                                   \
    err_code_;                                                                                     \
  })

/* Puts "context: " before the text that *e already carries and is worth its code. */
#define err_prefix(e, ...) (err_prefix_text((e), __VA_ARGS__), (e) ? (e)->code : STATUS_BUG)

const char *status_meaning(status code);
int status_exit(status code);

/* Forwards a failure to the caller. */
#define TRY(call)                                                                                  \
  do {                                                                                             \
    status try_status_ = (call);                                                                   \
    if (try_status_ != STATUS_OK) {                                                                \
      return try_status_;                                                                          \
    }                                                                                              \
  } while (0)

/* Forwards a failure with context put in front of its text. */
#define TRY_WITH(error, call, ...)                                                                 \
  do {                                                                                             \
    status try_status_ = (call);                                                                   \
    if (try_status_ != STATUS_OK) {                                                                \
      err_prefix_text((error), __VA_ARGS__);                                                       \
      return try_status_;                                                                          \
    }                                                                                              \
  } while (0)

/* On failure sets the local variable `st` and jumps to the label that frees what is held. */
#define TRY_GOTO(st, label, call)                                                                  \
  do {                                                                                             \
    (st) = (call);                                                                                 \
    if ((st) != STATUS_OK) {                                                                       \
      goto label;                                                                                  \
    }                                                                                              \
  } while (0)

#endif
