/* A checkpoint: a directory of named tensors over one or many files.
 *
 * Readers fill it through checkpoint_add; nothing of a file's values is read
 * while it is opened. A new format is one file with a Format row. */
#ifndef WEFT_CHECKPOINT_H
#define WEFT_CHECKPOINT_H

#include "tensor.h"

typedef struct Checkpoint Checkpoint;

typedef struct Entry {
    const char *name; /* NUL-terminated, unique in the checkpoint */
    Dtype dtype;
    int axes;
    int64_t shape[TENSOR_AXES]; /* slowest axis first, whatever the format */
    File *file;
    uint64_t offset, bytes;
    bool transposed;     /* two axes, and the file has them the other way */
    const char *refusal; /* why the values can't be read; else NULL */
} Entry;

/* A value of a file's own metadata (GGUF's key-values, safetensors'
 * __metadata__). Of an array the length and the elements' type are kept. */
typedef enum MetaKind {
    META_NUMBER,
    META_INTEGER,
    META_BOOL,
    META_TEXT,
    META_ARRAY
} MetaKind;
typedef struct Meta {
    const char *key;
    MetaKind kind;
    double number;    /* META_NUMBER and META_INTEGER */
    int64_t integer;  /* META_INTEGER, META_BOOL, and a META_ARRAY's length */
    const char *text; /* META_TEXT, and a META_ARRAY's type: "u8", "string" */
} Meta;

/* Opens MODEL: one file, told apart by content, or a folder that holds, the
 * first of these winning, model.safetensors.index.json with its shards,
 * model.safetensors, pytorch_model.bin.index.json with its shards,
 * pytorch_model.bin, or without any other .safetensors a single .gguf, the
 * parts of one, a single .npz, or .npy files. One part of a split GGUF opens
 * all of them. Creates: checkpoint_release. Every failure is one sentence that
 * begins with the escaped path of the file at fault; STATUS_CANCELLED where
 * Ctrl-C came while something was inflated. */
CHECKED Status checkpoint_open(Checkpoint **out, const char *path, Err *err);
void checkpoint_release(Checkpoint *checkpoint);
/* Closes every file; tensors of it then answer "tensor is closed". */
void checkpoint_close(Checkpoint *checkpoint);

/* "safetensors", "gguf", "pytorch", "npz" or "npy". */
const char *checkpoint_format(const Checkpoint *checkpoint);
size_t checkpoint_count(const Checkpoint *checkpoint);
/* The i-th entry, in file order. Borrows. */
const Entry *checkpoint_entry(const Checkpoint *checkpoint, size_t i);
/* By name, through a hash; NULL where there is none. */
const Entry *checkpoint_find(const Checkpoint *checkpoint, const char *name);
size_t checkpoint_meta_count(const Checkpoint *checkpoint);
const Meta *checkpoint_meta(const Checkpoint *checkpoint, size_t i);
/* By key, through a hash; NULL where there is none. */
const Meta *checkpoint_find_meta(const Checkpoint *checkpoint, const char *key);
/* Sentences on what is odd but no error (a tensor that the index does not
 * list, trailing bytes, a stray model.safetensors beside an index). */
size_t checkpoint_note_count(const Checkpoint *checkpoint);
const char *checkpoint_note(const Checkpoint *checkpoint, size_t i);

/* The entry as a file's tensor. STATUS_UNSUPPORTED with the entry's refusal.
 * Creates. */
CHECKED Status checkpoint_tensor(const Entry *entry, Tensor *out, Err *err);

/* Bytes of a tensor of that shape (slowest axis first). STATUS_FORMAT for a
 * negative axis, an overflow, or elements that fill no whole blocks. */
CHECKED Status checkpoint_bytes(Dtype dtype, int axes, const int64_t *shape,
                                uint64_t *bytes, Err *err);

/* For readers. Names and texts are copied, files kept. Errors name the tensor
 * and what is at fault (duplicate name, more than 8 axes, overflow), not the
 * file: whoever calls Format.read puts the path before them. STATUS_IO comes
 * from file.c alone and has the path already. `offset` counts from wherever
 * the format counts; checkpoint_place makes it the file's. */
CHECKED Status checkpoint_create(Checkpoint **out, const char *format,
                                 Err *err);
CHECKED Status checkpoint_add(Checkpoint *checkpoint, const char *name,
                              Dtype dtype, int axes, const int64_t *shape,
                              File *file, uint64_t offset, Err *err);
/* The same of an entry whose `bytes` are worked out, but where it has a
 * refusal: then they are what of the file it takes, as given. */
CHECKED Status checkpoint_add_entry(Checkpoint *checkpoint, const Entry *entry,
                                    Err *err);
/* Room for n entries, so that a large directory grows but once. */
CHECKED Status checkpoint_reserve(Checkpoint *checkpoint, size_t n, Err *err);
/* Adds `base` to the offsets of the entries from `first` on, puts them in file
 * order and sees that each lies within its file. Once for each entry. */
CHECKED Status checkpoint_place(Checkpoint *checkpoint, size_t first,
                                uint64_t base, Err *err);
/* A key that is there already keeps its first value: the shards of a model
 * repeat theirs. */
CHECKED Status checkpoint_add_meta(Checkpoint *checkpoint, const Meta *meta,
                                   Err *err);
CHECKED Status checkpoint_add_note(Checkpoint *checkpoint, Err *err,
                                   const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One row a format. probe looks at the first bytes (n of them, up to 512), and
 * at the path where no format knows the bytes (else path is ""); read adds the
 * file's tensors and places them. */
typedef struct Format {
    const char *name;
    bool (*probe)(const uint8_t *head, size_t n, const char *path);
    Status (*read)(Checkpoint *checkpoint, File *file, Err *err);
} Format;
extern const Format FORMAT_SAFETENSORS, FORMAT_GGUF, FORMAT_PYTORCH, FORMAT_NPY,
    FORMAT_NPZ;

#endif
