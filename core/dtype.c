/* The table of number formats, and conversion through it. */
#include "dtype.h"

#include <inttypes.h>
#include <string.h>

#include "quant.h"

/* Sizes are those of ggml's own structs: Q8_1 has two F16 before its codes. */
/* clang-format off */
static const DtypeRow ROWS[DTYPE_COUNT] = {
#define ROW(name, block, bytes, safetensors, ggml, to_float, to_double)        \
    [DTYPE_##name] = {#name, block, bytes, safetensors, ggml, to_float,        \
                      to_double}
#define PLAIN(name, bytes, ggml, to_float, to_double)                          \
    ROW(name, 1, bytes, true, ggml, to_float, to_double)
#define QUANT(name, block, bytes, ggml, to_float)                              \
    ROW(name, block, bytes, false, ggml, to_float, NULL)
    PLAIN(F64, 8, 28, plain_f64, wide_f64),
    PLAIN(F32, 4, 0, plain_f32, NULL),
    PLAIN(F16, 2, 1, plain_f16, NULL),
    PLAIN(BF16, 2, 30, plain_bf16, NULL),
    PLAIN(F8_E4M3, 1, -1, plain_f8_e4m3, NULL),
    PLAIN(F8_E5M2, 1, -1, plain_f8_e5m2, NULL),
    PLAIN(F8_E4M3FNUZ, 1, -1, plain_f8_e4m3fnuz, NULL),
    PLAIN(F8_E5M2FNUZ, 1, -1, plain_f8_e5m2fnuz, NULL),
    PLAIN(F8_E8M0, 1, -1, plain_f8_e8m0, NULL),
    ROW(F4, 2, 1, true, -1, NULL, NULL),
    ROW(F6_E2M3, 4, 3, true, -1, NULL, NULL),
    ROW(F6_E3M2, 4, 3, true, -1, NULL, NULL),
    PLAIN(I64, 8, 27, plain_i64, wide_i64),
    PLAIN(U64, 8, -1, plain_u64, wide_u64),
    PLAIN(I32, 4, 26, plain_i32, wide_i32),
    PLAIN(U32, 4, -1, plain_u32, wide_u32),
    PLAIN(I16, 2, 25, plain_i16, NULL),
    PLAIN(U16, 2, -1, plain_u16, NULL),
    PLAIN(I8, 1, 24, plain_i8, NULL),
    PLAIN(U8, 1, -1, plain_u8, NULL),
    PLAIN(BOOL, 1, -1, plain_bool, NULL),
    PLAIN(C64, 8, -1, NULL, NULL),
    QUANT(Q4_0, 32, 18, 2, quant_q4_0),
    QUANT(Q4_1, 32, 20, 3, quant_q4_1),
    QUANT(Q5_0, 32, 22, 6, quant_q5_0),
    QUANT(Q5_1, 32, 24, 7, quant_q5_1),
    QUANT(Q8_0, 32, 34, 8, quant_q8_0),
    QUANT(Q8_1, 32, 36, 9, NULL),
    QUANT(Q2_K, 256, 84, 10, quant_q2_k),
    QUANT(Q3_K, 256, 110, 11, quant_q3_k),
    QUANT(Q4_K, 256, 144, 12, quant_q4_k),
    QUANT(Q5_K, 256, 176, 13, quant_q5_k),
    QUANT(Q6_K, 256, 210, 14, quant_q6_k),
    QUANT(Q8_K, 256, 292, 15, NULL),
    QUANT(IQ1_S, 256, 50, 19, NULL),
    QUANT(IQ1_M, 256, 56, 29, NULL),
    QUANT(IQ2_XXS, 256, 66, 16, NULL),
    QUANT(IQ2_XS, 256, 74, 17, NULL),
    QUANT(IQ2_S, 256, 82, 22, NULL),
    QUANT(IQ3_XXS, 256, 98, 18, NULL),
    QUANT(IQ3_S, 256, 110, 21, NULL),
    QUANT(IQ4_NL, 32, 18, 20, quant_iq4_nl),
    QUANT(IQ4_XS, 256, 136, 23, quant_iq4_xs),
    QUANT(TQ1_0, 256, 54, 34, quant_tq1_0),
    QUANT(TQ2_0, 256, 66, 35, quant_tq2_0),
    QUANT(MXFP4, 32, 17, 39, quant_mxfp4),
    QUANT(NVFP4, 64, 36, 40, NULL),
    QUANT(Q1_0, 128, 18, 41, NULL),
#undef QUANT
#undef PLAIN
#undef ROW
};
/* clang-format on */

const DtypeRow *dtype_row(Dtype dtype) {
    return &ROWS[dtype];
}

bool dtype_readable(Dtype dtype) {
    return ROWS[dtype].decode_float != NULL;
}

bool dtype_from_safetensors(const char *name, Dtype *out) {
    for (int i = 0; i < DTYPE_COUNT; i++)
        if (ROWS[i].safetensors && strcmp(ROWS[i].name, name) == 0) {
            *out = (Dtype)i;
            return true;
        }
    return false;
}

bool dtype_from_ggml(uint32_t number, Dtype *out) {
    for (int i = 0; i < DTYPE_COUNT; i++)
        if (ROWS[i].ggml >= 0 && (uint32_t)ROWS[i].ggml == number) {
            *out = (Dtype)i;
            return true;
        }
    return false;
}

Status dtype_bytes(Dtype dtype, uint64_t elements, uint64_t *bytes, Err *err) {
    const DtypeRow *row = &ROWS[dtype];
    uint64_t product;
    if (elements % row->block != 0)
        return err_set(err, STATUS_FORMAT,
                       "%" PRIu64 " elements of %s, expected whole blocks of "
                       "%d",
                       elements, row->name, row->block);
    if (__builtin_mul_overflow(elements / row->block, row->bytes, &product))
        return err_set(err, STATUS_FORMAT,
                       "%" PRIu64 " elements of %s take more bytes than 64 "
                       "bits count",
                       elements, row->name);
    *bytes = product;
    return STATUS_OK;
}

/* What both decoders refuse. */
static Status check_decode(Dtype dtype, size_t elements, Err *err) {
    uint64_t bytes;
    if (!dtype_readable(dtype))
        return err_set(err, STATUS_UNSUPPORTED,
                       "values of dtype %s cannot be read", ROWS[dtype].name);
    return dtype_bytes(dtype, elements, &bytes, err);
}

/* Floats to doubles; whole chunks first, as in quant_plain.c. */
HOT static void widen(const float *restrict src, size_t n,
                      double *restrict dst) {
    size_t done = 0;
    for (; n - done >= QUANT_CHUNK; done += QUANT_CHUNK)
        for (size_t i = 0; i < QUANT_CHUNK; i++)
            dst[done + i] = src[done + i];
    for (; done < n; done++)
        dst[done] = src[done];
}

Status dtype_decode(Dtype dtype, const void *src, size_t elements, double *dst,
                    Err *err) {
    enum { STEP = 1024 }; /* a multiple of every block, 4 KB */
    const DtypeRow *row = &ROWS[dtype];
    const uint8_t *from = src;
    Status status = check_decode(dtype, elements, err);
    if (status != STATUS_OK)
        return status;
    if (row->decode_double != NULL) {
        row->decode_double(from, elements, dst);
        return STATUS_OK;
    }
    float part[STEP];
    for (size_t done = 0; done < elements; done += STEP) {
        size_t n = elements - done < STEP ? elements - done : STEP;
        row->decode_float(from, n, part);
        widen(part, n, dst + done);
        from += n / row->block * row->bytes;
    }
    return STATUS_OK;
}

Status dtype_decode_float(Dtype dtype, const void *src, size_t elements,
                          float *dst, Err *err) {
    Status status = check_decode(dtype, elements, err);
    if (status == STATUS_OK)
        ROWS[dtype].decode_float(src, elements, dst);
    return status;
}

/* A double rounded once, to nearest even, to sign, exponent and `mantissa`
 * bits. The result's implicit one is added to exponent - 1, so that a carry
 * moves on to the next exponent and, from the largest number, to infinity. */
static uint16_t narrow(double value, int mantissa, int bias) {
    const uint64_t infinity = (uint64_t)(2 * bias + 1) << mantissa;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t sign = bits >> 63 << 15;
    uint64_t magnitude = bits & (UINT64_MAX >> 1);
    int exponent = (int)(magnitude >> 52) - 1023 + bias;
    if (magnitude > (uint64_t)0x7FF << 52)
        return (uint16_t)(sign | infinity | 1U << (mantissa - 1));
    if (exponent > 2 * bias)
        return (uint16_t)(sign | infinity);

    uint64_t digits = (magnitude & (((uint64_t)1 << 52) - 1)) | 1ULL << 52;
    int shift = 52 - mantissa;
    if (exponent < 1) {
        shift += 1 - exponent;
        exponent = 1;
    }
    if (shift > 54) /* less than half of the least subnormal */
        shift = 54;
    uint64_t kept = digits >> shift;
    uint64_t lost = digits & (((uint64_t)1 << shift) - 1);
    uint64_t half = (uint64_t)1 << (shift - 1);
    kept += lost > half || (lost == half && (kept & 1) != 0);
    return (uint16_t)(sign | (((uint64_t)(exponent - 1) << mantissa) + kept));
}

static void encode_float(const double *src, size_t elements, uint8_t *dst) {
    for (size_t i = 0; i < elements; i++) {
        float value = (float)src[i];
        memcpy(dst + i * sizeof value, &value, sizeof value);
    }
}

static void encode_narrow(const double *src, size_t elements, uint8_t *dst,
                          int mantissa, int bias) {
    for (size_t i = 0; i < elements; i++) {
        uint16_t code = narrow(src[i], mantissa, bias);
        memcpy(dst + i * sizeof code, &code, sizeof code);
    }
}

Status dtype_encode(Dtype dtype, const double *src, size_t elements, void *dst,
                    Err *err) {
    switch (dtype) {
    case DTYPE_F64:
        if (elements > 0)
            memcpy(dst, src, elements * sizeof *src);
        return STATUS_OK;
    case DTYPE_F32:
        encode_float(src, elements, dst);
        return STATUS_OK;
    case DTYPE_F16:
        encode_narrow(src, elements, dst, 10, 15);
        return STATUS_OK;
    case DTYPE_BF16:
        encode_narrow(src, elements, dst, 7, 127);
        return STATUS_OK;
    default:
        return err_set(err, STATUS_UNSUPPORTED,
                       "dtype %s cannot be written, expected F64, F32, F16 or "
                       "BF16",
                       ROWS[dtype].name);
    }
}
