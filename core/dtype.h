/* The number formats a checkpoint can hold: one row a format, and one decoder.
 *
 * A format stores `block` elements in `bytes` bytes (1 and 2 for F16, 256 and
 * 144 for Q4_K). Everything but F64 and the wide integers is exact in float. */
#ifndef WEFT_DTYPE_H
#define WEFT_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

typedef enum Dtype {
    DTYPE_F64,
    DTYPE_F32,
    DTYPE_F16,
    DTYPE_BF16,
    DTYPE_F8_E4M3,
    DTYPE_F8_E5M2,
    DTYPE_F8_E4M3FNUZ,
    DTYPE_F8_E5M2FNUZ,
    DTYPE_F8_E8M0,
    DTYPE_F4,
    DTYPE_F6_E2M3,
    DTYPE_F6_E3M2,
    DTYPE_I64,
    DTYPE_U64,
    DTYPE_I32,
    DTYPE_U32,
    DTYPE_I16,
    DTYPE_U16,
    DTYPE_I8,
    DTYPE_U8,
    DTYPE_BOOL,
    DTYPE_C64,
    DTYPE_Q4_0,
    DTYPE_Q4_1,
    DTYPE_Q5_0,
    DTYPE_Q5_1,
    DTYPE_Q8_0,
    DTYPE_Q8_1,
    DTYPE_Q2_K,
    DTYPE_Q3_K,
    DTYPE_Q4_K,
    DTYPE_Q5_K,
    DTYPE_Q6_K,
    DTYPE_Q8_K,
    DTYPE_IQ1_S,
    DTYPE_IQ1_M,
    DTYPE_IQ2_XXS,
    DTYPE_IQ2_XS,
    DTYPE_IQ2_S,
    DTYPE_IQ3_XXS,
    DTYPE_IQ3_S,
    DTYPE_IQ4_NL,
    DTYPE_IQ4_XS,
    DTYPE_TQ1_0,
    DTYPE_TQ2_0,
    DTYPE_MXFP4,
    DTYPE_NVFP4,
    DTYPE_Q1_0,
    DTYPE_COUNT
} Dtype;

/* Decodes `elements` (a multiple of the row's block) from src to dst. */
typedef void DecodeFloat(const uint8_t *src, size_t elements, float *dst);
typedef void DecodeDouble(const uint8_t *src, size_t elements, double *dst);

typedef struct DtypeRow {
    const char *name;            /* as safetensors or ggml spell it */
    uint16_t block;              /* elements a block */
    uint16_t bytes;              /* bytes a block */
    bool safetensors;            /* a dtype of safetensors headers */
    int ggml;                    /* ggml's type number, or -1 */
    DecodeFloat *decode_float;   /* NULL: the values cannot be read */
    DecodeDouble *decode_double; /* F64 and wide integers; else NULL, and
                                  * decode_float is exact */
} DtypeRow;

/* The row of a dtype. Static. */
const DtypeRow *dtype_row(Dtype dtype);

/* Whether its values can be read (else it is listed and refused by name). */
bool dtype_readable(Dtype dtype);

/* By the exact, case-sensitive name of a safetensors header. */
bool dtype_from_safetensors(const char *name, Dtype *out);

/* By ggml's type number; false for removed and unknown ones. */
bool dtype_from_ggml(uint32_t number, Dtype *out);

/* Bytes of `elements` elements. STATUS_FORMAT where they are no whole number
 * of blocks or the product overflows. */
CHECKED Status dtype_bytes(Dtype dtype, uint64_t elements, uint64_t *bytes,
                           Err *err);

/* Decodes `elements` to float64; 64-bit integers beyond 2^53 round. src may
 * be unaligned. STATUS_UNSUPPORTED names a dtype without a decoder,
 * STATUS_FORMAT as dtype_bytes. */
CHECKED Status dtype_decode(Dtype dtype, const void *src, size_t elements,
                            double *dst, Err *err);

/* The same to float32: bit-equal to ggml's own dequantisation. F64 and wide
 * integers are rounded, once. */
CHECKED Status dtype_decode_float(Dtype dtype, const void *src, size_t elements,
                                  float *dst, Err *err);

/* Writes `elements` doubles as F64, F32, F16 or BF16, little-endian, with one
 * rounding to nearest even: beyond the largest becomes infinite, a NaN stays
 * one. dst may be unaligned. STATUS_UNSUPPORTED names any other dtype. */
CHECKED Status dtype_encode(Dtype dtype, const double *src, size_t elements,
                            void *dst, Err *err);

#endif
