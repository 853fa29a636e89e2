/* PyTorch's pickles, read by an interpreter that runs nothing.
 *
 * A pickle is a program for a stack machine that may import and call whatever
 * it names. A state dict needs two dozen of its opcodes, and of all that could
 * be called a few names, which here make plain records: OrderedDict,
 * torch._utils' _rebuild_tensor_v2, _rebuild_tensor_v3 and _rebuild_parameter,
 * the storages and dtypes of torch. Everything else is refused by its name. */
#ifndef WEFT_PICKLE_H
#define WEFT_PICKLE_H

#include <stddef.h>

#include "arena.h"
#include "tensor.h"

/* Of a pickle, and of what it makes, in bytes. */
enum { PICKLE_MOST = 64 << 20, PICKLE_TREE_MOST = 256 << 20 };

typedef enum PickleKind {
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INTEGER,
    PICKLE_REAL,
    PICKLE_TEXT,
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_DICT,
    PICKLE_GLOBAL,
    PICKLE_STORAGE,
    PICKLE_TENSOR,
    PICKLE_MARK /* on the machine's stack only */
} PickleKind;

typedef struct PickleValue PickleValue;

/* A tensor over elements of a storage, offset and strides in elements. */
typedef struct PickleTensor {
    const PickleValue *storage;
    Dtype dtype;
    uint64_t offset;
    int axes;
    const int64_t *shape, *stride; /* axes of each */
} PickleTensor;

/* 24 bytes: a large model has a dozen of them a tensor. */
struct PickleValue {
    PickleKind kind;
    union {
        bool ordered; /* a dict that is an OrderedDict */
        Dtype dtype;  /* of a storage */
    };
    union {
        int64_t integer; /* and a bool's */
        double real;
        struct {
            const char *bytes; /* of the pickle, without a NUL at the end */
            uint32_t n;
        } text;
        struct {
            PickleValue **at; /* of a dict key, value, key, value, … */
            uint32_t n, room;
        } items;
        const struct PickleGlobal *global;
        struct {
            const PickleValue *key; /* a text: the member data/KEY */
            uint64_t count;         /* elements */
        } storage;
        PickleTensor *tensor;
    };
};

typedef struct Pickle {
    const PickleValue *root;
    Arena arena;
} Pickle;

/* Reads the n bytes; texts of the result view them. Offsets in messages count
 * from the first. STATUS_FORMAT where it is broken, STATUS_UNSUPPORTED for an
 * opcode or a global that no state dict needs. Creates: pickle_release. */
CHECKED Status pickle_read(Pickle *out, const uint8_t *bytes, size_t n,
                           Err *err);
void pickle_release(Pickle *pickle);

#endif
