/* A strict JSON scanner: it only says where a value ends, or what is wrong. */
#include "json_scan.h"

#include <stdbool.h>
#include <string.h>

/* cJSON reads a number through 63 bytes of a buffer. */
enum { NUMBER_MOST = 63 };

/* "byte N: found X, expected Y" at the next byte. */
static Status unexpected(const JsonScan *scan, const char *what) {
    unsigned long long at = scan->offset + scan->at;
    if (scan->at == scan->n)
        return err_set(scan->err, STATUS_FORMAT,
                       "byte %llu: the text ends, expected %s", at, what);
    unsigned char c = scan->text[scan->at];
    return err_set(scan->err, STATUS_FORMAT,
                   c > ' ' && c < 0x7F
                       ? "byte %llu: found '%c', expected %s"
                       : "byte %llu: found \\x%02X, expected %s",
                   at, c, what);
}

/* "byte N: <sentence>" at the next byte. */
static Status refused(const JsonScan *scan, const char *sentence) {
    return err_set(scan->err, STATUS_FORMAT, "byte %llu: %s",
                   (unsigned long long)(scan->offset + scan->at), sentence);
}

int scan_peek(const JsonScan *scan) {
    return scan->at < scan->n ? scan->text[scan->at] : -1;
}

void scan_space(JsonScan *scan) {
    int c = scan_peek(scan);
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        scan->at++;
        c = scan_peek(scan);
    }
}

Status scan_byte(JsonScan *scan, char c, const char *what) {
    if (scan_peek(scan) != c)
        return unexpected(scan, what);
    scan->at++;
    return STATUS_OK;
}

Status scan_end(JsonScan *scan) {
    scan_space(scan);
    return scan->at == scan->n ? STATUS_OK
                               : unexpected(scan, "the end of the text");
}

/* Length of the UTF-8 sequence at s, of which n bytes are there; 0: invalid.
 * Table 3-7 of the Unicode standard: the second byte's range depends on the
 * first (no overlong form, no surrogate, nothing beyond U+10FFFF). */
static size_t sequence_length(const unsigned char *s, size_t n) {
    size_t length = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
    if (s[0] < 0xC2 || s[0] > 0xF4 || length > n)
        return 0;
    unsigned char low = s[0] == 0xE0 ? 0xA0 : s[0] == 0xF0 ? 0x90 : 0x80;
    unsigned char high = s[0] == 0xED ? 0x9F : s[0] == 0xF4 ? 0x8F : 0xBF;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

/* The value of four hexadecimal digits at the next byte; -1: they are none. */
static long hex4(const JsonScan *scan) {
    long code = 0;
    if (scan->n - scan->at < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        unsigned char c = scan->text[scan->at + i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        code = code * 16 + digit;
    }
    return code;
}

/* Steps over XXXX of a \uXXXX, with its second half where it has one. */
static Status scan_unicode(JsonScan *scan) {
    long code = hex4(scan);
    if (code < 0)
        return refused(scan, "\\u without four hexadecimal digits");
    if (code == 0)
        return refused(scan, "\\u0000, a NUL, in a string");
    if (code < 0xD800 || code > 0xDFFF) {
        scan->at += 4;
        return STATUS_OK;
    }
    JsonScan second = *scan;
    second.at += 6;
    bool pair = code < 0xDC00 && scan->n - scan->at >= 10 &&
                memcmp(scan->text + scan->at + 4, "\\u", 2) == 0;
    long low = pair ? hex4(&second) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return refused(scan, "half of a surrogate pair in a string");
    scan->at += 10;
    return STATUS_OK;
}

/* Steps over an escape; the next byte is its backslash. */
static Status scan_escape(JsonScan *scan) {
    scan->at++;
    int c = scan_peek(scan);
    if (c <= 0 || strchr("\"\\/bfnrtu", c) == NULL)
        return unexpected(scan, "one of \"\\/bfnrtu after a backslash");
    scan->at++;
    return c == 'u' ? scan_unicode(scan) : STATUS_OK;
}

Status scan_string(JsonScan *scan, const char *what) {
    Status status = scan_byte(scan, '"', what);
    while (status == STATUS_OK) {
        int c = scan_peek(scan);
        if (c == '"') {
            scan->at++;
            return STATUS_OK;
        }
        if (c == '\\') {
            status = scan_escape(scan);
        } else if (c < 0) {
            status = unexpected(scan, "a closing quote");
        } else if (c < 0x20) {
            status = refused(scan, "a raw control character in a string");
        } else if (c < 0x80) {
            scan->at++;
        } else {
            size_t n =
                sequence_length(scan->text + scan->at, scan->n - scan->at);
            scan->at += n;
            if (n == 0)
                status = refused(scan, "a string that is not valid UTF-8");
        }
    }
    return status;
}

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

static Status scan_digits(JsonScan *scan) {
    if (!is_digit(scan_peek(scan)))
        return unexpected(scan, "a digit");
    while (is_digit(scan_peek(scan)))
        scan->at++;
    return STATUS_OK;
}

/* -? (0 | 1-9 digits) (. digits)? ([eE] [+-]? digits)? */
static Status scan_number(JsonScan *scan) {
    size_t start = scan->at;
    if (scan_peek(scan) == '-')
        scan->at++;
    if (scan_peek(scan) == '0') {
        scan->at++;
        if (is_digit(scan_peek(scan)))
            return refused(scan, "a number with a leading zero");
    } else if (scan_digits(scan) != STATUS_OK) {
        return STATUS_FORMAT;
    }
    if (scan_peek(scan) == '.') {
        scan->at++;
        if (scan_digits(scan) != STATUS_OK)
            return STATUS_FORMAT;
    }
    if (scan_peek(scan) == 'e' || scan_peek(scan) == 'E') {
        scan->at++;
        if (scan_peek(scan) == '+' || scan_peek(scan) == '-')
            scan->at++;
        if (scan_digits(scan) != STATUS_OK)
            return STATUS_FORMAT;
    }
    if (scan->at - start <= NUMBER_MOST)
        return STATUS_OK;
    scan->at = start;
    return refused(scan, "a number of more than 63 characters");
}

/* Steps over a value that is no array and no object. */
static Status scan_scalar(JsonScan *scan) {
    static const char *const WORDS[] = {"true", "false", "null"};
    int c = scan_peek(scan);
    if (c == '"')
        return scan_string(scan, "a string");
    if (c == '-' || is_digit(c))
        return scan_number(scan);
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        size_t n = strlen(WORDS[i]);
        if (scan->n - scan->at >= n &&
            memcmp(scan->text + scan->at, WORDS[i], n) == 0) {
            scan->at += n;
            return STATUS_OK;
        }
    }
    return unexpected(scan, "a value");
}

/* Steps over a key, its colon and the space around them. */
static Status scan_key(JsonScan *scan) {
    scan_space(scan);
    Status status = scan_string(scan, "a key in quotes");
    if (status != STATUS_OK)
        return status;
    scan_space(scan);
    return scan_byte(scan, ':', "':'");
}

/* After a value: closes what ends here, and steps to the next value, if any.
 * close[depth-1] is the closing bracket that is awaited. */
static Status scan_after(JsonScan *scan, const char *close, int *depth) {
    while (*depth > 0) {
        scan_space(scan);
        int c = scan_peek(scan);
        char awaited = close[*depth - 1];
        if (c == ',') {
            scan->at++;
            return awaited == '}' ? scan_key(scan) : STATUS_OK;
        }
        if (c != awaited)
            return unexpected(scan,
                              awaited == '}' ? "',' or '}'" : "',' or ']'");
        scan->at++;
        *depth -= 1;
    }
    return STATUS_OK;
}

/* Opens an array or object; *empty where it is closed at once. */
static Status scan_open(JsonScan *scan, char *close, int *depth, bool *empty) {
    if (*depth == JSON_DEPTH)
        return refused(scan, "arrays and objects nested deeper than 128");
    char awaited = scan_peek(scan) == '{' ? '}' : ']';
    scan->at++;
    close[(*depth)++] = awaited;
    scan_space(scan);
    *empty = scan_peek(scan) == awaited;
    return *empty || awaited == ']' ? STATUS_OK : scan_key(scan);
}

Status scan_value(JsonScan *scan) {
    char close[JSON_DEPTH];
    int depth = 0;
    Status status = STATUS_OK;
    do {
        scan_space(scan);
        int c = scan_peek(scan);
        bool whole = true;
        if (c == '{' || c == '[')
            status = scan_open(scan, close, &depth, &whole);
        else
            status = scan_scalar(scan);
        if (status == STATUS_OK && whole)
            status = scan_after(scan, close, &depth);
    } while (status == STATUS_OK && depth > 0);
    return status;
}
