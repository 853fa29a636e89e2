/* From a path to a checkpoint: one file by its content, or a folder.
 *
 * An index is foreign text that names files, so a shard's name must be a plain
 * file name beside it. Symbolic links are followed: the hub's cache is made of
 * them. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "arena.h"
#include "checkpoint.h"
#include "json.h"
#include "names.h"

enum { HEAD = 64, SHOWN_PATH = 512, SHOWN_NAME = 256, LISTED = 8 };

#define INDEX "model.safetensors.index.json"
#define WHOLE "model.safetensors"

static const Format *const FORMATS[] = {&FORMAT_GGUF, &FORMAT_SAFETENSORS};
enum { FORMAT_COUNT = sizeof FORMATS / sizeof *FORMATS };

/* Reads a file into the checkpoint; every message then begins with the path,
 * as file.c's do by themselves. */
static Status read_format(const Format *format, Checkpoint *checkpoint,
                          File *file, Err *err) {
    char shown[SHOWN_PATH];
    Status status = format->read(checkpoint, file, err);
    if (status != STATUS_OK && status != STATUS_IO && status != STATUS_CLOSED)
        err_prefix(err, "%s",
                   text_escape(shown, sizeof shown, file_path(file)));
    return status;
}

/* The format that knows the first bytes, else the one that knows the name. */
static const Format *probe(const uint8_t *head, size_t n, const char *path) {
    const char *const paths[] = {"", path};
    for (size_t i = 0; i < 2; i++)
        for (size_t f = 0; f < FORMAT_COUNT; f++)
            if (FORMATS[f]->probe(head, n, paths[i]))
                return FORMATS[f];
    return NULL;
}

/* An open file as a new checkpoint. */
static Status read_file(Checkpoint **out, File *file, Err *err) {
    uint8_t head[HEAD];
    uint64_t size = file_id(file)->size, n = size < HEAD ? size : HEAD;
    char shown[SHOWN_PATH];
    Status status = file_read(file, 0, head, n, err);
    if (status != STATUS_OK)
        return status;
    const Format *format = probe(head, (size_t)n, file_path(file));
    if (format == NULL)
        return err_set(err, STATUS_FORMAT,
                       "%s: neither a safetensors nor a GGUF file",
                       text_escape(shown, sizeof shown, file_path(file)));
    Checkpoint *checkpoint;
    status = checkpoint_create(&checkpoint, format->name, err);
    if (status == STATUS_OK) {
        status = read_format(format, checkpoint, file, err);
        if (status == STATUS_OK)
            *out = checkpoint;
        else
            checkpoint_release(checkpoint);
    }
    return status;
}

static Status open_file(Checkpoint **out, const char *path, Err *err) {
    File *file;
    Status status = file_open(&file, path, err);
    if (status != STATUS_OK)
        return status;
    status = read_file(out, file, err);
    file_release(file);
    return status;
}

/* FOLDER/NAME. Creates. */
static char *join(const char *folder, const char *name, Err *err) {
    size_t n = strlen(folder), size = n + 1 + strlen(name) + 1;
    char *path = mem_array(size, 1, err);
    const char *slash = n > 0 && folder[n - 1] == '/' ? "" : "/";
    if (path != NULL)
        snprintf(path, size, "%s%s%s", folder, slash, name);
    return path;
}

/* Whether something has that name, be it a link to nowhere: what is there and
 * cannot be read is for file_open to complain about. */
static bool exists(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0 || errno != ENOENT;
}

/* A tensor of an index, and the shard it should be in. */
typedef struct Listed {
    const char *shard, *tensor;
} Listed;

/* An index while it is read. */
typedef struct Index {
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

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
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
        "%s: %zu tensor%s that " INDEX " does not list, the first is '%s'",
        text_escape(shown, sizeof shown, shard), unlisted,
        unlisted == 1 ? "" : "s", text_escape(name, sizeof name, example));
}

/* The n listed tensors are in this shard. */
static Status check_listed(const Index *index, const Listed *listed, size_t n,
                           const File *file, Err *err) {
    char name[SHOWN_NAME], shown[SHOWN_PATH];
    for (size_t i = 0; i < n; i++) {
        const Entry *entry =
            checkpoint_find(index->checkpoint, listed[i].tensor);
        if (entry == NULL || entry->file != file)
            return err_set(err, STATUS_FORMAT,
                           "%s: tensor '%s' is missing, " INDEX
                           " lists it here",
                           text_escape(shown, sizeof shown, file_path(file)),
                           text_escape(name, sizeof name, listed[i].tensor));
    }
    return STATUS_OK;
}

/* One shard: the n tensors listed for it, and what else it has. */
static Status read_shard(Index *index, const Listed *listed, size_t n,
                         Err *err) {
    char *path = join(index->folder, listed->shard, err);
    File *file;
    if (path == NULL)
        return STATUS_NOMEM;
    Status status = file_open(&file, path, err);
    mem_free(path);
    if (status != STATUS_OK)
        return status;
    size_t first = checkpoint_count(index->checkpoint);
    status = read_format(&FORMAT_SAFETENSORS, index->checkpoint, file, err);
    if (status == STATUS_OK)
        status = check_listed(index, listed, n, file, err);
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

/* A model.safetensors beside an index is somebody's leftover. */
static Status note_stray(const Index *index, const char *whole, Err *err) {
    for (size_t i = 0; i < index->count; i++)
        if (strcmp(index->listed[i].shard, WHOLE) == 0)
            return STATUS_OK;
    if (!exists(whole))
        return STATUS_OK;
    return checkpoint_add_note(index->checkpoint, err,
                               WHOLE " is not read: " INDEX
                                     " stands beside it and does not list it");
}

/* A folder with an index. */
static Status open_index(Checkpoint **out, const char *folder, const char *path,
                         const char *whole, Err *err) {
    JsonTree tree;
    Index index = {.folder = folder, .path = path};
    Status status = parse_index(&tree, path, err);
    if (status != STATUS_OK)
        return status;
    status = checkpoint_create(&index.checkpoint, FORMAT_SAFETENSORS.name, err);
    if (status == STATUS_OK)
        status = read_map(&index, tree.root, err);
    if (status == STATUS_OK)
        status = note_stray(&index, whole, err);
    mem_free(index.listed);
    names_release(&index.names);
    json_release(&tree);
    if (status == STATUS_OK)
        *out = index.checkpoint;
    else
        checkpoint_release(index.checkpoint);
    return status;
}

/* The checkpoint files of a folder, for when it has no usual one. */
typedef struct Listing {
    Arena arena;
    const char **names;
    size_t count, room;
    size_t safetensors;
} Listing;

static bool ends_with(const char *name, const char *end) {
    size_t n = strlen(name), want = strlen(end);
    return n > want && strcmp(name + n - want, end) == 0;
}

static Status list_name(Listing *listing, const char *name, Err *err) {
    if (!ends_with(name, ".safetensors") && !ends_with(name, ".gguf"))
        return STATUS_OK;
    if (listing->count == listing->room) {
        size_t room = listing->room == 0 ? LISTED : listing->room * 2;
        void *larger = mem_resize(listing->names, listing->count, room,
                                  sizeof *listing->names, err);
        if (larger == NULL)
            return STATUS_NOMEM;
        listing->names = larger;
        listing->room = room;
    }
    char *copy = arena_text(&listing->arena, name, strlen(name), err);
    if (copy == NULL)
        return STATUS_NOMEM;
    listing->names[listing->count++] = copy;
    listing->safetensors += ends_with(name, ".safetensors");
    return STATUS_OK;
}

static Status list_folder(Listing *listing, const char *folder, Err *err) {
    DIR *stream = opendir(folder);
    char shown[SHOWN_PATH], text[128];
    if (stream == NULL)
        return err_set(err, STATUS_IO, "%s: cannot open the folder: %s",
                       text_escape(shown, sizeof shown, folder),
                       strerror_r(errno, text, sizeof text));
    Status status = STATUS_OK;
    const struct dirent *item;
    while (status == STATUS_OK && (item = readdir(stream)) != NULL)
        status = list_name(listing, item->d_name, err);
    closedir(stream);
    if (status == STATUS_OK && listing->count > 0)
        qsort(listing->names, listing->count, sizeof *listing->names,
              compare_texts);
    return status;
}

/* What was looked for in a folder, and what is there. */
static Status nothing_here(const Listing *listing, const char *folder,
                           Err *err) {
    char shown[SHOWN_PATH], list[400] = "", name[48];
    size_t used = 0;
    for (size_t i = 0; i < listing->count && i < LISTED; i++)
        used += (size_t)snprintf(
            list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ",
            text_escape(name, sizeof name, listing->names[i]));
    if (listing->count > LISTED)
        snprintf(list + used, sizeof list - used, " and %zu more",
                 listing->count - LISTED);
    return err_set(err, STATUS_IO,
                   "%s: no " INDEX " and no " WHOLE " in this folder, %s%s",
                   text_escape(shown, sizeof shown, folder),
                   listing->count == 0
                       ? "nor any other .safetensors or .gguf file"
                       : "there is ",
                   list);
}

/* A folder without the usual names: its only GGUF, if that is all there is. */
static Status open_other(Checkpoint **out, const char *folder, Err *err) {
    Listing listing = {0};
    Status status = list_folder(&listing, folder, err);
    if (status == STATUS_OK && listing.count == 1 && listing.safetensors == 0) {
        char *path = join(folder, listing.names[0], err);
        status = path == NULL ? STATUS_NOMEM : open_file(out, path, err);
        mem_free(path);
    } else if (status == STATUS_OK) {
        status = nothing_here(&listing, folder, err);
    }
    mem_free(listing.names);
    arena_release(&listing.arena);
    return status;
}

static Status open_folder(Checkpoint **out, const char *folder, Err *err) {
    char *index = join(folder, INDEX, err);
    char *whole = join(folder, WHOLE, err);
    Status status = STATUS_NOMEM;
    if (index != NULL && whole != NULL)
        status = exists(index)   ? open_index(out, folder, index, whole, err)
                 : exists(whole) ? open_file(out, whole, err)
                                 : open_other(out, folder, err);
    mem_free(index);
    mem_free(whole);
    return status;
}

Status checkpoint_open(Checkpoint **out, const char *path, Err *err) {
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return open_folder(out, path, err);
    return open_file(out, path, err);
}
