/* The decoders that dtype.c's rows point at.
 *
 * Each decodes `elements`, a whole number of its dtype's blocks, from
 * unaligned little-endian bytes. plain_* has one element a block, quant_*
 * ggml's blocks. Their float32 arithmetic keeps ggml's order of operations,
 * which is what makes them bit-equal to it. */
#ifndef WEFT_QUANT_H
#define WEFT_QUANT_H

#include <string.h>

#include "dtype.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "checkpoints are little-endian, and so are these loads");

/* Loops worth a copy a vector width; the loader picks one by the processor.
 * The sanitizers start later than the loader's choice, so they get one. */
#if defined(__x86_64__) && defined(__gnu_linux__) &&                           \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HOT __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define HOT
#endif

/* Loops run over this many elements at a time: gcc's vectoriser at -O2 takes
 * only counts that it knows. A multiple of 64. */
enum { QUANT_CHUNK = 64 };

/* A small float format: its mantissa bits and exponent bias, and what its
 * codes without the sign from `special` up stand for (codes with the exponent
 * bits all set where `infinity`, else NaN). Sign, exponent, mantissa. */
typedef struct SmallFloat {
    int bits, mantissa, bias;
    uint32_t special;
    bool infinity;
} SmallFloat;

static inline float float_from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t float_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* `?:` by a mask: where a choice hangs on a float operation, gcc moves it into
 * a branch, and the loop is no longer vectorised. */
static inline uint32_t choose(bool condition, uint32_t yes, uint32_t no) {
    uint32_t mask = 0U - (uint32_t)condition;
    return (yes & mask) | (no & ~mask);
}

/* The float of a small format's code, without a branch. Below the least
 * normal the mantissa is put under a power of two whose last bit weighs as
 * much as the mantissa's own, and that power is taken away again: exact. */
static inline float small_float(uint32_t code, SmallFloat format) {
    uint32_t magnitude = code & ((1U << (format.bits - 1)) - 1);
    uint32_t sign = (code >> (format.bits - 1)) << 31;
    uint32_t normal = (magnitude << (23 - format.mantissa)) +
                      ((uint32_t)(127 - format.bias) << 23);
    uint32_t power = (uint32_t)(151 - format.bias - format.mantissa) << 23;
    float tiny = float_from_bits(power | magnitude) - float_from_bits(power);
    uint32_t special = format.infinity ? normal | 0x7F800000 : 0x7FC00000;
    uint32_t finite =
        choose(magnitude >> format.mantissa != 0, normal, float_bits(tiny));
    return float_from_bits(
        choose(magnitude >= format.special, special, finite) | sign);
}

#define FORMAT_F16 ((SmallFloat){16, 10, 15, 0x7C00, true})

/* The F16 at p: every block's scale. */
static inline float half_at(const uint8_t *p) {
    uint16_t code;
    memcpy(&code, p, sizeof code);
    return small_float(code, FORMAT_F16);
}

DecodeFloat plain_f64, plain_f32, plain_f16, plain_bf16;
DecodeFloat plain_f8_e4m3, plain_f8_e5m2, plain_f8_e8m0;
DecodeFloat plain_f8_e4m3fnuz, plain_f8_e5m2fnuz;
DecodeFloat plain_i64, plain_u64, plain_i32, plain_u32, plain_i16, plain_u16;
DecodeFloat plain_i8, plain_u8, plain_bool;
DecodeDouble wide_f64, wide_i64, wide_u64, wide_i32, wide_u32;

DecodeFloat quant_q4_0, quant_q4_1, quant_q5_0, quant_q5_1, quant_q8_0;
DecodeFloat quant_q2_k, quant_q3_k, quant_q4_k, quant_q5_k, quant_q6_k;
DecodeFloat quant_iq4_nl, quant_iq4_xs, quant_tq1_0, quant_tq2_0, quant_mxfp4;

#endif
