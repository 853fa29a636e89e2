/* numpy's arrays as a checkpoint: one .npy, or a zip of them.
 *
 * An array's values stay where they are: a stored member of an .npz is read in
 * place. Deflated members, and arrays in big-endian order, which nothing else
 * here knows, are written to a temporary file once, when the checkpoint is
 * opened. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cancel.h"
#include "checkpoint.h"
#include "npy.h"
#include "zip.h"

enum { CHUNK = 1 << 20, SHOWN = 256 };

/* An array in a file, a whole one or a member of it. */
typedef struct Array {
    const char *name; /* of the tensor */
    File *file;
    uint64_t offset, size;
    File *temporary; /* for swapped values; made when it is first wanted */
} Array;

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), want = strlen(end);
    return n >= want && strcmp(text + n - want, end) == 0;
}

static bool npy_probe(const uint8_t *head, size_t n, const char *path) {
    return ends_with(path, ".npy") ||
           (n >= 6 && memcmp(head, "\x93NUMPY", 6) == 0);
}

/* Copies `bytes` bytes from *offset of *file, each element turned round, and
 * then points there. */
static Status swap_values(Array *array, const NpyHeader *header, File **file,
                          uint64_t *offset, Err *err) {
    Status status = STATUS_OK;
    if (array->temporary == NULL)
        status = file_temporary(&array->temporary, file_path(*file), err);
    if (status != STATUS_OK)
        return status;
    uint8_t *chunk = mem_array(CHUNK, 1, err);
    size_t width = dtype_row(header->dtype)->bytes;
    uint64_t first = file_id(array->temporary)->size;
    status = chunk == NULL ? STATUS_NOMEM : STATUS_OK;
    for (uint64_t at = 0; at < header->bytes && status == STATUS_OK;) {
        uint64_t left = header->bytes - at;
        size_t n = left < CHUNK ? (size_t)left : CHUNK;
        status = cancel_requested()
                     ? err_set(err, STATUS_CANCELLED, "interrupted")
                     : file_read(*file, *offset + at, chunk, n, err);
        if (status != STATUS_OK)
            break;
        npy_swap(chunk, width, n / width);
        status = file_append(array->temporary, chunk, n, err);
        at += n;
    }
    mem_free(chunk);
    if (status == STATUS_OK) {
        *file = array->temporary;
        *offset = first;
    }
    return status;
}

/* The header, and where the data begin; what is left behind them. */
static Status take_header(const Array *array, NpyHeader *header,
                          uint64_t *offset, uint64_t *extra, Err *err) {
    Cursor cursor;
    Status status = cursor_create_within(&cursor, array->file, array->offset,
                                         array->size, err);
    if (status != STATUS_OK)
        return status;
    status = npy_header(&cursor, header, err);
    *offset = cursor.at;
    *extra = cursor_left(&cursor) - (status == STATUS_OK ? header->bytes : 0);
    cursor_release(&cursor);
    return status;
}

static Status add_array(Checkpoint *checkpoint, Array *array, Err *err) {
    NpyHeader header;
    Entry entry = {.name = array->name, .file = array->file};
    char shown[SHOWN];
    uint64_t extra;
    Status status = take_header(array, &header, &entry.offset, &extra, err);
    if (status == STATUS_OK && header.swapped)
        status = swap_values(array, &header, &entry.file, &entry.offset, err);
    if (status != STATUS_OK)
        return status;
    entry.dtype = header.dtype;
    entry.axes = header.axes;
    entry.bytes = header.bytes;
    memcpy(entry.shape, header.shape, sizeof entry.shape);
    entry.transposed = header.fortran && header.axes == 2;
    if (header.fortran && header.axes > 2)
        entry.refusal = "Fortran order of more than 2 axes, which is read of "
                        "matrices only";
    size_t i = checkpoint_count(checkpoint);
    status = checkpoint_add_entry(checkpoint, &entry, err);
    if (status == STATUS_OK)
        status = checkpoint_place(checkpoint, i, 0, err);
    if (status == STATUS_OK && extra > 0)
        status = checkpoint_add_note(
            checkpoint, err, "'%s': %" PRIu64 " bytes after the data",
            text_escape(shown, sizeof shown, array->name), extra);
    return status;
}

/* The tensor's name: what is in front of ".npy". Creates. */
static char *stem(const char *name, Err *err) {
    size_t n = strlen(name) - (ends_with(name, ".npy") ? 4 : 0);
    return mem_text(name, n, err);
}

static Status npy_open(Checkpoint *checkpoint, File *file, Err *err) {
    const char *path = file_path(file), *slash = strrchr(path, '/');
    char *name = stem(slash == NULL ? path : slash + 1, err);
    if (name == NULL)
        return STATUS_NOMEM;
    Array array = {.name = name, .file = file, .size = file_id(file)->size};
    Status status = add_array(checkpoint, &array, err);
    file_release(array.temporary);
    mem_free(name);
    return status;
}

const Format FORMAT_NPY = {"npy", npy_probe, npy_open};

/* A zip is numpy's where its first member is an array. */
static bool npz_probe(const uint8_t *head, size_t n, const char *path) {
    if (ends_with(path, ".npz"))
        return true;
    if (n < 30 || memcmp(head, "PK\3\4", 4) != 0)
        return false;
    size_t length = head[26] + 256U * head[27];
    return length >= 4 && length <= n - 30 &&
           memcmp(head + 30 + length - 4, ".npy", 4) == 0;
}

/* One member: an array, or a note on why it is none. */
static Status add_member(Checkpoint *checkpoint, File *file,
                         const ZipMember *member, File **inflated,
                         File **swapped, Err *err) {
    char shown[SHOWN];
    Err why;
    text_escape(shown, sizeof shown, member->name);
    if (!ends_with(member->name, ".npy"))
        return checkpoint_add_note(
            checkpoint, err, "member '%s' is not read: it is no .npy", shown);
    Array array = {.size = member->size, .temporary = *swapped};
    Status status =
        zip_place(member, file, inflated, &array.file, &array.offset, err);
    if (status != STATUS_OK)
        return status;
    char *name = stem(member->name, err);
    if (name == NULL)
        return STATUS_NOMEM;
    array.name = name;
    status = add_array(checkpoint, &array, &why);
    *swapped = array.temporary;
    mem_free(name);
    if (status == STATUS_UNSUPPORTED)
        return checkpoint_add_note(
            checkpoint, err, "member '%s' is not read: %s", shown, why.message);
    if (status == STATUS_FORMAT)
        err_prefix(&why, "member '%s'", shown);
    if (status != STATUS_OK)
        (void)err_set(err, status, "%s", why.message);
    return status;
}

static Status npz_open(Checkpoint *checkpoint, File *file, Err *err) {
    Zip zip;
    File *inflated = NULL, *swapped = NULL;
    Status status = zip_read(&zip, file, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < zip.count && status == STATUS_OK; i++)
        status = add_member(checkpoint, file, &zip.members[i], &inflated,
                            &swapped, err);
    file_release(inflated);
    file_release(swapped);
    zip_release(&zip);
    return status;
}

const Format FORMAT_NPZ = {"npz", npz_probe, npz_open};
