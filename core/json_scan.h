/* The gate in front of cJSON: RFC 8259 in one pass, nothing built. */
#ifndef WEFT_JSON_SCAN_H
#define WEFT_JSON_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

enum { JSON_DEPTH = 128 };

typedef struct JsonScan {
    const unsigned char *text;
    size_t n, at;    /* at: the next byte */
    uint64_t offset; /* of text[0], as messages count */
    Err *err;
} JsonScan;

/* Steps over white space. */
void scan_space(JsonScan *scan);
/* The next byte, or -1 at the end. */
int scan_peek(const JsonScan *scan);
/* Steps over one byte, which must be `c`; `what` is what the message says was
 * expected. */
CHECKED Status scan_byte(JsonScan *scan, char c, const char *what);
/* Steps over a string, quotes included. */
CHECKED Status scan_string(JsonScan *scan, const char *what);
/* Steps over white space and one whole value. */
CHECKED Status scan_value(JsonScan *scan);
/* Steps over white space, which must reach the end. */
CHECKED Status scan_end(JsonScan *scan);

#endif
