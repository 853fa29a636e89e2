/* The directory of named tensors that readers fill and everybody looks into. */
#include "checkpoint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "names.h"

enum { SHOWN_NAME = 256, NOTE_MOST = 1024 };

struct Checkpoint {
    const char *format;
    Arena arena; /* names, keys and texts */
    Entry *entries;
    size_t count, room;
    Names names; /* from an entry's name to its number */
    File **files;
    size_t file_count, file_room;
    Meta *metas;
    size_t meta_count, meta_room;
    Names keys;
    const char **notes;
    size_t note_count, note_room;
};

Status checkpoint_create(Checkpoint **out, const char *format, Err *err) {
    Checkpoint *checkpoint = mem_zeroed(1, sizeof *checkpoint, err);
    if (checkpoint == NULL)
        return STATUS_NOMEM;
    checkpoint->format = format;
    *out = checkpoint;
    return STATUS_OK;
}

void checkpoint_release(Checkpoint *checkpoint) {
    if (checkpoint == NULL)
        return;
    for (size_t i = 0; i < checkpoint->file_count; i++)
        file_release(checkpoint->files[i]);
    mem_free(checkpoint->files);
    mem_free(checkpoint->entries);
    mem_free(checkpoint->metas);
    mem_free(checkpoint->notes);
    names_release(&checkpoint->names);
    names_release(&checkpoint->keys);
    arena_release(&checkpoint->arena);
    mem_free(checkpoint);
}

void checkpoint_close(Checkpoint *checkpoint) {
    for (size_t i = 0; i < checkpoint->file_count; i++)
        file_close(checkpoint->files[i]);
}

const char *checkpoint_format(const Checkpoint *checkpoint) {
    return checkpoint->format;
}

size_t checkpoint_count(const Checkpoint *checkpoint) {
    return checkpoint->count;
}

const Entry *checkpoint_entry(const Checkpoint *checkpoint, size_t i) {
    return &checkpoint->entries[i];
}

const Entry *checkpoint_find(const Checkpoint *checkpoint, const char *name) {
    size_t i;
    return names_find(&checkpoint->names, name, &i) ? &checkpoint->entries[i]
                                                    : NULL;
}

size_t checkpoint_meta_count(const Checkpoint *checkpoint) {
    return checkpoint->meta_count;
}

const Meta *checkpoint_meta(const Checkpoint *checkpoint, size_t i) {
    return &checkpoint->metas[i];
}

const Meta *checkpoint_find_meta(const Checkpoint *checkpoint,
                                 const char *key) {
    size_t i;
    return names_find(&checkpoint->keys, key, &i) ? &checkpoint->metas[i]
                                                  : NULL;
}

size_t checkpoint_note_count(const Checkpoint *checkpoint) {
    return checkpoint->note_count;
}

const char *checkpoint_note(const Checkpoint *checkpoint, size_t i) {
    return checkpoint->notes[i];
}

/* "[2, 3]" of a shape that is in no tensor yet. */
static char *shape_text(char *out, size_t size, int axes,
                        const int64_t *shape) {
    Tensor tensor = {.axes = axes};
    memcpy(tensor.shape, shape, (size_t)axes * sizeof *shape);
    return tensor_shape_text(out, size, &tensor);
}

/* Elements of a shape. A zero takes part only at the end, so that the order
 * of the axes does not decide whether the product overflows. */
static Status count_elements(int axes, const int64_t *shape, int64_t *out,
                             Err *err) {
    int64_t product = 1;
    bool empty = false, bad = false;
    char text[256];
    for (int i = 0; i < axes; i++) {
        if (shape[i] < 0)
            return err_set(err, STATUS_FORMAT, "%s has a negative axis",
                           shape_text(text, sizeof text, axes, shape));
        if (shape[i] == 0)
            empty = true;
        else
            bad |= __builtin_mul_overflow(product, shape[i], &product);
    }
    if (bad)
        return err_set(err, STATUS_FORMAT, "%s has more than 2^63 elements",
                       shape_text(text, sizeof text, axes, shape));
    *out = empty ? 0 : product;
    return STATUS_OK;
}

Status checkpoint_bytes(Dtype dtype, int axes, const int64_t *shape,
                        uint64_t *bytes, Err *err) {
    const DtypeRow *row = dtype_row(dtype);
    char text[256];
    int64_t elements = 0;
    Status status = count_elements(axes, shape, &elements, err);
    if (status != STATUS_OK)
        return status;
    if (elements % row->block != 0)
        return err_set(
            err, STATUS_FORMAT, "%s of %s does not fill whole blocks of %d",
            shape_text(text, sizeof text, axes, shape), row->name, row->block);
    uint64_t total;
    if (__builtin_mul_overflow((uint64_t)elements / row->block,
                               (uint64_t)row->bytes, &total))
        return err_set(err, STATUS_FORMAT, "%s of %s has more than 2^64 bytes",
                       shape_text(text, sizeof text, axes, shape), row->name);
    *bytes = total;
    return STATUS_OK;
}

/* "tensor 'NAME': " before what err holds. */
static Status name_fault(const char *name, Status status, Err *err) {
    char shown[SHOWN_NAME];
    if (status != STATUS_NOMEM)
        err_prefix(err, "tensor '%s'", text_escape(shown, sizeof shown, name));
    return status;
}

/* The same name a second time, in this file or another one. */
static Status name_twice(const Entry *old, const File *file, Err *err) {
    char shown[512];
    if (old->file == file)
        return err_set(err, STATUS_FORMAT, "the name stands twice");
    return err_set(err, STATUS_FORMAT, "the name stands in %s too",
                   text_escape(shown, sizeof shown, file_path(old->file)));
}

/* Room for one more element. */
static Status make_room(void **array, size_t *room, size_t count, size_t size,
                        Err *err) {
    if (count < *room)
        return STATUS_OK;
    size_t more = *room == 0 ? 16 : *room * 2;
    void *larger = mem_resize(*array, count, more, size, err);
    if (larger == NULL)
        return STATUS_NOMEM;
    *array = larger;
    *room = more;
    return STATUS_OK;
}

Status checkpoint_reserve(Checkpoint *checkpoint, size_t n, Err *err) {
    if (n <= checkpoint->room)
        return STATUS_OK;
    Entry *larger = mem_resize(checkpoint->entries, checkpoint->count, n,
                               sizeof *larger, err);
    if (larger == NULL)
        return STATUS_NOMEM;
    checkpoint->entries = larger;
    checkpoint->room = n;
    return STATUS_OK;
}

/* Keeps the file once, however many entries it has. */
static Status keep_file(Checkpoint *checkpoint, File *file, Err *err) {
    for (size_t i = checkpoint->file_count; i-- > 0;)
        if (checkpoint->files[i] == file)
            return STATUS_OK;
    void *files = checkpoint->files;
    Status status = make_room(&files, &checkpoint->file_room,
                              checkpoint->file_count, sizeof(File *), err);
    checkpoint->files = files;
    if (status == STATUS_OK)
        checkpoint->files[checkpoint->file_count++] = file_keep(file);
    return status;
}

/* Appends a checked entry; its texts are copied. */
static Status append(Checkpoint *checkpoint, Entry entry, Err *err) {
    bool refused = entry.refusal != NULL;
    Status status = keep_file(checkpoint, entry.file, err);
    if (status != STATUS_OK)
        return status;
    void *entries = checkpoint->entries;
    status = make_room(&entries, &checkpoint->room, checkpoint->count,
                       sizeof entry, err);
    checkpoint->entries = entries;
    if (status != STATUS_OK)
        return status;
    entry.name =
        arena_text(&checkpoint->arena, entry.name, strlen(entry.name), err);
    if (entry.refusal != NULL)
        entry.refusal = arena_text(&checkpoint->arena, entry.refusal,
                                   strlen(entry.refusal), err);
    if (entry.name == NULL || (refused && entry.refusal == NULL))
        return STATUS_NOMEM;
    status = names_add(&checkpoint->names, entry.name, checkpoint->count, err);
    if (status == STATUS_OK)
        checkpoint->entries[checkpoint->count++] = entry;
    return status;
}

Status checkpoint_add_entry(Checkpoint *checkpoint, const Entry *entry,
                            Err *err) {
    Entry made = *entry;
    const Entry *old = checkpoint_find(checkpoint, entry->name);
    Status status = STATUS_OK;
    if (entry->axes > TENSOR_AXES)
        status =
            err_set(err, STATUS_UNSUPPORTED, "%d axes, at most %d are read",
                    entry->axes, TENSOR_AXES);
    else if (old != NULL)
        status = name_twice(old, entry->file, err);
    else if (entry->refusal == NULL)
        status = checkpoint_bytes(entry->dtype, entry->axes, entry->shape,
                                  &made.bytes, err);
    if (status != STATUS_OK)
        return name_fault(entry->name, status, err);
    return append(checkpoint, made, err);
}

Status checkpoint_add(Checkpoint *checkpoint, const char *name, Dtype dtype,
                      int axes, const int64_t *shape, File *file,
                      uint64_t offset, Err *err) {
    Entry entry = {.name = name,
                   .dtype = dtype,
                   .axes = axes,
                   .file = file,
                   .offset = offset};
    for (int i = 0; i < axes && i < TENSOR_AXES; i++)
        entry.shape[i] = shape[i];
    return checkpoint_add_entry(checkpoint, &entry, err);
}

/* File order: by offset, what takes no bytes first, else as they came. */
static int compare_entries(const void *a, const void *b) {
    const Entry *one = a, *other = b;
    if (one->offset != other->offset)
        return one->offset < other->offset ? -1 : 1;
    if (one->bytes != other->bytes)
        return one->bytes < other->bytes ? -1 : 1;
    return strcmp(one->name, other->name);
}

/* Numbers the names anew after their entries have moved. */
static Status renumber(Checkpoint *checkpoint, Err *err) {
    names_clear(&checkpoint->names);
    for (size_t i = 0; i < checkpoint->count; i++) {
        Status status =
            names_add(&checkpoint->names, checkpoint->entries[i].name, i, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* Moves one entry by base; its bytes must then lie in its file. */
static Status place_entry(Entry *entry, uint64_t base, Err *err) {
    uint64_t size = file_id(entry->file)->size, at, end;
    Status status = STATUS_OK;
    if (__builtin_add_overflow(entry->offset, base, &at) ||
        __builtin_add_overflow(at, entry->bytes, &end))
        status = err_set(err, STATUS_FORMAT, "ends beyond 2^64 bytes");
    else if (end > size)
        status =
            err_set(err, STATUS_FORMAT,
                    "bytes %llu to %llu, but the file ends at byte %llu "
                    "(%llu missing)",
                    (unsigned long long)at, (unsigned long long)end,
                    (unsigned long long)size, (unsigned long long)(end - size));
    if (status != STATUS_OK)
        return name_fault(entry->name, status, err);
    entry->offset = at;
    return STATUS_OK;
}

Status checkpoint_place(Checkpoint *checkpoint, size_t first, uint64_t base,
                        Err *err) {
    Entry *entries = checkpoint->entries;
    bool sorted = true;
    for (size_t i = first; i < checkpoint->count; i++) {
        Status status = place_entry(&entries[i], base, err);
        if (status != STATUS_OK)
            return status;
        if (i > first && compare_entries(&entries[i - 1], &entries[i]) > 0)
            sorted = false;
    }
    if (sorted)
        return STATUS_OK;
    qsort(entries + first, checkpoint->count - first, sizeof *entries,
          compare_entries);
    return renumber(checkpoint, err);
}

Status checkpoint_add_meta(Checkpoint *checkpoint, const Meta *meta, Err *err) {
    if (checkpoint_find_meta(checkpoint, meta->key) != NULL)
        return STATUS_OK;
    void *metas = checkpoint->metas;
    Status status = make_room(&metas, &checkpoint->meta_room,
                              checkpoint->meta_count, sizeof *meta, err);
    checkpoint->metas = metas;
    if (status != STATUS_OK)
        return status;
    Meta copy = *meta;
    Arena *arena = &checkpoint->arena;
    copy.key = arena_text(arena, meta->key, strlen(meta->key), err);
    if (meta->text != NULL)
        copy.text = arena_text(arena, meta->text, strlen(meta->text), err);
    if (copy.key == NULL || (meta->text != NULL && copy.text == NULL))
        return STATUS_NOMEM;
    status =
        names_add(&checkpoint->keys, copy.key, checkpoint->meta_count, err);
    if (status == STATUS_OK)
        checkpoint->metas[checkpoint->meta_count++] = copy;
    return status;
}

Status checkpoint_add_note(Checkpoint *checkpoint, Err *err, const char *format,
                           ...) {
    char text[NOTE_MOST];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    void *notes = checkpoint->notes;
    Status status = make_room(&notes, &checkpoint->note_room,
                              checkpoint->note_count, sizeof(char *), err);
    checkpoint->notes = notes;
    if (status != STATUS_OK)
        return status;
    char *note = arena_text(&checkpoint->arena, text, strlen(text), err);
    if (note == NULL)
        return STATUS_NOMEM;
    checkpoint->notes[checkpoint->note_count++] = note;
    return STATUS_OK;
}

/* The entry's tensor as the file has it. */
static Status stored_tensor(const Entry *entry, const int64_t *shape,
                            Tensor *out, Err *err) {
    uint64_t rows = 1, cols = 1;
    for (int i = 0; i + 1 < entry->axes; i++)
        rows *= (uint64_t)shape[i];
    if (entry->axes > 0)
        cols = (uint64_t)shape[entry->axes - 1];
    Source *source;
    Status status = source_create(&source, entry->file, entry->dtype,
                                  entry->offset, rows, cols, err);
    if (status != STATUS_OK)
        return status;
    status = tensor_from_source(out, source, entry->axes, shape, err);
    source_release(source);
    return status;
}

Status checkpoint_tensor(const Entry *entry, Tensor *out, Err *err) {
    if (entry->refusal != NULL)
        return name_fault(
            entry->name, err_set(err, STATUS_UNSUPPORTED, "%s", entry->refusal),
            err);
    if (!entry->transposed)
        return stored_tensor(entry, entry->shape, out, err);
    Tensor stored;
    int64_t shape[] = {entry->shape[1], entry->shape[0]};
    Status status = stored_tensor(entry, shape, &stored, err);
    if (status != STATUS_OK)
        return status;
    status = tensor_transpose(out, &stored, err);
    tensor_release(&stored);
    return status;
}
