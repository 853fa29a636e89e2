/* PyTorch's zip checkpoints: a pickle that names storages, and their bytes.
 *
 *     NAME/data.pkl      what torch.save was given
 *     NAME/byteorder     "little" or "big"; older ones have none
 *     NAME/data/0, …     one member a storage
 *
 * Tensors lie in the members in place. What is no tensor (an epoch, an
 * optimiser's numbers) is nothing to list. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checkpoint.h"
#include "pickle.h"
#include "zip.h"

enum {
    NAME_ROOM = 1024, /* of a tensor's path, with its NUL */
    LEVELS_MOST = 16,
    VISITS_MOST = 1 << 22,
    SHOWN = 256,
    TAR_SIGN = 257 /* where a tar header says "ustar" */
};

#define PICKLE "data.pkl"

/* The number that torch's files before the zip form begin with, as a pickle
 * of its own: 0x1950a86a20f9469cfc6c. */
static const uint8_t OLD_SIGN[] = {0x80, 2,    0x8A, 10,   0x6C, 0xFC, 0x9C,
                                   0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19};

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), want = strlen(end);
    return n >= want && strcmp(text + n - want, end) == 0;
}

static bool is_old(const uint8_t *head, size_t n) {
    return n >= sizeof OLD_SIGN && memcmp(head, OLD_SIGN, sizeof OLD_SIGN) == 0;
}

static bool is_tar(const uint8_t *head, size_t n) {
    return n >= TAR_SIGN + 5 && memcmp(head + TAR_SIGN, "ustar", 5) == 0;
}

/* A zip is torch's where its first member is the pickle. */
static bool pytorch_probe(const uint8_t *head, size_t n, const char *path) {
    static const char *const ENDS[] = {".bin", ".pt", ".pth", ".ckpt"};
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++)
        if (ends_with(path, ENDS[i]))
            return true;
    if (is_old(head, n) || (is_tar(head, n) && path[0] == '\0'))
        return true;
    const size_t want = sizeof PICKLE - 1;
    if (n < 30 || memcmp(head, "PK\3\4", 4) != 0)
        return false;
    size_t length = head[26] + 256U * head[27];
    return length >= want && length <= n - 30 &&
           memcmp(head + 30 + length - want, PICKLE, want) == 0;
}

/* The forms before the zip, each by its first bytes. */
static Status refuse_old(File *file, Err *err) {
    uint8_t head[TAR_SIGN + 5];
    uint64_t size = file_id(file)->size,
             n = size < sizeof head ? size : sizeof head;
    Status status = file_read(file, 0, head, n, err);
    if (status != STATUS_OK)
        return status;
    if (is_old(head, (size_t)n))
        return err_set(err, STATUS_UNSUPPORTED,
                       "written as torch before 1.6 did, expected its zip "
                       "form: convert it with torch.save(torch.load(FILE, "
                       "weights_only=True), NEW)");
    if (is_tar(head, (size_t)n))
        return err_set(err, STATUS_UNSUPPORTED,
                       "a tar archive, as torch before 0.1.10 wrote, expected "
                       "its zip form: where you trust it, convert it with "
                       "torch.save(torch.load(FILE, weights_only=False), NEW)");
    if (n < 2 || memcmp(head, "PK", 2) != 0)
        return err_set(err, STATUS_FORMAT,
                       "no checkpoint of PyTorch: it does not begin as a zip "
                       "archive does");
    return STATUS_OK;
}

/* Where a member's bytes lie, once that is known. */
typedef struct Place {
    File *file;
    uint64_t offset;
} Place;

typedef struct Reader {
    Checkpoint *checkpoint;
    File *file;
    Zip zip;
    File *temporary;
    Place *places; /* by a member's number */
    char *member;  /* "NAME/data/" and room for a key */
    size_t prefix; /* bytes of "NAME/" */
    char path[NAME_ROOM];
    uint64_t visits;
} Reader;

static Status blame(const char *name, Status status, Err *err) {
    char shown[SHOWN];
    if (status == STATUS_FORMAT || status == STATUS_UNSUPPORTED)
        err_prefix(err, "tensor '%s'", text_escape(shown, sizeof shown, name));
    return status;
}

/* ---- one tensor ---- */

/* The member that a storage is, which has as many bytes as it says. */
static Status find_storage(Reader *reader, const PickleValue *storage,
                           const ZipMember **out, Err *err) {
    const PickleValue *key = storage->storage.key;
    const size_t lead = reader->prefix + 5;
    char shown[SHOWN];
    uint64_t bytes;
    if (key->text.n >= NAME_ROOM)
        return err_set(err, STATUS_FORMAT,
                       "a storage's key of %" PRIu32
                       " bytes, expected at most %d",
                       key->text.n, NAME_ROOM - 1);
    memcpy(reader->member + reader->prefix, "data/", 5);
    memcpy(reader->member + lead, key->text.bytes, key->text.n);
    reader->member[lead + key->text.n] = '\0';
    text_escape(shown, sizeof shown, reader->member);
    const ZipMember *member = zip_find(&reader->zip, reader->member);
    if (member == NULL)
        return err_set(err, STATUS_FORMAT,
                       "its storage '%s' is no member of the archive", shown);
    const DtypeRow *row = dtype_row(storage->dtype);
    if (__builtin_mul_overflow(storage->storage.count, (uint64_t)row->bytes,
                               &bytes) ||
        bytes != member->size)
        return err_set(err, STATUS_FORMAT,
                       "its storage '%s' has %" PRIu64 " bytes, %" PRIu64
                       " elements of %s were expected",
                       shown, member->size, storage->storage.count, row->name);
    *out = member;
    return STATUS_OK;
}

/* That no element lies behind the storage's last. */
static Status check_extent(const PickleTensor *tensor, uint64_t size,
                           Err *err) {
    uint64_t last = tensor->offset,
             held = size / dtype_row(tensor->dtype)->bytes;
    bool over = false, empty = false;
    for (int i = 0; i < tensor->axes; i++) {
        uint64_t step = 0;
        empty = empty || tensor->shape[i] == 0;
        if (tensor->shape[i] < 1)
            continue;
        over = over ||
               __builtin_mul_overflow((uint64_t)tensor->shape[i] - 1,
                                      (uint64_t)tensor->stride[i], &step) ||
               __builtin_add_overflow(last, step, &last);
    }
    if (empty)
        return STATUS_OK;
    if (over || last >= held)
        return err_set(err, STATUS_FORMAT,
                       "it ends behind the %" PRIu64 " elements of its storage",
                       held);
    return STATUS_OK;
}

/* Whether the strides are those of row-major order; of an axis of one
 * element they say nothing, and of no elements at all. */
static bool row_major(int axes, const int64_t *shape, const int64_t *stride) {
    int64_t step = 1;
    for (int i = 0; i < axes; i++)
        if (shape[i] == 0)
            return true;
    for (int i = axes - 1; i >= 0; i--) {
        if (shape[i] != 1 && stride[i] != step)
            return false;
        step *= shape[i];
    }
    return true;
}

/* How the values lie, or why they can't be read. */
static void describe(const PickleTensor *tensor, Entry *entry, char *text,
                     size_t size) {
    const int64_t *shape = tensor->shape, *stride = tensor->stride;
    if (row_major(tensor->axes, shape, stride))
        return;
    if (tensor->axes == 2 && row_major(2, (int64_t[]){shape[1], shape[0]},
                                       (int64_t[]){stride[1], stride[0]})) {
        entry->transposed = true;
        return;
    }
    Tensor named = {.axes = tensor->axes};
    char strides[200];
    for (int i = 0; i < tensor->axes; i++)
        named.shape[i] = stride[i];
    snprintf(text, size,
             "strides %s, only row-major order and a transposed matrix are "
             "read",
             tensor_shape_text(strides, sizeof strides, &named));
    entry->refusal = text;
}

/* Inflates a member where that is needed, once. */
static Status place_member(Reader *reader, const ZipMember *member, Place *out,
                           Err *err) {
    Place *place = &reader->places[member - reader->zip.members];
    if (place->file == NULL) {
        Status status = zip_place(member, reader->file, &reader->temporary,
                                  &place->file, &place->offset, err);
        if (status != STATUS_OK)
            return status;
    }
    *out = *place;
    return STATUS_OK;
}

static Status add_tensor(Reader *reader, const char *name,
                         const PickleTensor *tensor, Err *err) {
    const ZipMember *member = NULL;
    Place place = {0};
    char text[300];
    Entry entry = {.name = name, .dtype = tensor->dtype, .axes = tensor->axes};
    for (int i = 0; i < tensor->axes; i++)
        entry.shape[i] = tensor->shape[i];
    Status status = find_storage(reader, tensor->storage, &member, err);
    if (status == STATUS_OK)
        status = check_extent(tensor, member->size, err);
    if (status == STATUS_OK)
        status = place_member(reader, member, &place, err);
    if (status != STATUS_OK)
        return blame(name, status, err);
    describe(tensor, &entry, text, sizeof text);
    uint64_t lead = entry.refusal != NULL
                        ? 0
                        : tensor->offset * dtype_row(tensor->dtype)->bytes;
    entry.file = place.file;
    /* an empty tensor's offset may lie anywhere */
    entry.offset = place.offset + (lead < member->size ? lead : 0);
    entry.bytes = member->size;
    size_t i = checkpoint_count(reader->checkpoint);
    status = checkpoint_add_entry(reader->checkpoint, &entry, err);
    return status == STATUS_OK ? checkpoint_place(reader->checkpoint, i, 0, err)
                               : status;
}

/* ---- what the pickle holds ---- */

/* Puts a key behind the first n bytes of the path; *end is then its length. */
static Status extend_path(Reader *reader, size_t n, const PickleValue *key,
                          size_t *end, Err *err) {
    char number[32], shown[SHOWN];
    const char *text = number;
    size_t length;
    if (key->kind == PICKLE_TEXT) {
        text = key->text.bytes;
        length = key->text.n;
    } else {
        length = (size_t)snprintf(number, sizeof number, "%" PRId64,
                                  key->kind == PICKLE_INTEGER ||
                                          key->kind == PICKLE_BOOL
                                      ? key->integer
                                      : 0);
    }
    size_t dot = n > 0;
    reader->path[n] = '\0';
    if (length >= NAME_ROOM - n - dot)
        return err_set(
            err, STATUS_FORMAT, "a name of more than %d bytes begins with '%s'",
            NAME_ROOM - 1, text_escape(shown, sizeof shown, reader->path));
    if (memchr(text, '\0', length) != NULL)
        return err_set(err, STATUS_FORMAT, "a NUL in a name below '%s'",
                       text_escape(shown, sizeof shown, reader->path));
    if (dot)
        reader->path[n] = '.';
    memcpy(reader->path + n + dot, text, length);
    *end = n + dot + length;
    reader->path[*end] = '\0';
    return STATUS_OK;
}

static Status walk(Reader *reader, const PickleValue *value, size_t n,
                   int level, const PickleValue *plain, Err *err);

/* The items of a container: by key, or by number. The keys of `plain` stand
 * in no path. */
static Status walk_items(Reader *reader, const PickleValue *value, size_t n,
                         int level, const PickleValue *plain, Err *err) {
    bool dict = value->kind == PICKLE_DICT;
    size_t step = dict ? 2 : 1;
    for (size_t i = 0; i < value->items.n; i += step) {
        PickleValue number = {.kind = PICKLE_INTEGER, .integer = (int64_t)i};
        const PickleValue *key = dict ? value->items.at[i] : &number;
        const PickleValue *item = value->items.at[i + step - 1];
        size_t end = n;
        if (item->kind < PICKLE_TUPLE || item->kind == PICKLE_GLOBAL ||
            item->kind == PICKLE_STORAGE)
            continue;
        Status status = STATUS_OK;
        if (item != plain)
            status = extend_path(reader, n, key, &end, err);
        if (status == STATUS_OK)
            status = walk(reader, item, end, level + 1, plain, err);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* The tensors below a value, whose path is the first n bytes. Lists may hold
 * one another, and themselves. */
static Status walk(Reader *reader, const PickleValue *value, size_t n,
                   int level, const PickleValue *plain, Err *err) {
    if (level > LEVELS_MOST || ++reader->visits > VISITS_MOST)
        return err_set(err, STATUS_FORMAT,
                       level > LEVELS_MOST
                           ? "containers nested more than %d deep"
                           : "more than %d values",
                       level > LEVELS_MOST ? LEVELS_MOST : VISITS_MOST);
    if (value->kind == PICKLE_TENSOR)
        return add_tensor(reader, n > 0 ? reader->path : "tensor",
                          value->tensor, err);
    return walk_items(reader, value, n, level, plain, err);
}

static bool is_key(const PickleValue *key, const char *word) {
    return key->kind == PICKLE_TEXT && key->text.n == strlen(word) &&
           memcmp(key->text.bytes, word, key->text.n) == 0;
}

/* A trainer's checkpoint has the model's state dict under one of these keys,
 * which then is no part of its tensors' names. NULL where the root itself is
 * one. */
static const PickleValue *find_model(const PickleValue *root) {
    static const char *const WRAPPERS[] = {"state_dict", "model_state_dict",
                                           "model", "module"};
    for (size_t i = 1; i < root->items.n; i += 2)
        if (root->items.at[i]->kind == PICKLE_TENSOR)
            return NULL;
    for (size_t w = 0; w < sizeof WRAPPERS / sizeof *WRAPPERS; w++)
        for (size_t i = 0; i < root->items.n; i += 2)
            if (is_key(root->items.at[i], WRAPPERS[w]) &&
                root->items.at[i + 1]->kind == PICKLE_DICT)
                return root->items.at[i + 1];
    return NULL;
}

static Status add_tensors(Reader *reader, const PickleValue *root, Err *err) {
    const PickleValue *plain = NULL;
    if (root->kind == PICKLE_DICT)
        plain = find_model(root);
    if (root->kind < PICKLE_TUPLE || root->kind == PICKLE_GLOBAL ||
        root->kind == PICKLE_STORAGE)
        return err_set(err, STATUS_FORMAT,
                       PICKLE ": no tensors, expected a dict of them");
    return walk(reader, root, 0, 0, plain, err);
}

/* ---- the archive ---- */

/* The pickle: NAME/data.pkl, or without a folder. */
static const ZipMember *find_pickle(const Zip *zip) {
    for (size_t i = 0; i < zip->count; i++) {
        const char *name = zip->members[i].name;
        const char *slash = strchr(name, '/');
        if (strcmp(slash == NULL ? name : slash + 1, PICKLE) == 0)
            return &zip->members[i];
    }
    return NULL;
}

static Status check_order(Reader *reader, Err *err) {
    uint8_t *text;
    memcpy(reader->member + reader->prefix, "byteorder", sizeof "byteorder");
    const ZipMember *member = zip_find(&reader->zip, reader->member);
    if (member == NULL)
        return STATUS_OK;
    Status status = zip_load(member, reader->file, 64, &text, err);
    if (status != STATUS_OK)
        return status;
    if (member->size != 6 || memcmp(text, "little", 6) != 0)
        status = err_set(err, STATUS_UNSUPPORTED,
                         "member 'byteorder' does not say 'little', the only "
                         "byte order that is read");
    mem_free(text);
    return status;
}

static Status read_pickle(Reader *reader, const ZipMember *member, Err *err) {
    uint8_t *bytes;
    Pickle pickle;
    Status status = zip_load(member, reader->file, PICKLE_MOST, &bytes, err);
    if (status != STATUS_OK)
        return status;
    status = pickle_read(&pickle, bytes, (size_t)member->size, err);
    if (status == STATUS_FORMAT || status == STATUS_UNSUPPORTED)
        err_prefix(err, PICKLE);
    if (status == STATUS_OK) {
        status = add_tensors(reader, pickle.root, err);
        pickle_release(&pickle);
    }
    mem_free(bytes);
    return status;
}

static Status read_archive(Reader *reader, Err *err) {
    const ZipMember *member = find_pickle(&reader->zip);
    if (member == NULL)
        return err_set(err, STATUS_FORMAT,
                       "a zip archive without the member " PICKLE
                       ", which torch.save writes");
    reader->prefix = strlen(member->name) - strlen(PICKLE);
    reader->member = mem_array(reader->prefix + NAME_ROOM + 16, 1, err);
    reader->places = mem_zeroed(reader->zip.count, sizeof *reader->places, err);
    if (reader->member == NULL || reader->places == NULL)
        return STATUS_NOMEM;
    memcpy(reader->member, member->name, reader->prefix);
    Status status = checkpoint_reserve(
        reader->checkpoint,
        checkpoint_count(reader->checkpoint) + reader->zip.count, err);
    if (status == STATUS_OK)
        status = check_order(reader, err);
    return status == STATUS_OK ? read_pickle(reader, member, err) : status;
}

static Status pytorch_open(Checkpoint *checkpoint, File *file, Err *err) {
    Status status = refuse_old(file, err);
    if (status != STATUS_OK)
        return status;
    Reader *reader = mem_zeroed(1, sizeof *reader, err);
    if (reader == NULL)
        return STATUS_NOMEM;
    reader->checkpoint = checkpoint;
    reader->file = file;
    status = zip_read(&reader->zip, file, err);
    if (status == STATUS_OK)
        status = read_archive(reader, err);
    file_release(reader->temporary);
    mem_free(reader->places);
    mem_free(reader->member);
    zip_release(&reader->zip);
    mem_free(reader);
    return status;
}

const Format FORMAT_PYTORCH = {"pytorch", pytorch_probe, pytorch_open};
