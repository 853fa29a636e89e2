/* GGUF, versions 2 and 3: metadata, tensor infos, padding, data.
 *
 *     "GGUF" | u32 version | u64 tensors | u64 keys
 *     keys:    string key | u32 type | value
 *     tensors: string name | u32 axes | u64 size of each, fastest first |
 *              u32 type | u64 offset from the data's first byte
 *     padding to general.alignment (32) | data, each tensor padded likewise
 *
 * A string is a u64 length and its bytes. Everything is little-endian. The
 * rules are ggml's own reader's; offsets must be the running sum of the padded
 * sizes. Lengths are held against what is left of the file before anything is
 * allocated, and token lists are stepped over through the cursor's buffer. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "cursor.h"
#include "gguf.h"
#include "mem.h"
#include "names.h"

enum {
    KEY_BYTES_LEAST = 8 + 1 + 4 + 1, /* length, text, type, value */
    TENSOR_BYTES_LEAST = 8 + 4 + 4 + 8,
    KEYS_MOST = 1 << 20,
    KEY_MOST = 65535,
    NAME_MOST = 63,
    TEXT_MOST = 64 << 20, /* of a string that is kept */
    STRING_MOST = 1 << 30,
    ARRAY_MOST = 1 << 30,
    AXES_MOST = 4,
    ALIGNMENT = 32,
    ALIGNMENT_MOST = 1 << 20,
    SHOWN_NAME = 256
};

/* The types of values, by their number in the file. */
enum {
    VALUE_U8,
    VALUE_I8,
    VALUE_U16,
    VALUE_I16,
    VALUE_U32,
    VALUE_I32,
    VALUE_F32,
    VALUE_BOOL,
    VALUE_STRING,
    VALUE_ARRAY,
    VALUE_U64,
    VALUE_I64,
    VALUE_F64,
    VALUE_COUNT
};
static const struct {
    const char *name;
    uint8_t bytes; /* 0: none of its own */
} VALUES[VALUE_COUNT] = {
    [VALUE_U8] = {"u8", 1},         [VALUE_I8] = {"i8", 1},
    [VALUE_U16] = {"u16", 2},       [VALUE_I16] = {"i16", 2},
    [VALUE_U32] = {"u32", 4},       [VALUE_I32] = {"i32", 4},
    [VALUE_F32] = {"f32", 4},       [VALUE_BOOL] = {"bool", 1},
    [VALUE_STRING] = {"string", 0}, [VALUE_ARRAY] = {"array", 0},
    [VALUE_U64] = {"u64", 8},       [VALUE_I64] = {"i64", 8},
    [VALUE_F64] = {"f64", 8},
};

/* A string of the file, in memory that the next one uses again. */
typedef struct Text {
    char *bytes; /* NUL-terminated */
    size_t room;
} Text;

typedef struct Reader {
    Checkpoint *checkpoint;
    Cursor cursor;
    Text name, value;
    uint64_t tensors, keys;
    uint64_t alignment;
    uint64_t sum; /* of the padded sizes of the tensors so far */
    Names seen;   /* this file's keys: another part has its own */
    Arena texts;  /* of them */
    GgufSplit split;
} Reader;

static bool gguf_probe(const uint8_t *head, size_t n, const char *path) {
    size_t length = strlen(path);
    if (length >= 5 && strcmp(path + length - 5, ".gguf") == 0)
        return true;
    return n >= 4 && memcmp(head, "GGUF", 4) == 0;
}

/* A length-prefixed string of at most `most` bytes, without a NUL. */
static Status take_string(Reader *reader, Text *text, uint64_t most,
                          const char *what, Err *err) {
    uint64_t n, at = reader->cursor.at;
    Status status = cursor_u64(&reader->cursor, &n, what, err);
    if (status == STATUS_OK && n > most)
        status = err_set(err, STATUS_FORMAT,
                         "%s at byte %" PRIu64 " has %" PRIu64
                         " bytes, expected at most %" PRIu64,
                         what, at, n, most);
    if (status == STATUS_OK)
        status = cursor_want(&reader->cursor, n, what, err);
    if (status != STATUS_OK)
        return status;
    if (n >= text->room) {
        char *larger = mem_array((size_t)n + 1, 1, err);
        if (larger == NULL)
            return STATUS_NOMEM;
        mem_free(text->bytes);
        *text = (Text){larger, (size_t)n + 1};
    }
    status = cursor_bytes(&reader->cursor, text->bytes, n, what, err);
    if (status != STATUS_OK)
        return status;
    text->bytes[n] = '\0';
    if (strlen(text->bytes) != n)
        return err_set(err, STATUS_FORMAT, "%s at byte %" PRIu64 " has a NUL",
                       what, at);
    return STATUS_OK;
}

/* A type number that there is. */
static Status take_type(Reader *reader, const char *what, uint32_t *out,
                        Err *err) {
    uint32_t type;
    Status status = cursor_u32(&reader->cursor, &type, what, err);
    if (status != STATUS_OK)
        return status;
    if (type >= VALUE_COUNT)
        return err_set(err, STATUS_FORMAT,
                       "%s at byte %" PRIu64 " is %" PRIu32
                       ", expected 0 to %d",
                       what, reader->cursor.at - 4, type, VALUE_COUNT - 1);
    *out = type;
    return STATUS_OK;
}

/* Steps over n strings. */
static Status skip_strings(Reader *reader, uint64_t n, Err *err) {
    Status status = STATUS_OK;
    for (uint64_t i = 0; i < n && status == STATUS_OK; i++) {
        uint64_t length;
        status = cursor_u64(&reader->cursor, &length, "an array's string", err);
        if (status == STATUS_OK && length > STRING_MOST)
            status = err_set(err, STATUS_FORMAT,
                             "an array's string at byte %" PRIu64
                             " has %" PRIu64 " bytes, expected at most %d",
                             reader->cursor.at - 8, length, STRING_MOST);
        if (status == STATUS_OK)
            status =
                cursor_skip(&reader->cursor, length, "an array's string", err);
    }
    return status;
}

/* Steps over an array; its type and length are what is kept. */
static Status take_array(Reader *reader, Meta *meta, Err *err) {
    uint32_t type;
    uint64_t n;
    Status status = take_type(reader, "the elements' type", &type, err);
    if (status == STATUS_OK)
        status = cursor_u64(&reader->cursor, &n, "the array's length", err);
    if (status != STATUS_OK)
        return status;
    if (type == VALUE_ARRAY)
        return err_set(err, STATUS_FORMAT, "an array of arrays");
    if (n > ARRAY_MOST)
        return err_set(err, STATUS_FORMAT,
                       "an array of %" PRIu64 " elements, expected at most %d",
                       n, ARRAY_MOST);
    uint64_t least = type == VALUE_STRING ? 8 : VALUES[type].bytes;
    status = cursor_want(&reader->cursor, n * least, "the array", err);
    if (status == STATUS_OK)
        status = type == VALUE_STRING ? skip_strings(reader, n, err)
                                      : cursor_skip(&reader->cursor, n * least,
                                                    "the array", err);
    meta->kind = META_ARRAY;
    meta->integer = (int64_t)n;
    meta->text = VALUES[type].name;
    return status;
}

/* The bits of a float or double as a number. */
static double float_value(uint64_t bits, uint32_t type) {
    float single;
    double value;
    uint32_t low = (uint32_t)bits;
    memcpy(&single, &low, sizeof single);
    memcpy(&value, &bits, sizeof value);
    return type == VALUE_F32 ? (double)single : value;
}

/* The value of n bytes in two's complement. */
static int64_t signed_value(uint64_t bits, size_t n) {
    uint64_t sign = (uint64_t)1 << (8 * n - 1);
    return (int64_t)((bits ^ sign) - sign);
}

/* A number or truth value of a fixed width. */
static Status take_scalar(Reader *reader, uint32_t type, Meta *meta, Err *err) {
    uint8_t bytes[8];
    size_t n = VALUES[type].bytes;
    Status status = cursor_bytes(&reader->cursor, bytes, n, "the value", err);
    if (status != STATUS_OK)
        return status;
    uint64_t bits = little_endian(bytes, n);
    meta->kind = META_INTEGER;
    if (type == VALUE_F32 || type == VALUE_F64) {
        meta->kind = META_NUMBER;
        meta->number = float_value(bits, type);
    } else if (type == VALUE_U64 && bits > INT64_MAX) {
        meta->kind = META_NUMBER; /* an int64 does not hold it */
        meta->number = (double)bits;
    } else {
        bool has_sign = type == VALUE_I8 || type == VALUE_I16 ||
                        type == VALUE_I32 || type == VALUE_I64;
        meta->integer = has_sign ? signed_value(bits, n) : (int64_t)bits;
        meta->number = (double)meta->integer;
    }
    if (type == VALUE_BOOL)
        meta->kind = META_BOOL;
    if (type == VALUE_BOOL && bits > 1)
        return err_set(err, STATUS_FORMAT,
                       "the bool at byte %" PRIu64 " is %" PRIu64
                       ", expected 0 or 1",
                       reader->cursor.at - 1, bits);
    return STATUS_OK;
}

/* general.alignment, which the rest of the file is laid out by. */
static Status take_alignment(Reader *reader, uint32_t type, const Meta *meta,
                             Err *err) {
    if (type != VALUE_U32)
        return err_set(err, STATUS_FORMAT, "the type is %s, expected u32",
                       VALUES[type].name);
    uint64_t value = (uint64_t)meta->integer;
    if (value == 0 || (value & (value - 1)) != 0 || value > ALIGNMENT_MOST)
        return err_set(err, STATUS_FORMAT,
                       "%" PRIu64 ", expected a power of two up to %d", value,
                       ALIGNMENT_MOST);
    reader->alignment = value;
    return STATUS_OK;
}

/* Each key stands once in a file. */
static Status remember_key(Reader *reader, const char *key, Err *err) {
    size_t old;
    if (names_find(&reader->seen, key, &old))
        return err_set(err, STATUS_FORMAT, "the key stands twice");
    const char *copy = arena_text(&reader->texts, key, strlen(key), err);
    return copy == NULL ? STATUS_NOMEM : names_add(&reader->seen, copy, 0, err);
}

/* The keys that a part has of its own: the checkpoint keeps the first's. */
static void note_split(GgufSplit *split, const Meta *meta) {
    if (meta->kind != META_INTEGER)
        return;
    if (strcmp(meta->key, "split.no") == 0)
        split->number = meta->integer;
    else if (strcmp(meta->key, "split.count") == 0)
        split->count = meta->integer;
    else if (strcmp(meta->key, "split.tensors.count") == 0)
        split->tensors = meta->integer;
}

/* A key's type and value. */
static Status take_value(Reader *reader, Err *err) {
    Meta meta = {.key = reader->name.bytes};
    uint32_t type = 0;
    Status status = remember_key(reader, meta.key, err);
    if (status == STATUS_OK)
        status = take_type(reader, "the type", &type, err);
    if (status != STATUS_OK)
        return status;
    if (type == VALUE_STRING) {
        meta.kind = META_TEXT;
        status =
            take_string(reader, &reader->value, TEXT_MOST, "the string", err);
        meta.text = reader->value.bytes;
    } else if (type == VALUE_ARRAY) {
        status = take_array(reader, &meta, err);
    } else {
        status = take_scalar(reader, type, &meta, err);
    }
    if (status == STATUS_OK && strcmp(meta.key, "general.alignment") == 0)
        status = take_alignment(reader, type, &meta, err);
    if (status == STATUS_OK)
        note_split(&reader->split, &meta);
    if (status == STATUS_OK)
        status = checkpoint_add_meta(reader->checkpoint, &meta, err);
    return status;
}

/* "WHAT 'NAME': " before a message that does not begin with the path. */
static Status blame(const char *what, const char *name, Status status,
                    Err *err) {
    char shown[SHOWN_NAME];
    if (status == STATUS_FORMAT || status == STATUS_UNSUPPORTED)
        err_prefix(err, "%s '%s'", what,
                   text_escape(shown, sizeof shown, name));
    return status;
}

static Status take_key(Reader *reader, uint64_t i, Err *err) {
    uint64_t at = reader->cursor.at;
    char what[64];
    snprintf(what, sizeof what, "the name of key %" PRIu64, i);
    Status status = take_string(reader, &reader->name, KEY_MOST, what, err);
    if (status != STATUS_OK)
        return status;
    if (reader->name.bytes[0] == '\0')
        return err_set(err, STATUS_FORMAT, "%s at byte %" PRIu64 " is empty",
                       what, at);
    return blame("key", reader->name.bytes, take_value(reader, err), err);
}

/* Names become text on terminals and parts of file names. */
static Status check_name(const char *name, Err *err) {
    for (const char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            return err_set(err, STATUS_FORMAT,
                           "the name has a control character");
    if (strstr(name, "..") != NULL)
        return err_set(err, STATUS_FORMAT, "the name has '..' in it");
    return STATUS_OK;
}

/* The sizes of the axes, slowest first. */
static Status take_shape(Reader *reader, int *axes, int64_t *shape, Err *err) {
    uint32_t n;
    uint64_t size;
    Status status = cursor_u32(&reader->cursor, &n, "the axes", err);
    if (status != STATUS_OK)
        return status;
    if (n > AXES_MOST)
        return err_set(err, STATUS_FORMAT,
                       "%" PRIu32 " axes, expected at most %d", n, AXES_MOST);
    for (uint32_t i = 0; i < n; i++) {
        status = cursor_u64(&reader->cursor, &size, "an axis", err);
        if (status != STATUS_OK)
            return status;
        if (size > INT64_MAX)
            return err_set(err, STATUS_FORMAT,
                           "axis %" PRIu32 " at byte %" PRIu64 " is %" PRId64
                           ", expected 0 or more",
                           i, reader->cursor.at - 8, (int64_t)size);
        shape[n - 1 - i] = (int64_t)size;
    }
    *axes = (int)n;
    return STATUS_OK;
}

/* A type that there is, whose blocks divide a row. */
static Status take_dtype(Reader *reader, int axes, const int64_t *shape,
                         Dtype *out, Err *err) {
    uint32_t number;
    Status status = cursor_u32(&reader->cursor, &number, "the type", err);
    if (status != STATUS_OK)
        return status;
    if (!dtype_from_ggml(number, out))
        return err_set(err, STATUS_FORMAT,
                       "type %" PRIu32 " at byte %" PRIu64
                       " is none that ggml has",
                       number, reader->cursor.at - 4);
    const DtypeRow *row = dtype_row(*out);
    int64_t cols = axes > 0 ? shape[axes - 1] : 1;
    if (cols % row->block != 0)
        return err_set(err, STATUS_FORMAT,
                       "rows of %" PRId64 " elements, %s needs a multiple of "
                       "%d",
                       cols, row->name, row->block);
    return STATUS_OK;
}

/* value rounded up to the alignment; false where that overflows. */
static bool pad(const Reader *reader, uint64_t value, uint64_t *out) {
    uint64_t more;
    if (__builtin_add_overflow(value, reader->alignment - 1, &more))
        return false;
    *out = more & ~(reader->alignment - 1);
    return true;
}

/* A tensor lies where the padded sizes of those before it add up to. */
static Status take_offset(Reader *reader, uint64_t bytes, uint64_t *out,
                          Err *err) {
    uint64_t offset, padded, sum;
    Status status = cursor_u64(&reader->cursor, &offset, "the offset", err);
    if (status != STATUS_OK)
        return status;
    if (offset != reader->sum)
        return err_set(err, STATUS_FORMAT,
                       "offset %" PRIu64 " at byte %" PRIu64
                       ", expected %" PRIu64,
                       offset, reader->cursor.at - 8, reader->sum);
    if (!pad(reader, bytes, &padded) ||
        __builtin_add_overflow(reader->sum, padded, &sum))
        return err_set(err, STATUS_FORMAT,
                       "%" PRIu64 " bytes at offset %" PRIu64
                       ", which adds up to more than 2^64",
                       bytes, offset);
    reader->sum = sum;
    *out = offset;
    return STATUS_OK;
}

/* What follows a tensor's name. */
static Status take_info(Reader *reader, Err *err) {
    int axes = 0;
    int64_t shape[AXES_MOST];
    Dtype dtype = DTYPE_F32;
    uint64_t bytes = 0, offset = 0;
    Status status = check_name(reader->name.bytes, err);
    if (status == STATUS_OK)
        status = take_shape(reader, &axes, shape, err);
    if (status == STATUS_OK)
        status = take_dtype(reader, axes, shape, &dtype, err);
    if (status == STATUS_OK)
        status = checkpoint_bytes(dtype, axes, shape, &bytes, err);
    if (status == STATUS_OK)
        status = take_offset(reader, bytes, &offset, err);
    if (status != STATUS_OK)
        return blame("tensor", reader->name.bytes, status, err);
    return checkpoint_add(reader->checkpoint, reader->name.bytes, dtype, axes,
                          shape, reader->cursor.file, offset, err);
}

static Status take_tensor(Reader *reader, uint64_t i, Err *err) {
    char what[64];
    snprintf(what, sizeof what, "the name of tensor %" PRIu64, i);
    Status status = take_string(reader, &reader->name, NAME_MOST, what, err);
    return status == STATUS_OK ? take_info(reader, err) : status;
}

/* A count that the rest of the file could hold. */
static Status take_count(Reader *reader, const char *what, uint64_t least,
                         uint64_t *out, Err *err) {
    uint64_t n;
    Status status = cursor_u64(&reader->cursor, &n, what, err);
    if (status != STATUS_OK)
        return status;
    if (n > cursor_left(&reader->cursor) / least)
        return err_set(err, STATUS_FORMAT,
                       "%s at byte %" PRIu64 " is %" PRId64 ", the %" PRIu64
                       " bytes left hold at most %" PRIu64,
                       what, reader->cursor.at - 8, (int64_t)n,
                       cursor_left(&reader->cursor),
                       cursor_left(&reader->cursor) / least);
    *out = n;
    return STATUS_OK;
}

/* Magic and version. */
static Status take_magic(Reader *reader, Err *err) {
    char magic[5] = {0}, shown[32];
    uint32_t version;
    Status status = cursor_bytes(&reader->cursor, magic, 4, "the magic", err);
    if (status != STATUS_OK)
        return status;
    if (memcmp(magic, "GGUF", 4) != 0)
        return err_set(err, STATUS_FORMAT, "begins with '%s', expected 'GGUF'",
                       text_escape(shown, sizeof shown, magic));
    status = cursor_u32(&reader->cursor, &version, "the version", err);
    if (status != STATUS_OK)
        return status;
    if (version != 0 && (version & 0xFFFF) == 0)
        return err_set(err, STATUS_FORMAT,
                       "version 0x%08" PRIX32
                       " has the byte order of a big-endian machine",
                       version);
    if (version != 2 && version != 3)
        return err_set(err, STATUS_FORMAT,
                       "version %" PRIu32 ", expected 2 or 3", version);
    return STATUS_OK;
}

/* Everything before the keys. */
static Status take_start(Reader *reader, Err *err) {
    Status status = take_magic(reader, err);
    if (status == STATUS_OK)
        status = take_count(reader, "the number of tensors", TENSOR_BYTES_LEAST,
                            &reader->tensors, err);
    if (status == STATUS_OK)
        status = take_count(reader, "the number of keys", KEY_BYTES_LEAST,
                            &reader->keys, err);
    if (status == STATUS_OK && reader->keys > KEYS_MOST)
        status =
            err_set(err, STATUS_FORMAT, "%" PRIu64 " keys, expected at most %d",
                    reader->keys, KEYS_MOST);
    return status;
}

/* What is odd about a file that could be read. */
static Status add_notes(Reader *reader, uint64_t end, Err *err) {
    uint64_t size = reader->cursor.end;
    if (size <= end)
        return STATUS_OK;
    return checkpoint_add_note(reader->checkpoint, err,
                               "%" PRIu64 " bytes after the last tensor, "
                               "which ends at byte %" PRIu64,
                               size - end, end);
}

/* Puts the tensors behind the infos, and looks at what is left over. */
static Status place(Reader *reader, size_t first, Err *err) {
    uint64_t data = 0, end;
    if (reader->tensors == 0)
        return add_notes(reader, reader->cursor.at, err);
    bool over = !pad(reader, reader->cursor.at, &data);
    over |= __builtin_add_overflow(data, reader->sum, &end);
    if (over)
        return err_set(err, STATUS_FORMAT,
                       "tensors that add up to more than 2^64 bytes");
    Status status = checkpoint_place(reader->checkpoint, first, data, err);
    return status == STATUS_OK ? add_notes(reader, end, err) : status;
}

static Status read_all(Reader *reader, Err *err) {
    size_t first = checkpoint_count(reader->checkpoint);
    Status status = take_start(reader, err);
    for (uint64_t i = 0; i < reader->keys && status == STATUS_OK; i++)
        status = take_key(reader, i, err);
    for (uint64_t i = 0; i < reader->tensors && status == STATUS_OK; i++)
        status = take_tensor(reader, i, err);
    return status == STATUS_OK ? place(reader, first, err) : status;
}

Status gguf_read_part(Checkpoint *checkpoint, File *file, GgufSplit *split,
                      Err *err) {
    Reader reader = {.checkpoint = checkpoint, .alignment = ALIGNMENT};
    Status status = cursor_create(&reader.cursor, file, err);
    if (status != STATUS_OK)
        return status;
    status = read_all(&reader, err);
    mem_free(reader.name.bytes);
    mem_free(reader.value.bytes);
    names_release(&reader.seen);
    arena_release(&reader.texts);
    cursor_release(&reader.cursor);
    if (status == STATUS_OK)
        *split = reader.split;
    return status;
}

static Status gguf_read(Checkpoint *checkpoint, File *file, Err *err) {
    GgufSplit split = {0};
    Status status = gguf_read_part(checkpoint, file, &split, err);
    if (status == STATUS_OK && split.count > 1)
        status = checkpoint_add_note(checkpoint, err,
                                     "one of %" PRId64 " parts of a model: "
                                     "the other parts' tensors are not here",
                                     split.count);
    return status;
}

const Format FORMAT_GGUF = {"gguf", gguf_probe, gguf_read};
