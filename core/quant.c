/* ggml's blocks: each decoder unpacks codes to bytes and scales them.
 *
 * In the drawings a field is name[bytes]; d, m and dmin are F16. `n:` before
 * a field is its offset. Element numbers are those of the block. */
#include "quant.h"

enum { SUB = 32, SUPER = 256 };

/* q[j] = the bits `mask` of src[j] from `shift` up. */
static inline void take_bits(uint8_t *restrict q, const uint8_t *restrict src,
                             size_t n, int shift, int mask) {
    for (size_t j = 0; j < n; j++)
        q[j] = (uint8_t)((src[j] >> shift) & mask);
}

/* The same bits, put into q[j] from `up` on. */
static inline void add_bits(uint8_t *restrict q, const uint8_t *restrict src,
                            size_t n, int shift, int mask, int up) {
    for (size_t j = 0; j < n; j++)
        q[j] = (uint8_t)(q[j] | ((src[j] >> shift) & mask) << up);
}

/* n bytes: the low halves are the first n elements, the high ones the next. */
static inline void take_nibbles(uint8_t *restrict q,
                                const uint8_t *restrict src, size_t n) {
    take_bits(q, src, n, 0, 15);
    take_bits(q + n, src, n, 4, 15);
}

/* Bit j of the 32-bit word at src is the fifth bit of element j. */
static inline void add_fifth(uint8_t *restrict q, const uint8_t *src) {
    uint32_t word;
    memcpy(&word, src, sizeof word);
    for (size_t j = 0; j < SUB; j++)
        q[j] = (uint8_t)(q[j] | (word >> j & 1) << 4);
}

/* y = d (q - zero) */
static inline void put(float *restrict y, const uint8_t *restrict q, size_t n,
                       float d, int zero) {
    for (size_t j = 0; j < n; j++)
        y[j] = d * (float)(q[j] - zero);
}

/* y = d q + m */
static inline void put_affine(float *restrict y, const uint8_t *restrict q,
                              size_t n, float d, float m) {
    for (size_t j = 0; j < n; j++)
        y[j] = d * (float)q[j] + m;
}

/* y = d values[q] */
static inline void put_values(float *restrict y, const uint8_t *restrict q,
                              size_t n, float d, const int8_t *values) {
    for (size_t j = 0; j < n; j++)
        y[j] = d * (float)values[q[j]];
}

/* Blocks of 32
 *
 *     q4_0    d[2] qs[16]               y = d (q - 8)
 *     q4_1    d[2] m[2] qs[16]          y = d q + m
 *     q5_0    d[2] qh[4] qs[16]         y = d (q - 16)
 *     q5_1    d[2] m[2] qh[4] qs[16]    y = d q + m
 *     q8_0    d[2] qs[32]               y = d q, q signed
 *
 *     qs[j]   hhhhllll   l: element j, h: element j + 16
 *     qh      bit j: the fifth bit of element j */
static inline void block_q4_0(const uint8_t *b, float *restrict y) {
    uint8_t q[SUB];
    take_nibbles(q, b + 2, 16);
    put(y, q, SUB, half_at(b), 8);
}

static inline void block_q4_1(const uint8_t *b, float *restrict y) {
    uint8_t q[SUB];
    take_nibbles(q, b + 4, 16);
    put_affine(y, q, SUB, half_at(b), half_at(b + 2));
}

static inline void block_q5_0(const uint8_t *b, float *restrict y) {
    uint8_t q[SUB];
    take_nibbles(q, b + 6, 16);
    add_fifth(q, b + 2);
    put(y, q, SUB, half_at(b), 16);
}

static inline void block_q5_1(const uint8_t *b, float *restrict y) {
    uint8_t q[SUB];
    take_nibbles(q, b + 8, 16);
    add_fifth(q, b + 4);
    put_affine(y, q, SUB, half_at(b), half_at(b + 2));
}

static inline void block_q8_0(const uint8_t *b, float *restrict y) {
    const float d = half_at(b);
    for (size_t j = 0; j < SUB; j++)
        y[j] = d * (float)(int8_t)b[2 + j];
}

/* q2_k: 16 groups of 16, each with its scale and minimum
 *
 *     0:scales[16]   mmmmssss, byte g for group g
 *     16:qs[64]      ddccbbaa: qs[j], j < 32, holds elements j (a), 32 + j (b),
 *                    64 + j (c), 96 + j (d); the other 32 bytes from 128 on
 *     80:d[2] 82:dmin[2]
 *
 *     y = (d s) q - (dmin m) */
static inline void block_q2_k(const uint8_t *b, float *restrict y) {
    const float d = half_at(b + 80), dmin = half_at(b + 82);
    for (size_t g = 0; g < 16; g++, y += 16) {
        const uint8_t *qs = b + 16 + g / 8 * 32 + g % 2 * 16;
        uint8_t q[16];
        take_bits(q, qs, 16, (int)(g % 8 / 2 * 2), 3);
        float scale = d * (float)(b[g] & 15);
        float least = dmin * (float)(b[g] >> 4);
        put_affine(y, q, 16, scale, -least);
    }
}

/* The 16 scales of six bits in q3_k's 12 bytes s, each 32 too large:
 *
 *     s[j], j < 8    BBBBAAAA: low bits of scale j (A) and j + 8 (B)
 *     s[8 + j]       ddccbbaa: high bits of scales j, j + 4, j + 8, j + 12 */
static inline int scale_q3_k(const uint8_t *s, size_t g) {
    int low = s[g % 8] >> (g / 8 * 4) & 15;
    int high = s[8 + g % 4] >> (g / 4 * 2) & 3;
    return (low | high << 4) - 32;
}

/* q3_k: 16 groups of 16
 *
 *     0:hmask[32]    bit k of hmask[j]: the third bit of element 32 k + j
 *     32:qs[64]      the lower two, laid out as in q2_k
 *     96:scales[12]  see scale_q3_k
 *     108:d[2]
 *
 *     y = (d s) (q - 4) */
static inline void block_q3_k(const uint8_t *b, float *restrict y) {
    const float d = half_at(b + 108);
    for (size_t g = 0; g < 16; g++, y += 16) {
        const uint8_t *qs = b + 32 + g / 8 * 32 + g % 2 * 16;
        uint8_t q[16];
        take_bits(q, qs, 16, (int)(g % 8 / 2 * 2), 3);
        add_bits(q, b + g % 2 * 16, 16, (int)(g / 2), 1, 2);
        put(y, q, 16, d * (float)scale_q3_k(b + 96, g), 4);
    }
}

/* The scale and minimum of sub-block k, six bits each, in the 12 bytes s of
 * q4_k and q5_k (j = k % 4; capitals are k < 4, small letters k >= 4):
 *
 *     s[j]       ssSSSSSS
 *     s[4 + j]   mmMMMMMM
 *     s[8 + j]   mmmmssss */
static inline void scales_q4_k(const uint8_t *s, size_t k, float *scale,
                               float *least) {
    size_t j = k % 4;
    int low = s[j] & 63, low_least = s[4 + j] & 63;
    int high = (s[8 + j] & 15) | s[j] >> 6 << 4;
    int high_least = s[8 + j] >> 4 | s[4 + j] >> 6 << 4;
    *scale = (float)(k < 4 ? low : high);
    *least = (float)(k < 4 ? low_least : high_least);
}

/* q4_k and q5_k: 8 sub-blocks of 32
 *
 *     q4_k   0:d[2] 2:dmin[2] 4:scales[12] 16:qs[128]
 *     q5_k   0:d[2] 2:dmin[2] 4:scales[12] 16:qh[32] 48:qs[128]
 *
 *     qs[32 i + j]   hhhhllll: elements 64 i + j (l) and 64 i + 32 + j (h)
 *     qh[j]          bit k: the fifth bit of element 32 k + j
 *     scales         see scales_q4_k
 *
 *     y = (d s) q - (dmin m) */
static inline void block_q45_k(const uint8_t *b, float *restrict y,
                               const uint8_t *qs, const uint8_t *qh) {
    const float d = half_at(b), dmin = half_at(b + 2);
    for (size_t k = 0; k < 8; k++, y += SUB) {
        uint8_t q[SUB];
        float scale, least;
        take_bits(q, qs + k / 2 * SUB, SUB, (int)(k % 2 * 4), 15);
        if (qh != NULL)
            add_bits(q, qh, SUB, (int)k, 1, 4);
        scales_q4_k(b + 4, k, &scale, &least);
        put_affine(y, q, SUB, d * scale, -(dmin * least));
    }
}

static inline void block_q4_k(const uint8_t *b, float *restrict y) {
    block_q45_k(b, y, b + 16, NULL);
}

static inline void block_q5_k(const uint8_t *b, float *restrict y) {
    block_q45_k(b, y, b + 48, b + 16);
}

/* q6_k: 16 groups of 16
 *
 *     0:ql[128]      hhhhllll: ql[64 i + j], j < 64, holds the low bits of
 *                    elements 128 i + j (l) and 128 i + 64 + j (h)
 *     128:qh[64]     ddccbbaa: the upper two, laid out as q2_k's qs
 *     192:scales[16] signed
 *     208:d[2]
 *
 *     y = (d s) (q - 32) */
static inline void block_q6_k(const uint8_t *b, float *restrict y) {
    const float d = half_at(b + 208);
    for (size_t g = 0; g < 16; g++, y += 16) {
        const uint8_t *ql = b + g / 8 * 64 + g % 4 * 16;
        const uint8_t *qh = b + 128 + g / 8 * 32 + g % 2 * 16;
        uint8_t q[16];
        take_bits(q, ql, 16, (int)(g % 8 / 4 * 4), 15);
        add_bits(q, qh, 16, (int)(g % 8 / 2 * 2), 3, 4);
        put(y, q, 16, d * (float)(int8_t)b[192 + g], 32);
    }
}

/* The 16 levels of iq4_nl and iq4_xs. */
static const int8_t LEVELS[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                  1,    13,   25,  38,  53,  69,  89,  113};

/* iq4_nl    0:d[2] 2:qs[16], packed as q4_0's    y = d LEVELS[q] */
static inline void block_iq4_nl(const uint8_t *b, float *restrict y) {
    uint8_t q[SUB];
    take_nibbles(q, b + 2, 16);
    put_values(y, q, SUB, half_at(b), LEVELS);
}

/* iq4_xs: 8 sub-blocks of 32
 *
 *     0:d[2]
 *     2:scales_h[2]  a word whose bits 2k and 2k + 1 are scale k's upper two
 *     4:scales_l[4]  hhhhllll: the low bits of scales 2j (l) and 2j + 1 (h)
 *     8:qs[128]      16 bytes a sub-block, each packed as iq4_nl's
 *
 *     y = (d (s - 32)) LEVELS[q] */
static inline void block_iq4_xs(const uint8_t *b, float *restrict y) {
    const float d = half_at(b);
    for (size_t k = 0; k < 8; k++, y += SUB) {
        int low = b[4 + k / 2] >> (k % 2 * 4) & 15;
        int high = b[2 + k / 4] >> (k % 4 * 2) & 3;
        uint8_t q[SUB];
        take_nibbles(q, b + 8 + 16 * k, 16);
        put_values(y, q, SUB, d * (float)((low | high << 4) - 32), LEVELS);
    }
}

/* Digit k of each of n bytes that hold base-3 fractions x = 0.t0 t1 t2 …, in
 * units of 1/256: 3^k x drops the digits before it, a third multiplication
 * carries it over the point. */
static inline void take_trits(uint8_t *restrict q, const uint8_t *restrict src,
                              size_t n, size_t k) {
    static const uint8_t POWERS[5] = {1, 3, 9, 27, 81};
    for (size_t j = 0; j < n; j++)
        q[j] = (uint8_t)((uint8_t)(src[j] * POWERS[k]) * 3 >> 8);
}

/* tq1_0: 256 ternary digits
 *
 *     0:qs[32]   five digits a byte: digit k of byte j is element 32 k + j
 *     32:qs[16]  five: element 160 + 16 k + j
 *     48:qh[4]   four: element 240 + 4 k + j
 *     52:d[2]
 *
 *     y = d (q - 1) */
static inline void block_tq1_0(const uint8_t *b, float *restrict y) {
    uint8_t q[SUPER];
    for (size_t k = 0; k < 5; k++)
        take_trits(q + 32 * k, b, 32, k);
    for (size_t k = 0; k < 5; k++)
        take_trits(q + 160 + 16 * k, b + 32, 16, k);
    for (size_t k = 0; k < 4; k++)
        take_trits(q + 240 + 4 * k, b + 48, 4, k);
    put(y, q, SUPER, half_at(b + 52), 1);
}

/* tq2_0    0:qs[64], laid out as q2_k's; 64:d[2]    y = d (q - 1) */
static inline void block_tq2_0(const uint8_t *b, float *restrict y) {
    const float d = half_at(b + 64);
    for (size_t k = 0; k < 8; k++, y += SUB) {
        uint8_t q[SUB];
        take_bits(q, b + k / 4 * SUB, SUB, (int)(k % 4 * 2), 3);
        put(y, q, SUB, d, 1);
    }
}

/* Twice the E2M1 numbers, so that they are whole; the scale is halved. */
static const int8_t E2M1_DOUBLED[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                        0, -1, -2, -3, -4, -6, -8, -12};

/* 2^(e - 128), whose two least are subnormal; as in ggml, 255 is no NaN. */
static inline float half_power(uint32_t e) {
    return float_from_bits(e < 2 ? 0x00200000U << e : (e - 1) << 23);
}

/* mxfp4    0:e[1] 1:qs[16], packed as q4_0's    y = 2^(e - 128) (2 E2M1) */
static inline void block_mxfp4(const uint8_t *b, float *restrict y) {
    uint8_t q[SUB];
    take_nibbles(q, b + 1, 16);
    put_values(y, q, SUB, half_power(b[0]), E2M1_DOUBLED);
}

/* A loop over blocks of `block` elements in `bytes` bytes. */
#define BLOCKS(name, block, bytes)                                             \
    HOT void quant_##name(const uint8_t *restrict src, size_t elements,        \
                          float *restrict dst) {                               \
        for (size_t i = 0; i < elements / (block); i++)                        \
            block_##name(src + i * (bytes), dst + i * (block));                \
    }

BLOCKS(q4_0, SUB, 18)
BLOCKS(q4_1, SUB, 20)
BLOCKS(q5_0, SUB, 22)
BLOCKS(q5_1, SUB, 24)
BLOCKS(q8_0, SUB, 34)
BLOCKS(q2_k, SUPER, 84)
BLOCKS(q3_k, SUPER, 110)
BLOCKS(q4_k, SUPER, 144)
BLOCKS(q5_k, SUPER, 176)
BLOCKS(q6_k, SUPER, 210)
BLOCKS(iq4_nl, SUB, 18)
BLOCKS(iq4_xs, SUPER, 136)
BLOCKS(tq1_0, SUPER, 54)
BLOCKS(tq2_0, SUPER, 66)
BLOCKS(mxfp4, SUB, 17)
