/* safetensors: a length, a JSON header, and the tensors' bytes without holes.
 *
 *     u64 n | { "name": { "dtype": "F32", "shape": [2, 3],
 *               "data_offsets": [begin, end] }, … } | data
 *
 * Offsets count from the first byte of data. Every byte of it belongs to
 * exactly one tensor; nothing is aligned. The rules are the Rust reader's,
 * tightened where two readers could see different tensors. */
#include <stdio.h>
#include <string.h>

#include "checkpoint.h"
#include "cursor.h"
#include "json.h"

enum {
    LENGTH_BYTES = 8,
    HEADER_MOST = 100000000,
    ENTRY_TREE_MOST = 16 << 20, /* bytes of one tensor's JSON as a tree */
    SHOWN_NAME = 256
};

#define AXIS_MOST ((uint64_t)1 << 48)
#define OFFSET_MOST ((uint64_t)1 << 53)

/* What a header says of one tensor. */
typedef struct Header {
    Dtype dtype;
    int axes;
    int64_t shape[TENSOR_AXES];
    uint64_t begin, end;
} Header;

static bool safetensors_probe(const uint8_t *head, size_t n, const char *path) {
    static const char EXTENSION[] = ".safetensors";
    size_t length = strlen(path), want = sizeof EXTENSION - 1;
    if (length >= want && strcmp(path + length - want, EXTENSION) == 0)
        return true;
    return n > LENGTH_BYTES &&
           little_endian(head, LENGTH_BYTES) <= HEADER_MOST &&
           strchr("{ \t\r\n", head[LENGTH_BYTES]) != NULL &&
           head[LENGTH_BYTES] != '\0';
}

/* The dtype, by the exact names of the format. */
static Status take_dtype(const Json *entry, Dtype *out, Err *err) {
    const char *name;
    Status status = json_get_text(entry, "dtype", &name, err);
    if (status != STATUS_OK)
        return status;
    char shown[64];
    if (!dtype_from_safetensors(name, out))
        return err_set(err, STATUS_FORMAT,
                       "dtype '%s' is none that safetensors has",
                       text_escape(shown, sizeof shown, name));
    return STATUS_OK;
}

static Status take_shape(const Json *entry, Header *out, Err *err) {
    const Json *shape;
    Status status = json_get(entry, "shape", JSON_ARRAY, &shape, err);
    if (status != STATUS_OK)
        return status;
    size_t axes = json_size(shape);
    if (axes > TENSOR_AXES)
        return err_set(err, STATUS_UNSUPPORTED, "%zu axes, at most %d are read",
                       axes, TENSOR_AXES);
    out->axes = (int)axes;
    const Json *axis = json_child(shape);
    for (int i = 0; i < out->axes; i++, axis = json_next(axis)) {
        char what[32];
        uint64_t value;
        snprintf(what, sizeof what, "shape[%d]", i);
        status = json_u64(axis, what, AXIS_MOST, &value, err);
        if (status != STATUS_OK)
            return status;
        out->shape[i] = (int64_t)value;
    }
    return STATUS_OK;
}

static Status take_offsets(const Json *entry, Header *out, Err *err) {
    const Json *pair;
    Status status = json_get(entry, "data_offsets", JSON_ARRAY, &pair, err);
    if (status != STATUS_OK)
        return status;
    if (json_size(pair) != 2)
        return err_set(err, STATUS_FORMAT,
                       "data_offsets has %zu values, expected 2",
                       json_size(pair));
    const Json *begin = json_child(pair);
    status = json_u64(begin, "data_offsets[0]", OFFSET_MOST, &out->begin, err);
    if (status == STATUS_OK)
        status = json_u64(json_next(begin), "data_offsets[1]", OFFSET_MOST,
                          &out->end, err);
    if (status == STATUS_OK && out->end < out->begin)
        status = err_set(err, STATUS_FORMAT,
                         "data_offsets end at %llu before they begin at %llu",
                         (unsigned long long)out->end,
                         (unsigned long long)out->begin);
    return status;
}

/* One tensor's JSON; the members that the format does not know are free. */
static Status take_header(const JsonSpan *value, Header *out, Err *err) {
    JsonTree tree;
    Status status =
        json_parse(value->text, value->n, ENTRY_TREE_MOST, &tree, err);
    if (status != STATUS_OK)
        return status;
    status = take_dtype(tree.root, &out->dtype, err);
    if (status == STATUS_OK)
        status = take_shape(tree.root, out, err);
    if (status == STATUS_OK)
        status = take_offsets(tree.root, out, err);
    json_release(&tree);
    return status;
}

/* The bytes between the offsets are what shape and dtype ask for. */
static Status check_size(const Header *header, Err *err) {
    uint64_t need;
    Status status = checkpoint_bytes(header->dtype, header->axes, header->shape,
                                     &need, err);
    if (status != STATUS_OK || header->end - header->begin == need)
        return status;
    Tensor tensor = {.axes = header->axes};
    memcpy(tensor.shape, header->shape, sizeof tensor.shape);
    char shape[256];
    return err_set(err, STATUS_FORMAT,
                   "%llu bytes in the file, %s of %s needs "
                   "%llu",
                   (unsigned long long)(header->end - header->begin),
                   tensor_shape_text(shape, sizeof shape, &tensor),
                   dtype_row(header->dtype)->name, (unsigned long long)need);
}

static Status add_tensor(Checkpoint *checkpoint, File *file, const char *name,
                         const JsonSpan *value, Err *err) {
    Header header = {0};
    char shown[SHOWN_NAME], at[48] = "";
    Status status = take_header(value, &header, err);
    if (status != STATUS_OK)
        snprintf(at, sizeof at, " (at byte %llu)",
                 (unsigned long long)value->offset);
    else
        status = check_size(&header, err);
    if (status == STATUS_OK)
        return checkpoint_add(checkpoint, name, header.dtype, header.axes,
                              header.shape, file, header.begin, err);
    if (status != STATUS_NOMEM)
        err_prefix(err, "tensor '%s'%s", text_escape(shown, sizeof shown, name),
                   at);
    return status;
}

/* __metadata__: null, or an object of strings. */
static Status add_metadata(Checkpoint *checkpoint, const JsonSpan *value,
                           Err *err) {
    JsonTree tree;
    Status status =
        json_parse(value->text, value->n, JSON_TREE_MOST, &tree, err);
    if (status != STATUS_OK)
        return status;
    char found[96], shown[SHOWN_NAME];
    JsonKind kind = json_kind(tree.root);
    if (kind != JSON_OBJECT && kind != JSON_NULL)
        status = err_set(err, STATUS_FORMAT, "%s, expected an object",
                         json_describe(found, sizeof found, tree.root));
    for (const Json *node = json_child(tree.root);
         node != NULL && status == STATUS_OK; node = json_next(node)) {
        Meta meta = {
            .key = json_key(node), .kind = META_TEXT, .text = json_text(node)};
        if (meta.text != NULL)
            status = checkpoint_add_meta(checkpoint, &meta, err);
        else
            status =
                err_set(err, STATUS_FORMAT, "'%s' is %s, expected a string",
                        text_escape(shown, sizeof shown, meta.key),
                        json_describe(found, sizeof found, node));
    }
    json_release(&tree);
    return status;
}

/* One member of the header: a tensor, or the metadata, once. */
static Status add_member(Checkpoint *checkpoint, File *file,
                         const JsonSpan *key, const JsonSpan *value,
                         bool *metadata, Err *err) {
    JsonTree name;
    Status status = json_parse(key->text, key->n, ENTRY_TREE_MOST, &name, err);
    if (status != STATUS_OK)
        return status;
    const char *text = json_text(name.root);
    if (strcmp(text, "__metadata__") != 0) {
        status = add_tensor(checkpoint, file, text, value, err);
    } else {
        status = *metadata ? err_set(err, STATUS_FORMAT, "the key stands twice")
                           : add_metadata(checkpoint, value, err);
        if (status != STATUS_OK && status != STATUS_NOMEM)
            err_prefix(err, "__metadata__ (at byte %llu)",
                       (unsigned long long)value->offset);
        *metadata = true;
    }
    json_release(&name);
    return status;
}

static Status add_members(Checkpoint *checkpoint, File *file, const char *text,
                          size_t n, Err *err) {
    JsonSplit split;
    Status status = json_split(&split, text, n, LENGTH_BYTES, err);
    if (status != STATUS_OK)
        err_prefix(err, "header");
    bool more = true, metadata = false;
    while (status == STATUS_OK) {
        JsonSpan key, value;
        status = json_split_next(&split, &more, &key, &value, err);
        if (status != STATUS_OK)
            err_prefix(err, "header");
        else if (!more)
            return STATUS_OK;
        else
            status = add_member(checkpoint, file, &key, &value, &metadata, err);
    }
    return status;
}

/* In file order each tensor begins where the one before ended: no byte is
 * read twice, and none is left for somebody else's format to hide in. */
static Status check_tiling(const Checkpoint *checkpoint, size_t first,
                           uint64_t data, uint64_t size, Err *err) {
    uint64_t end = data;
    size_t count = checkpoint_count(checkpoint);
    char shown[SHOWN_NAME];
    for (size_t i = first; i < count; i++) {
        const Entry *entry = checkpoint_entry(checkpoint, i);
        if (entry->offset != end)
            return err_set(err, STATUS_FORMAT,
                           i == first ? "tensor '%s': begins at byte %llu of "
                                        "the data, expected %llu"
                                      : "tensor '%s': begins at byte %llu of "
                                        "the data, the tensor before it ends "
                                        "at %llu",
                           text_escape(shown, sizeof shown, entry->name),
                           (unsigned long long)(entry->offset - data),
                           (unsigned long long)(end - data));
        end += entry->bytes;
    }
    if (end != size)
        return err_set(err, STATUS_FORMAT,
                       "%llu bytes after the %s, which ends at byte %llu, "
                       "expected none",
                       (unsigned long long)(size - end),
                       count > first ? "last tensor" : "header",
                       (unsigned long long)end);
    return STATUS_OK;
}

/* The header's length, seen to fit the file. */
static Status take_length(File *file, uint64_t *out, Err *err) {
    uint8_t bytes[LENGTH_BYTES];
    uint64_t size = file_id(file)->size;
    if (size < LENGTH_BYTES)
        return err_set(err, STATUS_FORMAT,
                       "%llu bytes, a safetensors file has at least 8",
                       (unsigned long long)size);
    Status status = file_read(file, 0, bytes, sizeof bytes, err);
    if (status != STATUS_OK)
        return status;
    uint64_t n = little_endian(bytes, sizeof bytes);
    if (n > HEADER_MOST)
        return err_set(err, STATUS_FORMAT,
                       "a header of %llu bytes, expected at most %d",
                       (unsigned long long)n, HEADER_MOST);
    if (n > size - LENGTH_BYTES)
        return err_set(err, STATUS_FORMAT,
                       "a header of %llu bytes, %llu are left in the file",
                       (unsigned long long)n,
                       (unsigned long long)(size - LENGTH_BYTES));
    *out = n;
    return STATUS_OK;
}

static Status safetensors_read(Checkpoint *checkpoint, File *file, Err *err) {
    uint64_t n = 0;
    Status status = take_length(file, &n, err);
    if (status != STATUS_OK)
        return status;
    char *text = mem_array((size_t)n + 1, 1, err);
    if (text == NULL)
        return STATUS_NOMEM;
    size_t first = checkpoint_count(checkpoint);
    uint64_t data = LENGTH_BYTES + n;
    text[n] = '\0';
    status = file_read(file, LENGTH_BYTES, text, n, err);
    if (status == STATUS_OK)
        status = add_members(checkpoint, file, text, (size_t)n, err);
    mem_free(text);
    if (status == STATUS_OK)
        status = checkpoint_place(checkpoint, first, data, err);
    if (status == STATUS_OK)
        status =
            check_tiling(checkpoint, first, data, file_id(file)->size, err);
    return status;
}

const Format FORMAT_SAFETENSORS = {"safetensors", safetensors_probe,
                                   safetensors_read};
