/* One fuzz target a reader, for libFuzzer: an input is written as the file
 * that the reader would find and opened as users open it. It may be refused in
 * a sentence that names the file, or its tensors can be read; the sanitizers
 * see the rest. READER says which, when this is compiled. */
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "json.h"
#include "seeds.h"

/* What the readers are called in the Makefile. */
enum {
    READER_safetensors,
    READER_index,
    READER_gguf,
    READER_split,
    READER_npy,
    READER_npz,
    READER_torch,
    READER_pickle,
    READER_json
};

/* The input's file in the folder, and the path that is opened. */
static const struct {
    const char *file, *path;
} PLACES[] = {
    [READER_safetensors] = {"m.safetensors", "m.safetensors"},
    [READER_index] = {"model.safetensors.index.json", ""},
    [READER_gguf] = {"m.gguf", "m.gguf"},
    [READER_split] = {"m-00002-of-00002.gguf", "m-00002-of-00002.gguf"},
    [READER_npy] = {"m.npy", "m.npy"},
    [READER_npz] = {"m.npz", "m.npz"},
    [READER_torch] = {"m.bin", "m.bin"},
    [READER_pickle] = {"m.bin", "m.bin"},
};

enum { READ_MOST = 4096 }; /* elements of a tensor that is read whole */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void remove_at_exit(void) {
    remove_tree(folder());
}

/* The files that stand beside the input's. */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    Bytes bytes = {.n = 0};
    if (READER == READER_index) {
        seed_safetensors(&bytes);
        write_bytes("s1", &bytes);
    } else if (READER == READER_split) {
        seed_part(&bytes, 1);
        write_bytes("m-00001-of-00002.gguf", &bytes);
    }
    (void)folder();
    atexit(remove_at_exit);
    return 0;
}

/* Ends the run with the input kept, as a fault does. */
static void require(bool holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void read_tensor(const Entry *entry) {
    Tensor tensor, copy;
    Err err = {0};
    double value;
    const int64_t first[TENSOR_AXES] = {0};
    Status status = checkpoint_tensor(entry, &tensor, &err);
    if (status != STATUS_OK) {
        require(err.message[0] != '\0', "a refusal without a message");
        return;
    }
    if (tensor_count(&tensor) > 0)
        status = tensor_get(&tensor, first, &value, &err);
    require(status == STATUS_OK || status == STATUS_UNSUPPORTED, err.message);
    if (status == STATUS_OK && tensor_count(&tensor) <= READ_MOST) {
        status = tensor_copy(&copy, &tensor, DTYPE_F64, &err);
        require(status == STATUS_OK || status == STATUS_UNSUPPORTED,
                err.message);
        if (status == STATUS_OK)
            tensor_release(&copy);
    }
    tensor_release(&tensor);
}

static void open_path(const char *path) {
    Checkpoint *checkpoint = NULL;
    Err err = {0};
    Status status = checkpoint_open(&checkpoint, path, &err);
    if (status != STATUS_OK) {
        require(checkpoint == NULL, "a checkpoint beside an error");
        require(strncmp(err.message, folder(), strlen(folder())) == 0,
                err.message);
        return;
    }
    for (size_t i = 0; i < checkpoint_count(checkpoint); i++) {
        const Entry *entry = checkpoint_entry(checkpoint, i);
        uint64_t size = file_id(entry->file)->size;
        require(entry->offset <= size && entry->bytes <= size - entry->offset,
                "a tensor outside its file");
        require(checkpoint_find(checkpoint, entry->name) == entry,
                "a tensor that its name does not find");
        read_tensor(entry);
    }
    checkpoint_release(checkpoint);
}

/* JSON without a file around it: as a tree, and member by member. */
static void parse(const char *text, size_t n) {
    JsonTree tree;
    JsonSplit split;
    JsonSpan key, value;
    bool more = true;
    bool whole = json_parse(text, n, JSON_TREE_MOST, &tree, NULL) == STATUS_OK;
    bool object = whole && json_kind(tree.root) == JSON_OBJECT;
    size_t members = 0, expected = object ? json_size(tree.root) : 0;
    if (whole)
        json_release(&tree);
    Status status = json_split(&split, text, n, 0, NULL);
    while (status == STATUS_OK && more) {
        status = json_split_next(&split, &more, &key, &value, NULL);
        members += status == STATUS_OK && more;
    }
    require(!object || (status == STATUS_OK && members == expected),
            "an object that is split into other members");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (READER == READER_json) {
        /* a block of just that size, so that a byte behind it is seen */
        char *text = malloc(n > 0 ? n : 1);
        require(text != NULL, "no memory");
        if (n > 0)
            memcpy(text, data, n);
        parse(text, n);
        free(text);
        return 0;
    }
    if (READER == READER_pickle) {
        Bytes whole = {.n = 0};
        if (n > sizeof whole.data - 2048)
            return 0;
        wrap_pickle(&whole, data, n);
        write_bytes(PLACES[READER].file, &whole);
    } else {
        write_data(PLACES[READER].file, data, n);
    }
    open_path(in_folder(PLACES[READER].path));
    return 0;
}
