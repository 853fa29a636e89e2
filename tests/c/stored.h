/* Small files for tests: one matrix each, written block by block as its dtype
 * lays values out, beside the values it stands for. Include after cmocka.h. */
#ifndef WEFT_TEST_STORED_H
#define WEFT_TEST_STORED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source.h"

enum { HEAD = 7 }; /* bytes before the matrix: nothing is aligned */

/* A file that holds one matrix, and the values it stands for. */
typedef struct Stored {
    char path[64];
    File *file;
    Dtype dtype;
    uint64_t rows, cols, bytes;
    uint8_t *raw;
    double *truth;
} Stored;

/* Where Q8_0 and Q4_K pack what: filled as ggml lays a block out. */
static inline void put_q8_0(uint8_t *block, double *truth, unsigned seed) {
    uint16_t scale = seed % 2 ? 0x3800 : 0x4000; /* 0.5 and 2 */
    memcpy(block, &scale, 2);
    for (unsigned i = 0; i < 32; i++) {
        int8_t q = (int8_t)((int)((seed * 31 + i * 7) % 255) - 127);
        memcpy(block + 2 + i, &q, 1);
        truth[i] = q * (seed % 2 ? 0.5 : 2.0);
    }
}

/* d 1, dmin 0.5; eight 6-bit scales and minima in 12 bytes; 256 nibbles. */
static inline void put_q4_k(uint8_t *block, double *truth, unsigned seed) {
    uint8_t scale[8], least[8], *packed = block + 4, *codes = block + 16;
    memcpy(block, (const uint8_t[]){0x00, 0x3C, 0x00, 0x38}, 4);
    memset(packed, 0, 140);
    for (unsigned j = 0; j < 8; j++) {
        scale[j] = (uint8_t)((seed * 5 + j * 11 + 3) % 64);
        least[j] = (uint8_t)((seed * 3 + j * 17 + 1) % 64);
    }
    for (unsigned j = 0; j < 4; j++) {
        packed[j] = (uint8_t)(scale[j] | (scale[j + 4] >> 4) << 6);
        packed[j + 4] = (uint8_t)(least[j] | (least[j + 4] >> 4) << 6);
        packed[j + 8] = (uint8_t)((scale[j + 4] & 15) | least[j + 4] << 4);
    }
    for (unsigned i = 0; i < 256; i++) {
        unsigned j = i / 32, q = (seed + i * 3 + i / 16) % 16;
        uint8_t *at = codes + j / 2 * 32 + i % 32;
        *at = (uint8_t)(*at | q << (j % 2 * 4));
        truth[i] = scale[j] * (double)q - 0.5 * least[j];
    }
}

/* Element (i, j) of a plain dtype: 1000 i + j as far as the dtype counts. */
static inline void put_plain(Dtype dtype, uint8_t *at, double *truth,
                             uint64_t i, uint64_t j) {
    uint64_t limit = dtype == DTYPE_BF16  ? 256
                     : dtype == DTYPE_F16 ? 2048
                                          : 1 << 24;
    double value = (double)((1000 * i + j) % limit);
    float narrow = (float)value;
    uint32_t bits;
    memcpy(&bits, &narrow, 4);
    *truth = value;
    if (dtype == DTYPE_F64) {
        memcpy(at, &value, 8);
    } else if (dtype == DTYPE_F32) {
        memcpy(at, &bits, 4);
    } else if (dtype == DTYPE_BF16) {
        memcpy(at, (uint8_t *)&bits + 2, 2);
    } else {
        /* normal or zero, and exact: the exponent's bias goes down by 112 */
        uint16_t half = (uint16_t)(value > 0 ? (bits >> 13) - (112 << 10) : 0);
        memcpy(at, &half, 2);
    }
}

/* Writes raw to the path again and opens it. */
static inline void stored_open(Stored *s) {
    FILE *f = fopen(s->path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite("weights", 1, HEAD, f), HEAD);
    assert_int_equal(fwrite(s->raw, 1, s->bytes, f), s->bytes);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(file_open(&s->file, s->path, NULL), STATUS_OK);
}

static inline void stored_fill(Stored *s) {
    const DtypeRow *row = dtype_row(s->dtype);
    for (uint64_t i = 0; i < s->rows; i++) {
        for (uint64_t j = 0; j < s->cols; j += row->block) {
            uint64_t at = i * s->cols + j;
            uint8_t *raw = s->raw + at / row->block * row->bytes;
            if (s->dtype == DTYPE_Q8_0)
                put_q8_0(raw, s->truth + at, (unsigned)(at / row->block));
            else if (s->dtype == DTYPE_Q4_K)
                put_q4_k(raw, s->truth + at, (unsigned)(at / row->block));
            else
                put_plain(s->dtype, raw, s->truth + at, i, j);
        }
    }
}

static inline void stored_make(Stored *s, Dtype dtype, uint64_t rows,
                               uint64_t cols) {
    *s = (Stored){.dtype = dtype, .rows = rows, .cols = cols};
    snprintf(s->path, sizeof s->path, "%s/weft-source-XXXXXX", P_tmpdir);
    int fd = mkstemp(s->path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(dtype_bytes(dtype, rows * cols, &s->bytes, NULL),
                     STATUS_OK);
    s->raw = calloc(s->bytes + 1, 1);
    s->truth = calloc(rows * cols + 1, sizeof *s->truth);
    assert_true(s->raw != NULL && s->truth != NULL);
    stored_fill(s);
    stored_open(s);
}

static inline void stored_end(Stored *s) {
    file_release(s->file);
    unlink(s->path);
    free(s->raw);
    free(s->truth);
}

static inline Source *stored_source(const Stored *s) {
    Source *source = NULL;
    assert_int_equal(
        source_create(&source, s->file, s->dtype, HEAD, s->rows, s->cols, NULL),
        STATUS_OK);
    return source;
}

#endif
