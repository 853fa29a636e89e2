/* From a path to a checkpoint: one file by its content, or a folder.
 *
 * Symbolic links are followed: the hub's cache is made of them. */
#include "open.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "arena.h"

enum { HEAD = 512, SHOWN_PATH = 512, LISTED = 8 };

static const Format *const FORMATS[] = {&FORMAT_GGUF, &FORMAT_SAFETENSORS,
                                        &FORMAT_NPY, &FORMAT_NPZ,
                                        &FORMAT_PYTORCH};
enum { FORMAT_COUNT = sizeof FORMATS / sizeof *FORMATS };

/* What a folder is looked through for, the first winning. */
static const Layout LAYOUTS[] = {
    {"model.safetensors.index.json", "model.safetensors", &FORMAT_SAFETENSORS},
    {"pytorch_model.bin.index.json", "pytorch_model.bin", &FORMAT_PYTORCH},
};
enum { LAYOUT_COUNT = sizeof LAYOUTS / sizeof *LAYOUTS };

Status open_format(const Format *format, Checkpoint *checkpoint, File *file,
                   Err *err) {
    char shown[SHOWN_PATH];
    Status status = format->read(checkpoint, file, err);
    if (status == STATUS_FORMAT || status == STATUS_UNSUPPORTED ||
        status == STATUS_NOMEM)
        err_prefix(err, "%s",
                   text_escape(shown, sizeof shown, file_path(file)));
    return status;
}

char *open_join(const char *folder, const char *name, Err *err) {
    size_t n = strlen(folder), size = n + 1 + strlen(name) + 1;
    char *path = mem_array(size, 1, err);
    const char *slash = n > 0 && folder[n - 1] == '/' ? "" : "/";
    if (path != NULL)
        snprintf(path, size, "%s%s%s", folder, slash, name);
    return path;
}

bool open_exists(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0 || errno != ENOENT;
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
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
                       "%s: none of a safetensors file, a GGUF, a PyTorch "
                       "checkpoint, an .npy and an .npz",
                       text_escape(shown, sizeof shown, file_path(file)));
    SplitName name;
    if (format == &FORMAT_GGUF && open_split_name(file_path(file), &name))
        return open_split(out, file_path(file), err);
    Checkpoint *checkpoint;
    status = checkpoint_create(&checkpoint, format->name, err);
    if (status == STATUS_OK) {
        status = open_format(format, checkpoint, file, err);
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

/* Files that a checkpoint may lie in, by the ends of their names. */
typedef enum Kind {
    KIND_SAFETENSORS,
    KIND_GGUF,
    KIND_NPZ,
    KIND_NPY,
    KIND_TORCH,
    KIND_COUNT
} Kind;
static const struct {
    const char *end;
    Kind kind;
} KINDS[] = {
    {".safetensors", KIND_SAFETENSORS},
    {".gguf", KIND_GGUF},
    {".npz", KIND_NPZ},
    {".npy", KIND_NPY},
    {".bin", KIND_TORCH},
    {".pt", KIND_TORCH},
    {".pth", KIND_TORCH},
};

/* The checkpoint files of a folder, for when it has no usual one. */
typedef struct Listing {
    Arena arena;
    const char **names; /* sorted */
    size_t count, room;
    size_t of_kind[KIND_COUNT];
} Listing;

static bool ends_with(const char *name, const char *end) {
    size_t n = strlen(name), want = strlen(end);
    return n > want && strcmp(name + n - want, end) == 0;
}

static Kind kind_of(const char *name) {
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (ends_with(name, KINDS[i].end))
            return KINDS[i].kind;
    return KIND_COUNT;
}

static Status list_name(Listing *listing, const char *name, Err *err) {
    Kind kind = kind_of(name);
    if (kind == KIND_COUNT)
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
    listing->of_kind[kind]++;
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
                   "%s: no model.safetensors, no pytorch_model.bin and no "
                   "index of either in this folder, %s%s",
                   text_escape(shown, sizeof shown, folder),
                   listing->count == 0
                       ? "nor any other .safetensors, .gguf, .npz or .npy file"
                       : "there is ",
                   list);
}

/* The listed file of a kind from number `from` on. */
static size_t next_of(const Listing *listing, Kind kind, size_t from) {
    while (from < listing->count && kind_of(listing->names[from]) != kind)
        from++;
    return from;
}

/* Whether all GGUFs of a folder are parts of one. */
static bool one_split(const Listing *listing) {
    size_t i = next_of(listing, KIND_GGUF, 0);
    const char *model = listing->names[i];
    SplitName first, name;
    bool one = open_split_name(model, &first);
    for (; one && i < listing->count; i = next_of(listing, KIND_GGUF, i + 1))
        one = open_split_name(listing->names[i], &name) &&
              name.stem == first.stem && name.count == first.count &&
              memcmp(listing->names[i], model, name.stem) == 0;
    return one;
}

/* An .npy of a folder; one that holds no numbers is a note. */
static Status add_npy(Checkpoint *checkpoint, const char *folder,
                      const char *name, Err *err) {
    char *path = open_join(folder, name, err);
    File *file;
    Err why = {0};
    if (path == NULL)
        return STATUS_NOMEM;
    Status status = file_open(&file, path, err);
    mem_free(path);
    if (status != STATUS_OK)
        return status;
    status = open_format(&FORMAT_NPY, checkpoint, file, &why);
    file_release(file);
    if (status == STATUS_UNSUPPORTED)
        return checkpoint_add_note(checkpoint, err, "not read: %s",
                                   why.message);
    if (status != STATUS_OK)
        (void)err_set(err, status, "%s", why.message);
    return status;
}

/* All the .npy files of a folder, by their names. */
static Status open_arrays(Checkpoint **out, const char *folder,
                          const Listing *listing, Err *err) {
    Checkpoint *checkpoint;
    Status status = checkpoint_create(&checkpoint, FORMAT_NPY.name, err);
    if (status != STATUS_OK)
        return status;
    for (size_t i = next_of(listing, KIND_NPY, 0);
         i < listing->count && status == STATUS_OK;
         i = next_of(listing, KIND_NPY, i + 1))
        status = add_npy(checkpoint, folder, listing->names[i], err);
    if (status == STATUS_OK)
        *out = checkpoint;
    else
        checkpoint_release(checkpoint);
    return status;
}

/* A folder without the usual names: what is there and leaves no doubt. */
static Status open_listed(Checkpoint **out, const char *folder,
                          const Listing *listing, Err *err) {
    const size_t *n = listing->of_kind;
    bool gguf = n[KIND_GGUF] == 1 || (n[KIND_GGUF] > 1 && one_split(listing));
    bool npz = n[KIND_GGUF] == 0 && n[KIND_NPZ] == 1;
    if (n[KIND_SAFETENSORS] == 0 && (gguf || npz)) {
        Kind kind = gguf ? KIND_GGUF : KIND_NPZ;
        char *path =
            open_join(folder, listing->names[next_of(listing, kind, 0)], err);
        Status status = path == NULL ? STATUS_NOMEM : open_file(out, path, err);
        mem_free(path);
        return status;
    }
    if (n[KIND_SAFETENSORS] + n[KIND_GGUF] + n[KIND_NPZ] == 0 &&
        n[KIND_NPY] > 0)
        return open_arrays(out, folder, listing, err);
    return nothing_here(listing, folder, err);
}

static Status open_other(Checkpoint **out, const char *folder, Err *err) {
    Listing listing = {0};
    Status status = list_folder(&listing, folder, err);
    if (status == STATUS_OK)
        status = open_listed(out, folder, &listing, err);
    mem_free(listing.names);
    arena_release(&listing.arena);
    return status;
}

/* The folder by one layout, where it has its files. */
static Status open_layout(Checkpoint **out, const Layout *layout,
                          const char *folder, bool *found, Err *err) {
    char *index = open_join(folder, layout->index, err);
    char *whole = open_join(folder, layout->whole, err);
    Status status = STATUS_NOMEM;
    if (index != NULL && whole != NULL) {
        *found = open_exists(index) || open_exists(whole);
        status = !*found ? STATUS_OK
                 : open_exists(index)
                     ? open_index(out, layout, folder, index, err)
                     : open_file(out, whole, err);
    }
    mem_free(index);
    mem_free(whole);
    return status;
}

static Status open_folder(Checkpoint **out, const char *folder, Err *err) {
    Status status = STATUS_OK;
    bool found = false;
    for (size_t i = 0; i < LAYOUT_COUNT && status == STATUS_OK && !found; i++)
        status = open_layout(out, &LAYOUTS[i], folder, &found, err);
    if (status == STATUS_OK && !found)
        status = open_other(out, folder, err);
    return status;
}

Status checkpoint_open(Checkpoint **out, const char *path, Err *err) {
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return open_folder(out, path, err);
    return open_file(out, path, err);
}
