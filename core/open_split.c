/* A GGUF in parts, as llama.cpp's gguf-split writes them:
 * NAME-00001-of-00003.gguf and so on. The first has the model's keys, each has
 * the keys split.no, split.count and split.tensors.count. */
#include <inttypes.h>
#include <string.h>

#include "gguf.h"
#include "open.h"

enum { SHOWN_PATH = 512, DIGITS = 5 };

static const char TAIL[] = "-00000-of-00000.gguf";

/* DIGITS decimals. */
static bool take_digits(const char *text, uint32_t *out) {
    uint32_t value = 0;
    for (int i = 0; i < DIGITS; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (uint32_t)(text[i] - '0');
    }
    *out = value;
    return true;
}

static void put_digits(char *text, uint32_t value) {
    for (int i = DIGITS; i-- > 0; value /= 10)
        text[i] = (char)('0' + value % 10);
}

bool open_split_name(const char *path, SplitName *out) {
    size_t n = strlen(path), tail = sizeof TAIL - 1;
    if (n < tail)
        return false;
    const char *end = path + n - tail;
    SplitName name = {.stem = n - tail};
    if (end[0] != '-' || !take_digits(end + 1, &name.number) ||
        memcmp(end + 6, "-of-", 4) != 0 ||
        !take_digits(end + 10, &name.count) || strcmp(end + 15, ".gguf") != 0 ||
        name.number < 1 || name.number > name.count)
        return false;
    *out = name;
    return true;
}

/* What the part's own keys say is what its name says. */
static Status check_part(const GgufSplit *split, const SplitName *name,
                         Err *err) {
    if (split->count != name->count)
        return err_set(err, STATUS_FORMAT,
                       "split.count is %" PRId64
                       ", the file's name says %" PRIu32,
                       split->count, name->count);
    if (split->number != (int64_t)name->number - 1)
        return err_set(err, STATUS_FORMAT,
                       "split.no is %" PRId64 ", the file's name says %" PRIu32,
                       split->number, name->number - 1);
    return STATUS_OK;
}

/* One part into the checkpoint. Messages begin with its path. */
static Status read_part(Checkpoint *checkpoint, const char *path,
                        const SplitName *name, GgufSplit *split, Err *err) {
    char shown[SHOWN_PATH];
    File *file;
    Status status = file_open(&file, path, err);
    if (status != STATUS_OK)
        return status;
    status = gguf_read_part(checkpoint, file, split, err);
    if (status == STATUS_OK && name != NULL)
        status = check_part(split, name, err);
    if (status == STATUS_FORMAT || status == STATUS_UNSUPPORTED ||
        status == STATUS_NOMEM)
        err_prefix(err, "%s", text_escape(shown, sizeof shown, path));
    file_release(file);
    return status;
}

/* The parts one after another; `path` is any one's, and is made each one's in
 * turn. */
static Status read_parts(Checkpoint *checkpoint, char *path, SplitName name,
                         Err *err) {
    GgufSplit split = {0};
    char shown[SHOWN_PATH];
    Status status = STATUS_OK;
    for (name.number = 1; name.number <= name.count && status == STATUS_OK;
         name.number++) {
        put_digits(path + name.stem + 1, name.number);
        status = read_part(checkpoint, path, &name, &split, err);
    }
    if (status == STATUS_OK &&
        split.tensors != (int64_t)checkpoint_count(checkpoint))
        status = err_set(err, STATUS_FORMAT,
                         "%s: split.tensors.count is %" PRId64 ", the %" PRIu32
                         " parts have %zu tensors",
                         text_escape(shown, sizeof shown, path), split.tensors,
                         name.count, checkpoint_count(checkpoint));
    return status;
}

/* Whether the file says itself that it is one of several. */
static Status look(const char *path, bool *is_split, Err *err) {
    Checkpoint *unused;
    GgufSplit split = {0};
    Status status = checkpoint_create(&unused, FORMAT_GGUF.name, err);
    if (status != STATUS_OK)
        return status;
    status = read_part(unused, path, NULL, &split, err);
    checkpoint_release(unused);
    *is_split = split.count > 1;
    return status;
}

Status open_split(Checkpoint **out, const char *path, Err *err) {
    Checkpoint *checkpoint;
    SplitName name = {0};
    GgufSplit split;
    bool is_split = false;
    Status status = look(path, &is_split, err);
    if (status != STATUS_OK)
        return status;
    status = checkpoint_create(&checkpoint, FORMAT_GGUF.name, err);
    if (status != STATUS_OK)
        return status;
    char *own = mem_text(path, strlen(path), err);
    if (own == NULL)
        status = STATUS_NOMEM;
    else if (is_split && open_split_name(path, &name))
        status = read_parts(checkpoint, own, name, err);
    else
        status = read_part(checkpoint, own, NULL, &split, err);
    mem_free(own);
    if (status == STATUS_OK)
        *out = checkpoint;
    else
        checkpoint_release(checkpoint);
    return status;
}
