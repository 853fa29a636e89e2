/* Status codes and the message that goes with them.
 *
 * A function that can fail returns Status and takes `Err *err` last; err may
 * be NULL. On failure the function's out-parameters are untouched and err
 * holds one lower-case sentence: the thing, what was found, what was expected.
 * The core never prints, exits or aborts on input. */
#ifndef WEFT_STATUS_H
#define WEFT_STATUS_H

#define CHECKED __attribute__((warn_unused_result))

typedef enum Status {
    STATUS_OK = 0,
    STATUS_NOMEM,       /* an allocation failed */
    STATUS_IO,          /* the system could not read, write or open */
    STATUS_FORMAT,      /* a file's bytes break its format's rules */
    STATUS_ARGUMENT,    /* a caller's value is out of its domain */
    STATUS_UNSUPPORTED, /* well formed, but nothing weft can compute on */
    STATUS_NONFINITE,   /* a NaN or an infinity among the values */
    STATUS_NUMERIC,     /* a LAPACK iteration did not converge */
    STATUS_CANCELLED,   /* Ctrl-C */
    STATUS_CLOSED       /* the object was closed before */
} Status;

typedef struct Err {
    Status status;
    char message[1024];
} Err;

/* Formats the message into err (when it is not NULL); returns `status`, so
 * that a failing branch reads `return err_set(err, STATUS_IO, "...")`. */
Status err_set(Err *err, Status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "format: " before the message that err already holds. */
void err_prefix(Err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The status as the short word that Lua gets as its third result: "io",
 * "format", "memory", … Borrowed, static. */
const char *status_word(Status status);

/* Copies at most size-1 bytes of `text` with control bytes and invalid UTF-8
 * shown as \xNN: file names and tensor names are foreign text. Returns out. */
char *text_escape(char *out, unsigned long size, const char *text);

#endif
