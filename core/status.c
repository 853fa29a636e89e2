/* Errors are values: a status and one sentence. */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

Status err_set(Err *err, Status status, const char *format, ...) {
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        err->status = status;
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
    }
    return status;
}

void err_prefix(Err *err, const char *format, ...) {
    if (err == NULL)
        return;
    char old[sizeof err->message];
    memcpy(old, err->message, sizeof old);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n;
    if (used + 3 > sizeof err->message)
        return;
    memcpy(err->message + used, ": ", 3);
    size_t room = sizeof err->message - used - 3;
    size_t keep = strlen(old) < room ? strlen(old) : room;
    memcpy(err->message + used + 2, old, keep);
    err->message[used + 2 + keep] = '\0';
}

const char *status_word(Status status) {
    static const char *const WORDS[] = {
        [STATUS_OK] = "ok",
        [STATUS_NOMEM] = "memory",
        [STATUS_IO] = "io",
        [STATUS_FORMAT] = "format",
        [STATUS_ARGUMENT] = "argument",
        [STATUS_UNSUPPORTED] = "unsupported",
        [STATUS_NONFINITE] = "non-finite",
        [STATUS_NUMERIC] = "numeric",
        [STATUS_CANCELLED] = "cancelled",
        [STATUS_CLOSED] = "closed",
    };
    return WORDS[status];
}

/* Length of the valid UTF-8 sequence at s, or 0 where there is none. */
static size_t utf8_length(const unsigned char *s) {
    static const unsigned long LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = *s < 0x80 ? 1 : *s >= 0xF0 ? 4 : *s >= 0xE0 ? 3 : 2;
    if ((*s >= 0x80 && *s < 0xC2) || *s > 0xF4)
        return 0;
    unsigned long code = n == 1 ? *s : *s & (0x7FU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3FU);
    }
    int surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code < LEAST[n] || code > 0x10FFFF || surrogate ? 0 : n;
}

char *text_escape(char *out, unsigned long size, const char *text) {
    const unsigned char *s = (const unsigned char *)text;
    unsigned long used = 0;
    while (*s != '\0') {
        size_t n = utf8_length(s);
        /* C0, DEL and C1 (U+0080..U+009F) move a terminal's cursor */
        int control = *s < 0x20 || *s == 0x7F || (*s == 0xC2 && s[1] < 0xA0);
        size_t need = n == 0 || control ? 4 : n;
        if (used + need + 1 > size)
            break;
        if (need == n) {
            memcpy(out + used, s, n);
            s += n;
        } else {
            snprintf(out + used, 5, "\\x%02X", *s);
            s += 1;
        }
        used += need;
    }
    out[used] = '\0';
    return out;
}
