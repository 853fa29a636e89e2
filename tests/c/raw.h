/* A file of bytes that a test makes up, and tensors of parts of it. Include
 * after cmocka.h. */
#ifndef WEFT_TEST_RAW_H
#define WEFT_TEST_RAW_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tensor.h"

typedef struct Raw {
    char path[64];
    File *file;
} Raw;

static inline void raw_make(Raw *raw, const void *data, size_t bytes) {
    snprintf(raw->path, sizeof raw->path, "%s/weft-raw-XXXXXX", P_tmpdir);
    int fd = mkstemp(raw->path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, bytes, f), bytes);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(file_open(&raw->file, raw->path, NULL), STATUS_OK);
}

static inline void raw_end(Raw *raw) {
    file_release(raw->file);
    unlink(raw->path);
}

/* Creates: the tensor at `offset`. */
static inline Tensor raw_tensor(const Raw *raw, Dtype dtype, uint64_t offset,
                                int axes, const int64_t *shape) {
    uint64_t rows = 1;
    Source *source;
    Tensor tensor;
    for (int i = 0; i < axes - 1; i++)
        rows *= (uint64_t)shape[i];
    assert_int_equal(source_create(&source, raw->file, dtype, offset, rows,
                                   (uint64_t)shape[axes - 1], NULL),
                     STATUS_OK);
    assert_int_equal(tensor_from_source(&tensor, source, axes, shape, NULL),
                     STATUS_OK);
    source_release(source);
    return tensor;
}

#endif
