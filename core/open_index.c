/* A folder's index: which shard has which tensor.
 *
 * An index is foreign text that names files, so a shard's name must be a plain
 * file name beside it. */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "names.h"
#include "open.h"

enum { SHOWN_PATH = 512, SHOWN_NAME = 256 };

/* A tensor of an index, and the shard it should be in. */
typedef struct Listed {
    const char *shard, *tensor;
} Listed;

/* An index while it is read. */
typedef struct Index {
    const Layout *layout;
    const char *folder, *path;
    Checkpoint *checkpoint;
    Listed *listed; /* by shard, and in a shard by name */
    size_t count;
    Names names; /* of the listed tensors */
} Index;

static bool plain_file_name(const char *name) {
    return name[0] != '\0' && name[0] != '-' && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0 && strpbrk(name, "/\\") == NULL;
}

static int compare_listed(const void *a, const void *b) {
    const Listed *one = a, *other = b;
    int order = strcmp(one->shard, other->shard);
    return order != 0 ? order : strcmp(one->tensor, other->tensor);
}

/* One member of the map. */
static Status take_listed(Index *index, const Json *node, Err *err) {
    char name[SHOWN_NAME], found[SHOWN_NAME];
    const char *tensor = json_key(node), *shard = json_text(node);
    text_escape(name, sizeof name, tensor);
    if (shard == NULL)
        return err_set(err, STATUS_FORMAT,
                       "weight_map: tensor '%s' is in %s, expected a string",
                       name, json_describe(found, sizeof found, node));
    if (!plain_file_name(shard))
        return err_set(err, STATUS_FORMAT,
                       "weight_map: tensor '%s' is in '%s', expected a plain "
                       "file name",
                       name, text_escape(found, sizeof found, shard));
    index->listed[index->count] = (Listed){shard, tensor};
    return names_add(&index->names, tensor, index->count++, err);
}

/* The map as a list that has each shard's tensors together. */
static Status take_map(Index *index, const Json *root, Err *err) {
    const Json *map = NULL;
    Status status = json_get(root, "weight_map", JSON_OBJECT, &map, err);
    if (status != STATUS_OK)
        return status;
    index->listed = mem_array(json_size(map), sizeof *index->listed, err);
    if (index->listed == NULL)
        return STATUS_NOMEM;
    for (const Json *node = json_child(map);
         node != NULL && status == STATUS_OK; node = json_next(node))
        status = take_listed(index, node, err);
    qsort(index->listed, index->count, sizeof *index->listed, compare_listed);
    return status;
}

/* Tensors of a shard, from entry `first` on, that the index does not list. */
static Status note_unlisted(Index *index, size_t first, const char *shard,
                            Err *err) {
    const Checkpoint *checkpoint = index->checkpoint;
    const char *example = NULL;
    size_t unlisted = 0, where;
    for (size_t i = first; i < checkpoint_count(checkpoint); i++) {
        const char *name = checkpoint_entry(checkpoint, i)->name;
        if (names_find(&index->names, name, &where))
            continue;
        example = unlisted++ == 0 ? name : example;
    }
    char name[SHOWN_NAME], shown[SHOWN_NAME];
    if (unlisted == 0)
        return STATUS_OK;
    return checkpoint_add_note(
        index->checkpoint, err,
        "%s: %zu tensor%s that %s does not list, the first is '%s'",
        text_escape(shown, sizeof shown, shard), unlisted,
        unlisted == 1 ? "" : "s", index->layout->index,
        text_escape(name, sizeof name, example));
}

/* The n listed tensors are in this shard, whose first entry is `first`. */
static Status check_listed(const Index *index, const Listed *listed, size_t n,
                           size_t first, const File *file, Err *err) {
    char name[SHOWN_NAME], shown[SHOWN_PATH];
    for (size_t i = 0; i < n; i++) {
        const Entry *entry =
            checkpoint_find(index->checkpoint, listed[i].tensor);
        if (entry == NULL || entry < checkpoint_entry(index->checkpoint, first))
            return err_set(err, STATUS_FORMAT,
                           "%s: tensor '%s' is missing, %s lists it here",
                           text_escape(shown, sizeof shown, file_path(file)),
                           text_escape(name, sizeof name, listed[i].tensor),
                           index->layout->index);
    }
    return STATUS_OK;
}

/* One shard: the n tensors listed for it, and what else it has. */
static Status read_shard(Index *index, const Listed *listed, size_t n,
                         Err *err) {
    char *path = open_join(index->folder, listed->shard, err);
    File *file;
    if (path == NULL)
        return STATUS_NOMEM;
    Status status = file_open(&file, path, err);
    mem_free(path);
    if (status != STATUS_OK)
        return status;
    size_t first = checkpoint_count(index->checkpoint);
    status = open_format(index->layout->format, index->checkpoint, file, err);
    if (status == STATUS_OK)
        status = check_listed(index, listed, n, first, file, err);
    if (status == STATUS_OK)
        status = note_unlisted(index, first, listed->shard, err);
    file_release(file);
    return status;
}

/* The map of a parsed index, then its shards in the order of their names. */
static Status read_map(Index *index, const Json *root, Err *err) {
    char shown[SHOWN_PATH];
    Status status = take_map(index, root, err);
    if (status != STATUS_OK) {
        err_prefix(err, "%s", text_escape(shown, sizeof shown, index->path));
        return status;
    }
    for (size_t i = 0, n; i < index->count && status == STATUS_OK; i += n) {
        const Listed *listed = index->listed + i;
        for (n = 1; i + n < index->count; n++)
            if (strcmp(listed[n].shard, listed->shard) != 0)
                break;
        status = read_shard(index, listed, n, err);
    }
    return status;
}

/* The text of an index as a tree. */
static Status parse_index(JsonTree *out, const char *path, Err *err) {
    File *file;
    char shown[SHOWN_PATH];
    Status status = file_open(&file, path, err);
    if (status != STATUS_OK)
        return status;
    uint64_t n = file_id(file)->size;
    text_escape(shown, sizeof shown, path);
    char *text = NULL;
    if (n > JSON_FILE_MOST)
        status =
            err_set(err, STATUS_FORMAT, "%s: %llu bytes, expected at most %d",
                    shown, (unsigned long long)n, JSON_FILE_MOST);
    else if ((text = mem_array((size_t)n, 1, err)) == NULL)
        status = STATUS_NOMEM;
    else
        status = file_read(file, 0, text, n, err);
    if (status == STATUS_OK) {
        status = json_parse(text, (size_t)n, JSON_TREE_MOST, out, err);
        if (status != STATUS_OK)
            err_prefix(err, "%s", shown);
    }
    mem_free(text);
    file_release(file);
    return status;
}

/* A whole file beside an index is somebody's leftover. */
static Status note_stray(const Index *index, Err *err) {
    const Layout *layout = index->layout;
    for (size_t i = 0; i < index->count; i++)
        if (strcmp(index->listed[i].shard, layout->whole) == 0)
            return STATUS_OK;
    char *whole = open_join(index->folder, layout->whole, err);
    if (whole == NULL)
        return STATUS_NOMEM;
    bool stray = open_exists(whole);
    mem_free(whole);
    if (!stray)
        return STATUS_OK;
    return checkpoint_add_note(index->checkpoint, err,
                               "%s is not read: %s stands beside it and does "
                               "not list it",
                               layout->whole, layout->index);
}

Status open_index(Checkpoint **out, const Layout *layout, const char *folder,
                  const char *path, Err *err) {
    JsonTree tree;
    Index index = {.layout = layout, .folder = folder, .path = path};
    Status status = parse_index(&tree, path, err);
    if (status != STATUS_OK)
        return status;
    status = checkpoint_create(&index.checkpoint, layout->format->name, err);
    if (status == STATUS_OK)
        status = read_map(&index, tree.root, err);
    if (status == STATUS_OK)
        status = note_stray(&index, err);
    mem_free(index.listed);
    names_release(&index.names);
    json_release(&tree);
    if (status == STATUS_OK)
        *out = index.checkpoint;
    else
        checkpoint_release(index.checkpoint);
    return status;
}
