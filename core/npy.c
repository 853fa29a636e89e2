/* .npy: a scanner for the three keys of its header, and values. */
#include "npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cancel.h"
#include "system.h"

enum {
    MAGIC_BYTES = 6,
    HEADER_MOST = 10000, /* numpy's own limit */
    HEADER_ROOM = 512,   /* of one that is written: 8 axes of 20 digits */
    ALIGN = 64,
    GROWTH_DIGITS = 21, /* numpy leaves room for the first axis to grow */
    CHUNK = 1 << 20,    /* bytes read and converted at a time */
    WORD = 64,          /* of a text in the header, with its NUL */
    SHOWN = 700         /* of the path in a message */
};

static const char MAGIC[] = "\x93NUMPY";

/* ---- what is read as what ---- */

typedef struct Kind {
    const char *name; /* in a descr, behind the byte order */
    Dtype stored, held;
    uint8_t bytes;
} Kind;

static const Kind KINDS[] = {
    {"f2", DTYPE_F16, DTYPE_F32, 2}, {"f4", DTYPE_F32, DTYPE_F32, 4},
    {"f8", DTYPE_F64, DTYPE_F64, 8}, {"i1", DTYPE_I8, DTYPE_I64, 1},
    {"i2", DTYPE_I16, DTYPE_I64, 2}, {"i4", DTYPE_I32, DTYPE_I64, 4},
    {"i8", DTYPE_I64, DTYPE_I64, 8}, {"u1", DTYPE_U8, DTYPE_I64, 1},
    {"u2", DTYPE_U16, DTYPE_I64, 2}, {"u4", DTYPE_U32, DTYPE_I64, 4},
    {"u8", DTYPE_U64, DTYPE_I64, 8}, {"b1", DTYPE_BOOL, DTYPE_I64, 1},
};

typedef struct Header {
    const Kind *kind;
    bool swapped, fortran;
    int axes;
    int64_t shape[TENSOR_AXES];
    uint64_t count;
} Header;

static Status find_kind(const char *descr, Header *out, Err *err) {
    char order = descr[0];
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        const Kind *kind = &KINDS[i];
        if (order == '\0' || strcmp(descr + 1, kind->name) != 0 ||
            strchr(kind->bytes == 1 ? "<>|" : "<>", order) == NULL)
            continue;
        out->kind = kind;
        out->swapped = order == '>' && kind->bytes > 1;
        return STATUS_OK;
    }
    char shown[4 * WORD];
    return err_set(err, STATUS_UNSUPPORTED,
                   "descr '%s', expected f2, f4, f8, i1 to i8, u1 to u8 with "
                   "their byte order, or '|b1'",
                   text_escape(shown, sizeof shown, descr));
}

/* ---- the header's text ---- */

/* The text yet to be scanned; `base` is the place of its first byte. */
typedef struct Scan {
    const char *text;
    size_t at, n;
    uint64_t base;
} Scan;

static int peek(Scan *scan) {
    while (scan->at < scan->n && strchr(" \t\r\n", scan->text[scan->at]) &&
           scan->text[scan->at] != '\0')
        scan->at++;
    return scan->at < scan->n ? (unsigned char)scan->text[scan->at] : -1;
}

static Status refuse(Scan *scan, const char *expected, Err *err) {
    int c = peek(scan);
    char found[2] = {(char)c, '\0'}, shown[8] = "\\x00";
    if (c > 0)
        text_escape(shown, sizeof shown, found);
    if (c < 0)
        return err_set(err, STATUS_FORMAT,
                       "the header ends at byte %" PRIu64 ", expected %s",
                       scan->base + scan->n, expected);
    return err_set(err, STATUS_FORMAT,
                   "the header has '%s' at byte %" PRIu64 ", expected %s",
                   shown, scan->base + scan->at, expected);
}

/* Whether the next character is c; then it is taken. */
static bool taken(Scan *scan, char c) {
    bool is = peek(scan) == c;
    scan->at += is;
    return is;
}

static Status take(Scan *scan, char c, const char *expected, Err *err) {
    return taken(scan, c) ? STATUS_OK : refuse(scan, expected, err);
}

/* A text in either kind of quotes, without escapes, into out (WORD). */
static Status take_text(Scan *scan, char *out, const char *expected, Err *err) {
    int quote = peek(scan);
    if (quote != '\'' && quote != '"')
        return refuse(scan, expected, err);
    size_t first = ++scan->at;
    while (scan->at < scan->n && scan->text[scan->at] != quote &&
           strchr("\\\n", scan->text[scan->at]) == NULL)
        scan->at++;
    size_t n = scan->at - first;
    if (scan->at == scan->n || scan->text[scan->at] != quote)
        return refuse(scan, "the text's end", err);
    scan->at++;
    if (n >= WORD)
        return err_set(err, STATUS_FORMAT,
                       "the header has a text of %zu bytes at byte %" PRIu64
                       ", expected at most %d",
                       n, scan->base + first, WORD - 1);
    memcpy(out, scan->text + first, n);
    out[n] = '\0';
    return STATUS_OK;
}

static bool taken_word(Scan *scan, const char *word) {
    size_t n = strlen(word);
    (void)peek(scan);
    bool is =
        scan->n - scan->at >= n && memcmp(scan->text + scan->at, word, n) == 0;
    scan->at += is ? n : 0;
    return is;
}

static Status take_descr(Scan *scan, Header *out, Err *err) {
    char descr[WORD];
    int next = peek(scan);
    if (next == '[' || next == '(')
        return err_set(err, STATUS_UNSUPPORTED,
                       "descr is structured, expected one number format");
    Status status = take_text(scan, descr, "descr's text", err);
    return status == STATUS_OK ? find_kind(descr, out, err) : status;
}

static Status take_order(Scan *scan, Header *out, Err *err) {
    out->fortran = taken_word(scan, "True");
    if (!out->fortran && !taken_word(scan, "False"))
        return refuse(scan, "True or False", err);
    return STATUS_OK;
}

/* A decimal without a leading zero; Python 2 wrote an L behind it. */
static Status take_size(Scan *scan, int64_t *out, Err *err) {
    int64_t size = 0;
    int c = peek(scan);
    if (c < '0' || c > '9')
        return refuse(scan, "a size", err);
    bool zero = c == '0';
    while (scan->at < scan->n && scan->text[scan->at] >= '0' &&
           scan->text[scan->at] <= '9') {
        if (__builtin_mul_overflow(size, 10, &size) ||
            __builtin_add_overflow(size, scan->text[scan->at] - '0', &size))
            return err_set(err, STATUS_FORMAT, "a size of 2^63 or more");
        scan->at++;
        if (zero && size > 0)
            return err_set(err, STATUS_FORMAT, "a size with a leading zero");
    }
    if (scan->at < scan->n && scan->text[scan->at] == 'L')
        scan->at++;
    *out = size;
    return STATUS_OK;
}

static Status take_shape(Scan *scan, Header *out, Err *err) {
    Status status = take(scan, '(', "shape's '('", err);
    bool comma = true;
    out->axes = 0;
    while (status == STATUS_OK && comma && !taken(scan, ')')) {
        int64_t size = 0;
        status = take_size(scan, &size, err);
        if (status == STATUS_OK && out->axes == TENSOR_AXES)
            status = err_set(err, STATUS_UNSUPPORTED,
                             "shape has more than %d axes", TENSOR_AXES);
        if (status != STATUS_OK)
            return status;
        out->shape[out->axes++] = size;
        comma = taken(scan, ',');
        if (!comma && out->axes == 1)
            return refuse(scan, "the ',' of a tuple", err);
        if (!comma)
            status = take(scan, ')', "',' or ')'", err);
    }
    return status;
}

typedef struct Key {
    const char *name;
    Status (*take)(Scan *scan, Header *out, Err *err);
} Key;

static const Key KEYS[] = {
    {"descr", take_descr},
    {"fortran_order", take_order},
    {"shape", take_shape},
};

enum { KEY_COUNT = sizeof KEYS / sizeof *KEYS };

static Status take_item(Scan *scan, Header *out, bool *seen, Err *err) {
    char name[WORD], shown[4 * WORD];
    int i = 0;
    Status status = take_text(scan, name, "a key or '}'", err);
    if (status != STATUS_OK)
        return status;
    while (i < KEY_COUNT && strcmp(KEYS[i].name, name) != 0)
        i++;
    if (i == KEY_COUNT)
        return err_set(err, STATUS_FORMAT,
                       "the header has the key '%s', expected descr, "
                       "fortran_order and shape",
                       text_escape(shown, sizeof shown, name));
    if (seen[i])
        return err_set(err, STATUS_FORMAT, "the header has the key '%s' twice",
                       name);
    seen[i] = true;
    status = take(scan, ':', "':'", err);
    return status == STATUS_OK ? KEYS[i].take(scan, out, err) : status;
}

static Status scan_header(Scan *scan, Header *out, Err *err) {
    bool seen[KEY_COUNT] = {false};
    Status status = take(scan, '{', "'{'", err);
    bool comma = true;
    while (status == STATUS_OK && comma && peek(scan) != '}') {
        status = take_item(scan, out, seen, err);
        comma = status == STATUS_OK && taken(scan, ',');
    }
    if (status == STATUS_OK)
        status = take(scan, '}', "',' or '}'", err);
    if (status == STATUS_OK && peek(scan) >= 0)
        status = refuse(scan, "nothing behind '}'", err);
    for (int i = 0; i < KEY_COUNT && status == STATUS_OK; i++) {
        if (!seen[i])
            status = err_set(err, STATUS_FORMAT,
                             "the header lacks the key '%s'", KEYS[i].name);
    }
    return status;
}

/* ---- the file ---- */

/* What the header's length takes: by the version. */
static Status take_version(Cursor *cursor, size_t *bytes, Err *err) {
    uint8_t magic[MAGIC_BYTES], version[2] = {0, 0};
    Status status = cursor_bytes(cursor, magic, sizeof magic, "magic", err);
    if (status == STATUS_OK && memcmp(magic, MAGIC, sizeof magic) != 0)
        return err_set(err, STATUS_FORMAT,
                       "no .npy: its first bytes are not '\\x93NUMPY'");
    if (status == STATUS_OK)
        status = cursor_bytes(cursor, version, 2, "version", err);
    if (status == STATUS_OK &&
        (version[0] < 1 || version[0] > 3 || version[1] != 0))
        status = err_set(err, STATUS_FORMAT,
                         "version %d.%d, expected 1.0, 2.0 or 3.0", version[0],
                         version[1]);
    *bytes = version[0] == 1 ? 2 : 4;
    return status;
}

static Status take_header(Cursor *cursor, char *text, Header *out, Err *err) {
    uint8_t bytes[4];
    size_t width = 0;
    Status status = take_version(cursor, &width, err);
    if (status == STATUS_OK)
        status = cursor_bytes(cursor, bytes, width, "header length", err);
    if (status != STATUS_OK)
        return status;
    size_t n = (size_t)little_endian(bytes, width);
    if (n > HEADER_MOST)
        return err_set(err, STATUS_FORMAT,
                       "a header of %zu bytes, expected at most %d", n,
                       HEADER_MOST);
    Scan scan = {text, 0, n, cursor->at - cursor->origin};
    status = cursor_bytes(cursor, text, n, "header", err);
    return status == STATUS_OK ? scan_header(&scan, out, err) : status;
}

/* That the file holds as many values as the shape has. */
static Status check_data(const Cursor *cursor, Header *header, Err *err) {
    Tensor named = {.axes = header->axes};
    uint64_t count = 1, bytes;
    bool over = false, empty = false;
    for (int i = 0; i < header->axes; i++) {
        int64_t size = named.shape[i] = header->shape[i];
        empty = empty || size == 0;
        over = over || (size > 0 &&
                        __builtin_mul_overflow(count, (uint64_t)size, &count));
    }
    over = over || __builtin_mul_overflow(count, header->kind->bytes, &bytes);
    header->count = empty ? 0 : count;
    char shape[256];
    tensor_shape_text(shape, sizeof shape, &named);
    if (over)
        return err_set(err, STATUS_FORMAT,
                       "%s of %s has more bytes than 64 bits count", shape,
                       header->kind->name);
    if (!empty && bytes > cursor_left(cursor))
        return err_set(err, STATUS_FORMAT,
                       "%" PRIu64 " bytes of data, %s of %s needs %" PRIu64,
                       cursor_left(cursor), shape, header->kind->name, bytes);
    return STATUS_OK;
}

Status npy_header(Cursor *cursor, NpyHeader *out, Err *err) {
    Header header = {0};
    char *text = mem_array(HEADER_MOST, 1, err);
    Status status =
        text == NULL ? STATUS_NOMEM : take_header(cursor, text, &header, err);
    mem_free(text);
    if (status == STATUS_OK)
        status = check_data(cursor, &header, err);
    if (status != STATUS_OK)
        return status;
    *out = (NpyHeader){.dtype = header.kind->stored,
                       .swapped = header.swapped,
                       .fortran = header.fortran,
                       .axes = header.axes,
                       .bytes = header.count * header.kind->bytes};
    memcpy(out->shape, header.shape, sizeof out->shape);
    return STATUS_OK;
}

/* ---- values ---- */

void npy_swap(uint8_t *bytes, size_t width, size_t n) {
    for (size_t i = 0; i < n; i++, bytes += width) {
        for (size_t k = 0; k < width / 2; k++) {
            uint8_t held = bytes[k];
            bytes[k] = bytes[width - 1 - k];
            bytes[width - 1 - k] = held;
        }
    }
}

/* Integers of `kind`, little-endian; at most one does not fit. */
static Status widen_integers(const Kind *kind, const uint8_t *raw, size_t n,
                             int64_t *out, Err *err) {
    int unused = 64 - 8 * kind->bytes;
    bool is_signed = kind->name[0] == 'i';
    for (size_t i = 0; i < n; i++) {
        uint64_t value = little_endian(raw + i * kind->bytes, kind->bytes);
        if (kind->stored == DTYPE_BOOL)
            value = value != 0;
        if (!is_signed && value > INT64_MAX)
            return err_set(
                err, STATUS_UNSUPPORTED,
                "a u8 element is %" PRIu64 ", expected less than 2^63", value);
        out[i] =
            is_signed ? (int64_t)(value << unused) >> unused : (int64_t)value;
    }
    return STATUS_OK;
}

/* n values from raw to element `at` of out. */
static Status convert(const Header *header, uint8_t *raw, size_t n, Tensor *out,
                      uint64_t at, Err *err) {
    const Kind *kind = header->kind;
    size_t width = kind->held == DTYPE_F32 ? 4 : 8;
    uint8_t *to = (uint8_t *)tensor_data(out) + at * width;
    if (header->swapped)
        npy_swap(raw, kind->bytes, n);
    if (kind->stored == kind->held)
        memcpy(to, raw, n * width);
    else if (kind->held == DTYPE_F32)
        return dtype_decode_float(kind->stored, raw, n, (float *)(void *)to,
                                  err);
    else
        return widen_integers(kind, raw, n, (int64_t *)(void *)to, err);
    return STATUS_OK;
}

static Status read_values(Cursor *cursor, const Header *header, Tensor *out,
                          Err *err) {
    uint8_t *raw = mem_array(CHUNK, 1, err);
    size_t most = CHUNK / header->kind->bytes;
    Status status = raw == NULL ? STATUS_NOMEM : STATUS_OK;
    for (uint64_t at = 0; at < header->count && status == STATUS_OK;) {
        uint64_t left = header->count - at;
        size_t n = left < most ? (size_t)left : most;
        status =
            cursor_bytes(cursor, raw, n * header->kind->bytes, "data", err);
        if (status == STATUS_OK)
            status = convert(header, raw, n, out, at, err);
        if (status == STATUS_OK && cancel_requested())
            status = err_set(err, STATUS_CANCELLED, "interrupted");
        at += n;
    }
    mem_free(raw);
    return status;
}

static void reverse_axes(int64_t *sizes, int axes) {
    for (int i = 0; i < axes / 2; i++) {
        int64_t held = sizes[i];
        sizes[i] = sizes[axes - 1 - i];
        sizes[axes - 1 - i] = held;
    }
}

static Status read_array(Tensor *out, Cursor *cursor, char *text, Err *err) {
    Header header = {0};
    Tensor made = {0};
    Status status = take_header(cursor, text, &header, err);
    if (status == STATUS_OK)
        status = check_data(cursor, &header, err);
    /* Fortran order is the row-major order of the axes reversed */
    if (status == STATUS_OK && header.fortran)
        reverse_axes(header.shape, header.axes);
    if (status == STATUS_OK)
        status = tensor_create(&made, header.kind->held, header.axes,
                               header.shape, err);
    if (status == STATUS_OK)
        status = read_values(cursor, &header, &made, err);
    if (status != STATUS_OK) {
        tensor_release(&made);
        return status;
    }
    if (header.fortran) {
        reverse_axes(made.shape, made.axes);
        reverse_axes(made.stride, made.axes);
    }
    *out = made;
    return STATUS_OK;
}

Status npy_read(Tensor *out, const char *path, uint64_t *extra, Err *err) {
    File *file = NULL;
    Cursor cursor = {0};
    char shown[SHOWN];
    Status status = file_open(&file, path, err);
    if (status != STATUS_OK)
        return status;
    char *text = mem_array(HEADER_MOST, 1, err);
    status = text == NULL ? STATUS_NOMEM : cursor_create(&cursor, file, err);
    if (status == STATUS_OK)
        status = read_array(out, &cursor, text, err);
    if (status == STATUS_OK)
        *extra = cursor_left(&cursor);
    if (status == STATUS_FORMAT || status == STATUS_UNSUPPORTED ||
        status == STATUS_ARGUMENT)
        err_prefix(err, "%s", text_escape(shown, sizeof shown, path));
    cursor_release(&cursor);
    mem_free(text);
    file_release(file);
    return status;
}

/* ---- writing ---- */

/* The header as numpy writes it, all of it; returns its bytes. */
static size_t make_header(char *out, const Tensor *tensor) {
    static const char *const DESCR[] = {
        [DTYPE_F64] = "<f8", [DTYPE_F32] = "<f4", [DTYPE_I64] = "<i8"};
    char *end = out + MAGIC_BYTES + 4, *stop = out + HEADER_ROOM, first[32];
    end += snprintf(end, (size_t)(stop - end),
                    "{'descr': '%s', 'fortran_order': False, 'shape': (",
                    DESCR[tensor->dtype]);
    for (int i = 0; i < tensor->axes; i++)
        end += snprintf(end, (size_t)(stop - end), "%s%" PRId64 "%s",
                        i > 0 ? ", " : "", tensor->shape[i],
                        tensor->axes == 1 ? "," : "");
    end += snprintf(end, (size_t)(stop - end), "), }");
    int digits = snprintf(first, sizeof first, "%" PRId64, tensor->shape[0]);
    size_t spare = tensor->axes > 0 ? (size_t)(GROWTH_DIGITS - digits) : 0;
    size_t n = (size_t)(end - out) + spare + 1;
    n += (ALIGN - n % ALIGN) % ALIGN;
    memset(end, ' ', n - (size_t)(end - out));
    out[n - 1] = '\n';
    size_t text = n - MAGIC_BYTES - 4;
    memcpy(out, MAGIC, MAGIC_BYTES);
    memcpy(out + MAGIC_BYTES,
           (char[]){1, 0, (char)(text & 0xFF), (char)(text >> 8)}, 4);
    return n;
}

Status npy_write(const char *path, const Tensor *tensor, Err *err) {
    Tensor dense;
    char header[HEADER_ROOM];
    Status status = STATUS_OK;
    if (tensor_contiguous(tensor))
        tensor_view(&dense, tensor);
    else
        status = tensor_copy(
            &dense, tensor,
            tensor_in_memory(tensor) ? tensor->dtype : DTYPE_F64, err);
    if (status != STATUS_OK)
        return status;
    SystemPiece pieces[] = {
        {header, make_header(header, &dense)},
        {tensor_data(&dense), (size_t)tensor_bytes(&dense)},
    };
    status = system_write_pieces(path, pieces, 2, err);
    tensor_release(&dense);
    return status;
}
