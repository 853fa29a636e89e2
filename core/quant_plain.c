/* Formats of one element a block: floats, small floats, integers. */
#include "quant.h"

/* A loop over stored elements, drawn as it lies in the file:
 *
 *     | x0 | x1 | x2 | …      sizeof(Stored) bytes each
 *
 * whole chunks first, whose count the vectoriser knows, then the rest. */
#define STREAM(name, Stored, Value, convert)                                   \
    static inline Value name##_at(const uint8_t *src, size_t i) {              \
        Stored stored;                                                         \
        memcpy(&stored, src + i * sizeof stored, sizeof stored);               \
        return convert(stored);                                                \
    }                                                                          \
    HOT void name(const uint8_t *restrict src, size_t elements,                \
                  Value *restrict dst) {                                       \
        size_t done = 0;                                                       \
        for (; elements - done >= QUANT_CHUNK; done += QUANT_CHUNK)            \
            for (size_t i = 0; i < QUANT_CHUNK; i++)                           \
                dst[done + i] = name##_at(src, done + i);                      \
        for (; done < elements; done++)                                        \
            dst[done] = name##_at(src, done);                                  \
    }

#define TO_FLOAT(x) ((float)(x))
#define TO_DOUBLE(x) ((double)(x))
#define TO_TRUTH(x) ((x) != 0 ? 1.0F : 0.0F)

/* seeeeeee emmmmmmm: the upper half of a float */
#define FROM_BF16(x) float_from_bits((uint32_t)(x) << 16)

/* seeeeemm mmmmmmmm */
#define FROM_F16(x) small_float(x, FORMAT_F16)

/* seeeemmm, no infinity: s1111111 is the one NaN */
#define FROM_E4M3(x) small_float(x, ((SmallFloat){8, 3, 7, 0x7F, false}))

/* seeeeemm, as F16 */
#define FROM_E5M2(x) small_float(x, ((SmallFloat){8, 2, 15, 0x7C, true}))

/* eeeeeeee, a power of two alone: 2^(e - 127), whose least is a subnormal
 * float; 255 is NaN */
static inline float from_e8m0(uint32_t e) {
    uint32_t bits = choose(e == 0, 0x00400000, e << 23);
    return float_from_bits(choose(e == 0xFF, 0x7FC00000, bits));
}

/* The FNUZ kinds have no -0, whose code is the one NaN, and no infinity. */
static inline float from_fnuz(uint32_t code, SmallFloat format) {
    uint32_t bits = float_bits(small_float(code, format));
    return float_from_bits(choose(code == 0x80, 0x7FC00000, bits));
}

/* seeeemmm and seeeeemm; 0x80 is beyond every code without its sign */
#define FROM_E4M3FNUZ(x) from_fnuz(x, ((SmallFloat){8, 3, 8, 0x80, false}))
#define FROM_E5M2FNUZ(x) from_fnuz(x, ((SmallFloat){8, 2, 16, 0x80, false}))

STREAM(plain_f64, double, float, TO_FLOAT)
STREAM(plain_f32, float, float, TO_FLOAT)
STREAM(plain_f16, uint16_t, float, FROM_F16)
STREAM(plain_bf16, uint16_t, float, FROM_BF16)
STREAM(plain_f8_e4m3, uint8_t, float, FROM_E4M3)
STREAM(plain_f8_e5m2, uint8_t, float, FROM_E5M2)
STREAM(plain_f8_e4m3fnuz, uint8_t, float, FROM_E4M3FNUZ)
STREAM(plain_f8_e5m2fnuz, uint8_t, float, FROM_E5M2FNUZ)
STREAM(plain_f8_e8m0, uint8_t, float, from_e8m0)
STREAM(plain_i64, int64_t, float, TO_FLOAT)
STREAM(plain_u64, uint64_t, float, TO_FLOAT)
STREAM(plain_i32, int32_t, float, TO_FLOAT)
STREAM(plain_u32, uint32_t, float, TO_FLOAT)
STREAM(plain_i16, int16_t, float, TO_FLOAT)
STREAM(plain_u16, uint16_t, float, TO_FLOAT)
STREAM(plain_i8, int8_t, float, TO_FLOAT)
STREAM(plain_u8, uint8_t, float, TO_FLOAT)
STREAM(plain_bool, uint8_t, float, TO_TRUTH)

STREAM(wide_f64, double, double, TO_DOUBLE)
STREAM(wide_i64, int64_t, double, TO_DOUBLE)
STREAM(wide_u64, uint64_t, double, TO_DOUBLE)
STREAM(wide_i32, int32_t, double, TO_DOUBLE)
STREAM(wide_u32, uint32_t, double, TO_DOUBLE)
